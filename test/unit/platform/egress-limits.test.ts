import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { policy } from '../../../config/policy.js';
import type { Egress, EgressLimits, EgressOptions } from '../../../src/platform/egress/egress.js';
import { makeAuthority, type Authority } from '../../support/authority.js';
import { closeHttpsHosts, startHttpsHost, type HttpsHost } from '../../support/https-host.js';
import { requireTool } from '../../support/tools.js';
import { failed, refusedCall, trialEgress } from '../../support/trial-egress.js';

describe('how the outbound client calls', () => {
  let authority: Authority;
  let host: HttpsHost;

  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    authority = makeAuthority();
  });
  beforeEach(async () => {
    host = await startHttpsHost(authority, (_req, res) => void res.end('hello'));
  });
  afterEach(async () => {
    await closeHttpsHosts();
  });

  function egress(options: Partial<EgressOptions> = {}, limits?: Partial<EgressLimits>): Egress {
    const known = { allow: [host.hostAndPort], extraAuthorities: [authority.certificate] };
    return trialEgress({ ...known, ...options }, { limits });
  }

  describe('is bounded', () => {
    it('by the numbers that the product promises', () => {
      expect(policy.outbound).to.deep.equal({ timeoutMs: 2500, answerBytes: 262_144 });
    });

    it('takes 256 KiB and not a byte more, also from who never ends', async () => {
      const body = Buffer.alloc(policy.outbound.answerBytes, 'x');
      host.answer = (_req, res) => void res.end(body);
      expect((await (await egress().fetch(host.at('/'))).arrayBuffer()).byteLength).to.equal(body.length);
      host.answer = (_req, res) => void res.end(Buffer.concat([body, Buffer.from('x')]));
      expect(await refusedCall(egress().fetch(host.at('/')))).to.equal(failed);
      const closed = new Promise<void>((resolve) => {
        host.answer = (_req, res) => {
          res.on('close', resolve);
          const more = (): void => void res.write(body, () => res.destroyed || more());
          more();
        };
      });
      expect(await refusedCall(egress().fetch(host.at('/')))).to.equal(failed);
      await closed;
    });

    it('asks for no compression and refuses it, so that the size is the size', async () => {
      let accepted: string | undefined;
      host.answer = (req, res) => {
        accepted = req.headers['accept-encoding'];
        res.setHeader('Content-Encoding', 'gzip').end(gzipSync(Buffer.alloc(50_000_000)));
      };
      expect(await refusedCall(egress().fetch(host.at('/')))).to.equal(failed);
      expect(accepted).to.equal('identity');
    });

    const slow: readonly [what: string, answer: HttpsHost['answer']][] = [
      ['says nothing', () => undefined],
      ['sends its head alone', (_req, res) => void res.writeHead(200).flushHeaders()],
      [
        'drips',
        (_req, res) => {
          const timer = setInterval(() => res.write('x'), 20);
          res.on('close', () => clearInterval(timer));
        },
      ],
      [
        'sends one early hint after the other',
        (_req, res) => {
          const timer = setInterval(() => res.writeProcessing(), 20);
          res.on('close', () => clearInterval(timer));
        },
      ],
    ];
    for (const [what, answer] of slow) {
      it(`gives up on a host that ${what}`, async () => {
        host.answer = answer;
        const startedAt = performance.now();
        expect(await refusedCall(egress({}, { timeoutMs: 300 }).fetch(host.at('/')))).to.equal(failed);
        expect(performance.now() - startedAt).to.be.within(290, 2000);
      });
    }

    it('gives up on a name server that says nothing', async () => {
      let told: AbortSignal | undefined;
      const client = egress(
        {
          resolveHost: (_name, { signal }) => {
            told = signal;
            return new Promise(() => undefined);
          },
        },
        { timeoutMs: 300 },
      );
      expect(await refusedCall(client.fetch('https://slow.example.com/'))).to.equal(failed);
      expect(told?.aborted).to.equal(true);
    });

    it('gives up when its caller does, before or under way', async () => {
      expect(await refusedCall(egress().fetch(host.at('/'), { signal: AbortSignal.abort() }))).to.equal(failed);
      expect(host.asked).to.deep.equal([]);
      const stopped = new AbortController();
      host.answer = () => stopped.abort();
      expect(await refusedCall(egress().fetch(host.at('/'), { signal: stopped.signal }))).to.equal(failed);
    });
  });

  describe('is a fetch', () => {
    it('sends method, headers and body, and names itself', async () => {
      const heard: { req: IncomingMessage; body: string }[] = [];
      host.answer = (req, res) =>
        void text(req).then((body) => {
          heard.push({ req, body });
          res.writeHead(202, { 'X-A': ['1', '2'] }).end('{"a":1}');
        });
      const answer = await egress().fetch(host.at('/p?q=1'), {
        method: 'POST',
        headers: { 'X-Of-Caller': 'yes', 'User-Agent': 'somebody', Host: 'else.example.com' },
        body: new URLSearchParams({ logout_token: 'x y' }),
      });
      expect([answer.status, answer.headers.get('X-A'), await answer.json()]).to.deep.equal([202, '1, 2', { a: 1 }]);
      const [{ req, body } = expect.fail('nothing came')] = heard;
      expect([req.method, req.url, body]).to.deep.equal(['POST', '/p?q=1', 'logout_token=x+y']);
      expect(req.headers).to.include({
        host: host.hostAndPort,
        'user-agent': 'Gatehouse',
        'x-of-caller': 'yes',
        'content-length': '16',
        connection: 'close',
      });
      expect(req.headers).not.to.have.any.keys('cookie', 'authorization', 'referer', 'origin');
    });

    for (const status of [204, 205, 400, 404, 500, 599]) {
      it(`gives ${status} back as it is`, async () => {
        host.answer = (_req, res) => void res.writeHead(status).end();
        expect((await egress().fetch(host.at('/'))).status).to.equal(status);
      });
    }

    it('refuses a status that is none', async () => {
      host.answer = (_req, res) => void res.socket?.end('HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n');
      expect(await refusedCall(egress().fetch(host.at('/')))).to.equal(failed);
    });
  });
});
