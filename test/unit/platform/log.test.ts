import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { newId } from '../../../src/kernel/ids.js';
import { randomSecret } from '../../../src/kernel/secret.js';
import { createLogger, type Logger } from '../../../src/platform/log/logger.js';
import { redactText } from '../../../src/platform/log/redact.js';

const jwt = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhY21lLWNpIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg';
const jwe = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXYtb2YtMTItYg.Y2lwaGVydGV4dA.dGFnLW9mLTE2LWJ5dGVz';
const key = 'sk_at-least-32-characters-of-secret';
const opaque = '79_lMjY2zH19KyAxkWXQ98hxlPp5tRjRjhOcrGkQZsg';

const secrets: readonly [what: string, text: string, secret: string][] = [
  ['a JWT', `token ${jwt} was refused`, jwt],
  ['a JWT in a query', `/cb?id_token=${jwt}&state=x`, jwt],
  ['an unsigned JWT', `token ${jwt.split('.').slice(0, 2).join('.')}. was refused`, 'eyJzdWIiOiJhY21lLWNpIn0'],
  ['a sealed text', `could not open ${jwe}`, 'Y2lwaGVydGV4dA'],
  ['an API key', `key ${key} was refused`, key],
  ['an API key in JSON', JSON.stringify({ detail: key }), key],
  ['an opaque token', `token ${opaque} was refused`, opaque],
  ['an opaque token in a path', `/sign-in/${opaque}/login`, opaque],
  ['an opaque token in a query', `/cb?code=${opaque}&state=x`, opaque],
  ['an e-mail address', 'no user ada@example.com here', 'ada@example.com'],
  ['an e-mail address with a tag', 'no user ada+news@sub.example.co.uk here', 'ada+news'],
  ['an e-mail address in a path', '/no/ada%40example.com', 'ada%40example'],
  ['an e-mail address in its own script', 'no user rené@bücher.example here', 'rené'],
  ['Basic credentials', 'Authorization: Basic YWNtZS1jaTpzZWNyZXQ=', 'YWNtZS1jaTpzZWNyZXQ'],
  ['Basic credentials in lower case', 'authorization: basic YWNtZS1jaTpzZWNyZXQ=', 'YWNtZS1jaTpzZWNyZXQ'],
  ['a bearer token', 'Authorization: Bearer short-opaque', 'short-opaque'],
  ['a DPoP token', 'Authorization: DPoP short-opaque', 'short-opaque'],
  ['a password of MongoDB', 'connecting to mongodb://gatehouse:hunter2@localhost:27017/x', 'hunter2'],
  ['a password of MongoDB on a host with a domain', 'mongodb+srv://gatehouse:hunter2@db.example.com/x', 'hunter2'],
  ['a password of Redis', 'rediss://:hunter2@cache:6379/0', 'hunter2'],
  ['a password of the mail server', 'smtps://mail:hunter2@mail:465', 'hunter2'],
];

function logging(): { log: Logger; lines: () => Record<string, unknown>[]; text: () => string } {
  const written: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString());
      done();
    },
  });
  return {
    log: createLogger('trace', destination),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    text: () => written.join(''),
  };
}

describe('what a log line never says', () => {
  for (const [what, text, secret] of secrets) {
    it(`sec-077 ${what}`, () => {
      expect(text, 'the case itself').to.contain(secret);
      expect(redactText(text)).not.to.contain(secret);
      const { log, lines, text: written } = logging();
      log.info({ detail: text, nested: { deep: { er: [text] } }, err: new Error(text) }, text);
      expect(written()).not.to.contain(secret);
      expect(lines()).to.have.length(1);
    });
  }

  it('sec-077 any opaque token of ours', () => {
    const survivors = Array.from({ length: 2000 }, randomSecret).filter(
      (token) => redactText(`a ${token} b`) !== 'a [token] b',
    );
    expect(survivors).to.deep.equal([]);
  });

  it('sec-077 members that are secret by name, whatever they look like', () => {
    for (const name of ['password', 'client_secret', 'authorization', 'cookie', 'set-cookie', 'code_verifier']) {
      const { log, text } = logging();
      log.info(
        { [name]: 'plain words', body: { [name]: 'plain words', deeper: { [name]: 'plain words' } } },
        'request',
      );
      expect(text(), name).to.contain('[redacted]').and.not.to.contain('plain words');
    }
  });
});

describe('what a log line still says', () => {
  it('ids, paths, times and ordinary words stay readable', () => {
    const texts = [
      ...(['ten', 'usr', 'mem', 'rol', 'sva', 'key', 'evt', 'mai'] as const).map((prefix) => newId(prefix)),
      randomBytes(12).toString('hex'),
      '/oauth2/token',
      '/api/v1/tenants/ten_0123456789abcdef0123456789abcdef/members',
      '2026-01-01T00:00:00.000Z',
      '127.0.0.1:27017',
      'mongodb://localhost:27017/gatehouse',
      'grant_type=client_credentials',
      'user.sign_in_failed',
      'at Object.<anonymous> (src/app.ts:12:34)',
    ];
    for (const text of texts) expect(redactText(text), text).to.equal(text);
    const { log, lines } = logging();
    for (const text of texts) log.info({ requestId: text, path: text }, text);
    lines().forEach((line, index) =>
      expect(line).to.include({ requestId: texts[index], path: texts[index], msg: texts[index] }),
    );
  });

  it('every line is one line of JSON, whatever is logged', () => {
    const { log, lines } = logging();
    const texts = [
      'a\nb',
      'a"b',
      '\\',
      '\u2028',
      '\0',
      `"${opaque}"`,
      `\\${opaque}\n`,
      `"ada@example.com"\\`,
      '\ud800',
    ];
    for (const text of texts) log.info({ detail: text }, text);
    expect(lines()).to.have.length(texts.length);
  });

  it('sec-077 a part of a database password that looks like the beginning of an address', () => {
    for (const uri of [
      'mongodb://gatehouse:hunter2,more@db.example.com/x',
      'mongodb+srv://gatehouse:hunter2;more@db.example.com/x',
      'mongodb://gatehouse:hunter2:more@db.example.com/x',
      'mongodb://gatehouse:hunter2<more@db.example.com/x',
    ]) {
      expect(redactText(uri), uri).not.to.contain('hunter2');
    }
  });

  it('a line is still JSON when a token follows a line break', () => {
    let line = '';
    const destination = new Writable({
      write: (chunk: Buffer, _encoding, done) => ((line += chunk.toString()), done()),
    });
    createLogger('info', destination).info('refused:\n79_lMjY2zH19KyAxkWXQ98hxlPp5tRjRjhOcrGkQZsg');
    expect(() => JSON.parse(line) as unknown, line).not.to.throw();
    expect(line).not.to.contain('79_lMjY2');
  });
});
