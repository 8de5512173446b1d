import { expect } from 'chai';
import { policy } from '../../../config/policy.js';
import { ciKey, projectsApi } from '../../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../../support/start-app.js';
import { post } from '../requests.js';
import { sendBytes } from './raw.js';
import { expectSound } from './sound.js';

/** The real figures in small: the headers within the first time, all of the request within the second. */
const limits = { ...policy.limits, headersTimeoutMs: 600, requestTimeoutMs: 1200 };

describe('who speaks slowly', function () {
  this.timeout(60_000);
  let running: RunningApp;
  let host: string;
  beforeEach(async () => {
    running = await startApp({ policy: { ...policy, limits } });
    host = new URL(running.issuer).host;
  });
  afterEach(closeApps);

  const oneByOne = (text: string): string[] => text.split('');

  it('F22 sec-051 is cut off with 408, in the headers or in the body, and holds up nobody', async () => {
    const post408 = `POST /oauth2/token HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
    const trickles: readonly (readonly [what: string, pieces: string[]])[] = [
      ['a request line', oneByOne(`GET /${'x'.repeat(2000)}`)],
      ['headers', [`GET / HTTP/1.1\r\nHost: ${host}\r\n`, ...oneByOne(`X: ${'x'.repeat(2000)}`)]],
      ['headers without end', [`GET / HTTP/1.1\r\n`, ...Array.from({ length: 500 }, () => 'X: x\r\n')]],
      ['a body', [`${post408}Content-Length: 2000\r\n\r\n`, ...oneByOne('x'.repeat(2000))]],
      ['a body that never comes', [`${post408}Content-Length: 2000\r\n\r\n`]],
      [
        'a body of chunks',
        [`${post408}Transfer-Encoding: chunked\r\n\r\n`, ...Array.from({ length: 500 }, () => '1\r\nx\r\n')],
      ],
      [
        'a body of a page',
        [post408.replace('/oauth2/token', '/oauth2/authorize'), 'Content-Length: 2000\r\n\r\n', 'x'],
      ],
    ];
    const slow = trickles.map(async ([what, pieces]) => {
      const startedAt = performance.now();
      const answer = await sendBytes(running.port, pieces, 20);
      return { what, answer, tookMs: performance.now() - startedAt };
    });
    const service = { grant_type: 'client_credentials', resource: projectsApi };
    expect((await post(running.issuer, 'token', service, ['acme-ci', ciKey])).status, 'meanwhile').to.equal(200);
    for (const { what, answer, tookMs } of await Promise.all(slow)) {
      expect([answer.status, answer.count], what).to.deep.equal([408, 1]);
      expect(answer.headers.get('connection'), what).to.equal('close');
      expectSound(answer, what);
      expect(tookMs, what).to.be.greaterThan(500).and.lessThan(10_000);
    }
  });

  it('F22 sec-051 or says nothing at all is let go', async () => {
    for (const silence of ['\r\n', 'G']) {
      const answer = await sendBytes(running.port, silence);
      expect([answer.status, answer.count], JSON.stringify(silence)).to.deep.equal([408, 1]);
    }
    expect((await sendBytes(running.port, '')).count, 'who said nothing is told nothing').to.equal(0);
  });

  it('F22 sec-051 and goes away in the middle leaves nothing behind', async () => {
    for (let round = 0; round < 20; round++) {
      const body = 'x'.repeat(100);
      const abandoned = fetch(`${running.issuer}/oauth2/token`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(body)) }),
        duplex: 'half',
        signal: AbortSignal.timeout(20),
      } as RequestInit).then(
        (response) => response.status,
        () => 'gone',
      );
      expect(await abandoned).to.equal('gone');
    }
    expect(running.logLines.filter((line) => line.includes('"level":50'))).to.deep.equal([]);
    expect((await fetch(`${running.issuer}/health/live`)).status).to.equal(200);
  });
});
