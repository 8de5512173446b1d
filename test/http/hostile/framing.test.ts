import { expect } from 'chai';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ciKey } from '../../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../../support/start-app.js';
import { sendBytes, type RawAnswer } from './raw.js';
import { expectSound } from './sound.js';

const service = `grant_type=client_credentials&client_id=acme-ci&client_secret=${ciKey}`;

describe('requests that are framed to be misread', function () {
  this.timeout(60_000);
  let running: RunningApp;
  let host: string;
  beforeEach(async () => {
    running = await startApp();
    host = new URL(running.issuer).host;
  });
  afterEach(closeApps);

  /** Sends a request whose head is these lines; the answer is sound, there is one, and the next request is answered. */
  async function refused(
    lines: readonly string[],
    body: string | Buffer,
    statuses: readonly number[],
  ): Promise<RawAnswer> {
    const why = JSON.stringify(lines).slice(0, 200);
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    const answer = await sendBytes(running.port, Buffer.concat([head, Buffer.from(body)]));
    expect(answer.status, why).to.be.oneOf([...statuses]);
    expect(answer.count, `${why} ${answer.head} ${answer.text}`).to.equal(1);
    expectSound(answer, why);
    return answer;
  }

  const close = 'Connection: close';
  const form = 'Content-Type: application/x-www-form-urlencoded';

  it('sec-078 lengths that disagree are refused, and what follows is not taken for a second request', async () => {
    const post = ['POST /oauth2/token HTTP/1.1', `Host: ${host}`, form];
    const smuggled = `0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    for (const [lines, body] of [
      [['Content-Length: 5', 'Transfer-Encoding: chunked'], smuggled],
      [['Transfer-Encoding: chunked', 'Content-Length: 5'], smuggled],
      [['Content-Length: 5', 'Content-Length: 6'], service],
      [['Content-Length: 5', 'Content-Length: 5'], service],
      [['Content-Length: 5, 5'], service],
      [['Content-Length: +5'], service],
      [['Content-Length: -1'], service],
      [['Content-Length: 0x10'], service],
      [['Content-Length: 1e2'], service],
      [['Content-Length: 5 5'], service],
      [['Content-Length: '], service],
      [['Content-Length : 5'], service],
      [['Content-Length: 99999999999999999999'], service],
      [['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], smuggled],
      [['Transfer-Encoding: chunked, identity'], smuggled],
      [['Transfer-Encoding: xchunked'], smuggled],
      [['Transfer-Encoding : chunked'], smuggled],
      [['Transfer-Encoding:\x0bchunked'], smuggled],
      [['Transfer-Encoding: chunked', close], 'zz\r\nx\r\n0\r\n\r\n'],
      [['Transfer-Encoding: chunked', close], '-5\r\nhello\r\n0\r\n\r\n'],
      [['Transfer-Encoding: chunked', close], 'fffffffffffffffff\r\nx\r\n0\r\n\r\n'],
      [['Transfer-Encoding: chunked', close], '3\r\nhello\r\n0\r\n\r\n'],
      [['Transfer-Encoding: chunked', close], `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
      [['Transfer-Encoding: chunked', close], '5\nhello\n0\n\n'],
    ] as [string[], string][]) {
      await refused([...post, ...lines], body, [400, 413]);
    }
  });

  it('sec-078 lines that two parsers would end or join in two ways are refused', async () => {
    for (const head of [
      `GET / HTTP/1.1\nHost: ${host}\n\n`,
      `GET / HTTP/1.1\r\nHost: ${host}\n${close}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nX: a\rSet-Cookie: b=c\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nX: a\0b\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\n Folded: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nX: a\r\n\tb\r\n\r\n`,
      `GET / HTTP/1.1\r\n Host: ${host}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost : ${host}\r\n\r\n`,
      `GET / HTTP/1.1\r\nH\xf6st: ${host}\r\n\r\n`,
      `GET / HTTP/1.1\r\nNo colon here\r\nHost: ${host}\r\n\r\n`,
      `GET / HTTP/1.1\r\n: empty\r\nHost: ${host}\r\n\r\n`,
      `GET /a b HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      `GET /\x01 HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      `GET / HTTP/1.1 x\r\nHost: ${host}\r\n\r\n`,
      `GET / HTTP/9.9\r\nHost: ${host}\r\n\r\n`,
      `GET / HTTQ/1.1\r\nHost: ${host}\r\n\r\n`,
      `GET /\r\n\r\n`,
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
      `\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03`,
      `SSH-2.0-OpenSSH_9.0\r\n`,
      `\0\0\0\0\r\n\r\n`,
      `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n\r\n`,
      `GET http://evil.example/ HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n\r\n`,
      `GET //evil.example/ HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n\r\n`,
      `GET evil.example HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n\r\n`,
      `GET ?x HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n\r\n`,
      `OPTIONS * HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n\r\n`,
      `GET / HTTP/1.1\r\n${close}\r\n\r\n`,
    ]) {
      const answer = await sendBytes(running.port, Buffer.from(head, 'latin1'));
      expect([answer.status, answer.count], JSON.stringify(head)).to.deep.equal([400, 1]);
      expectSound(answer, JSON.stringify(head));
      expect(answer.head + answer.text, JSON.stringify(head)).not.to.contain('evil.example');
    }
  });

  it('sec-078 a tunnel, an upgrade and an unknown expectation come to nothing', async () => {
    for (const [lines, statuses] of [
      [[`CONNECT ${host} HTTP/1.1`, `Host: ${host}`], [405]],
      [['CONNECT evil.example:443 HTTP/1.1', 'Host: evil.example:443'], [405]],
      [
        ['TRACE / HTTP/1.1', `Host: ${host}`, 'X-Secret: to-be-echoed', close],
        [404, 405],
      ],
      [['GET / HTTP/1.1', `Host: ${host}`, 'Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings, close'], [200]],
      [['GET / HTTP/1.1', `Host: ${host}`, 'Upgrade: websocket', 'Connection: Upgrade, close'], [200]],
      [['GET / HTTP/1.1', `Host: ${host}`, 'Expect: something', close], [200]],
    ] as [string[], number[]][]) {
      const { head, text } = await refused(lines, '', statuses);
      expect(head + text, lines[0]).not.to.match(/to-be-echoed|evil\.example|101 Switching/);
    }
  });

  it('sec-078 a tunnel that is asked for and cut at once takes nothing along', async () => {
    for (let round = 0; round < 30; round++) {
      const socket = connect(running.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`CONNECT x HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    await refused([`GET / HTTP/1.1`, `Host: ${host}`, close], '', [200]);
  });

  it('sec-078 methods that nothing has are refused, by the parser or by us', async () => {
    for (const method of ['BREW', 'get', 'GET\t', 'GE\0T', 'GETGETGETGETGETGETGETGETGETGETGET', 'PROPFIND', 'PURGE']) {
      for (const path of ['/', '/oauth2/token', '/oauth2/authorize', '/nothing', '/health/live']) {
        await refused([`${method} ${path} HTTP/1.1`, `Host: ${host}`, close], '', [400, 404, 405]);
      }
    }
  });

  it('sec-051 a body that is packed, or written in another alphabet, is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, 'a=b&'));
    for (const [lines, body] of [
      [['Content-Encoding: gzip'], gzipSync(service)],
      [['Content-Encoding: gzip'], bomb],
      [['Content-Encoding: deflate'], bomb],
      [['Content-Encoding: br'], Buffer.from(service)],
      [['Content-Encoding: identity, gzip'], gzipSync(service)],
      [['Content-Encoding: x'], Buffer.from(service)],
    ] as [string[], Buffer][]) {
      for (const path of ['/oauth2/token', '/oauth2/introspect', '/oauth2/authorize']) {
        const all = [`POST ${path} HTTP/1.1`, `Host: ${host}`, form, ...lines, `Content-Length: ${body.length}`, close];
        await refused(all, body, [415]);
      }
    }
    for (const charset of ['utf-16', 'utf-16le', 'utf-7', 'iso-8859-1', 'ibm500', 'x']) {
      const type = `${form}; charset=${charset}`;
      const length = `Content-Length: ${service.length}`;
      await refused(['POST /oauth2/token HTTP/1.1', `Host: ${host}`, type, length, close], service, [400, 415]);
    }
  });

  it('sec-078 many requests on one connection are answered each, in their order', async () => {
    const one = (path: string, last = false): string =>
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${last ? `${close}\r\n` : ''}\r\n`;
    const paths = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? '/health/live' : `/nothing/${index}`));
    const answer = await sendBytes(running.port, `${paths.map((path) => one(path)).join('')}${one('/', true)}`);
    expect(answer.count).to.equal(201);
    const statuses = [...`${answer.head}\r\n\r\n${answer.text}`.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(
      (match) => match[1],
    );
    expect(statuses).to.deep.equal([...paths.map((_, index) => (index % 2 === 0 ? '200' : '404')), '200']);
  });

  it('sec-078 junk behind a good request ends the connection and is answered once, after it', async () => {
    const good = `GET /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const answer = await sendBytes(running.port, [good, 'JUNK\r\n\r\n'], 100);
    expect([answer.status, answer.count]).to.deep.equal([200, 2]);
    expect(answer.text).to.contain('HTTP/1.1 400 Bad Request');
  });
});
