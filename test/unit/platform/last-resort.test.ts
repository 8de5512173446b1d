import { expect } from 'chai';
import type { Server } from 'node:http';
import { Writable } from 'node:stream';
import { policy } from '../../../config/policy.js';
import { createHttpServer, drain, listen } from '../../../src/platform/http/server.js';
import { withLastResort } from '../../../src/platform/http/last-resort.js';
import { createLogger } from '../../../src/platform/log/logger.js';

type Handle = Parameters<typeof withLastResort>[1];

describe('the last resort', () => {
  let server: Server | undefined;
  const lines: string[] = [];
  const log = createLogger(
    'info',
    new Writable({ write: (chunk, _encoding, done) => done(void lines.push(`${chunk}`)) }),
  );

  afterEach(async () => {
    if (server) await drain(server, 0);
    lines.length = 0;
  });

  async function startWith(handle: Handle): Promise<string> {
    const answer = withLastResort(log, handle);
    server = createHttpServer((req, res) => void answer(req, res), policy.limits);
    return `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`;
  }

  const faults: Record<string, Handle> = {
    'is thrown at once': () => {
      throw new Error('planted');
    },
    'is thrown later': async () => {
      await new Promise(setImmediate);
      throw new Error('planted');
    },
  };
  for (const [name, fault] of Object.entries(faults)) {
    it(`F27 what ${name} in a request answers it with 500 and its id, and nobody else notices`, async () => {
      const url = await startWith((req, res) => {
        res.setHeader('X-Request-Id', 'req-1');
        return req.url === '/broken' ? fault(req, res) : res.end('whole');
      });
      const [broken, whole] = await Promise.all([fetch(`${url}/broken`), fetch(`${url}/whole`)]);
      expect(broken.status).to.equal(500);
      expect(broken.headers.get('x-request-id')).to.equal('req-1');
      expect(await broken.json()).to.include({ status: 500, code: 'server.error', instance: 'req-1' });
      expect(await whole.text()).to.equal('whole');
      expect(lines).to.have.length(1);
      expect(JSON.parse(lines[0] ?? '')).to.deep.include({ level: 50, requestId: 'req-1' });
    });
  }

  it('F27 an answer that has begun is cut rather than made to look whole', async () => {
    const url = await startWith((_req, res) => {
      res.writeHead(200, { 'Content-Length': '100' }).write('half');
      throw new Error('planted');
    });
    const cut = await fetch(url)
      .then((response) => response.text())
      .catch((error: Error) => error);
    expect(cut).to.be.instanceOf(Error);
  });
});
