import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { policy } from '../../config/policy.js';
import { makeAuthority, type Authority } from '../support/authority.js';
import { assertedBy, clientAssertion, newClientKey, seedWithKeys, type ClientKey } from '../support/client-keys.js';
import { closeHttpsHosts, startHttpsHost, type HttpsHost } from '../support/https-host.js';
import { freePort } from '../support/server-process.js';
import { resolveHostile, ssrfUris, startCanary, type Canary } from '../support/ssrf.js';
import { closeApps, startApp, type RunningApp, type StartOptions } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { takeMonotonicClock, type MonotonicClock } from '../unit/platform/monotonic-clock.js';
import { expectOAuthError, post, type Answer } from './requests.js';

type SeedClient = NonNullable<ReturnType<typeof seedWithKeys>['clients']>[number];

describe('clients that publish their keys (jwks_uri)', () => {
  let authority: Authority;
  let host: HttpsHost;
  let first: ClientKey;
  let second: ClientKey;
  let clock: MonotonicClock | undefined;
  let canary: Canary | undefined;

  before(async function () {
    if (requireTool('openssl') === undefined) return this.skip();
    authority = makeAuthority();
    first = await newClientKey('ES256', 'first');
    second = await newClientKey('ES256', 'second');
  });
  beforeEach(async () => {
    host = await startHttpsHost(authority, publishing([first]));
  });
  afterEach(async () => {
    clock?.restore();
    clock = undefined;
    await canary?.close();
    canary = undefined;
    await closeApps();
    await closeHttpsHosts();
  });

  /** A set of these keys, with this Cache-Control and these changes. */
  function publishing(keys: readonly (ClientKey | object)[], cacheControl?: string): RequestListener {
    const jwks = { keys: keys.map((key) => ('jwk' in key ? key.jwk : key)) };
    return answering(200, JSON.stringify(jwks), cacheControl === undefined ? {} : { 'Cache-Control': cacheControl });
  }

  function answering(status: number, body: string, headers: Record<string, string> = {}): RequestListener {
    return (_req, res) => void res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
  }

  function clientAt(uri: string, changes: object = {}): SeedClient {
    return { ...seedWithKeys([first]).clients!.at(-1)!, jwks: undefined, jwks_uri: uri, ...changes };
  }

  /** The server with the client `signed`, whose keys are on our host. */
  function start(options: StartOptions = {}): Promise<RunningApp> {
    return startApp({
      seed: seedWithKeys([first], { jwks: undefined, jwks_uri: host.at('/keys') }),
      egress: { allow: [host.hostAndPort], extraAuthorities: [authority.certificate] },
      ...options,
    });
  }

  async function present(
    { issuer }: RunningApp,
    key: ClientKey,
    { clientId = 'signed', kid = key.jwk.kid }: { clientId?: string; kid?: string | undefined } = {},
  ): Promise<Answer> {
    const assertion = await clientAssertion({ clientId, audience: issuer, key, header: { kid } });
    return post(issuer, 'introspect', { token: 'x', ...assertedBy(assertion) });
  }

  async function statusOf(...asked: Parameters<typeof present>): Promise<number> {
    return (await present(...asked)).status;
  }

  function advance(seconds: number): void {
    clock ??= takeMonotonicClock();
    clock.advanceSeconds(seconds);
  }

  it('a client authenticates by a key that it publishes, which is fetched once for all who come', async () => {
    const running = await start();
    const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(running, first)));
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
    expect(await statusOf(running, first, { kid: undefined }), 'without kid').to.equal(200);
    expect(await statusOf(running, second, { kid: 'first' }), 'signed by another').to.equal(401);
    expect(host.asked).to.deep.equal(['/keys']);
  });

  it('a change of the client does not make us ask again', async () => {
    const running = await start();
    expect(await statusOf(running, first)).to.equal(200);
    await running.app.seeding.applySeed({ clients: [clientAt(host.at('/keys'), { client_name: 'Renamed' })] });
    expect(await statusOf(running, first)).to.equal(200);
    expect(host.asked).to.have.length(1);
  });

  it('a key that is published anew counts within a minute, and one that is gone no longer than told', async () => {
    const running = await start();
    host.answer = publishing([first], 'max-age=600');
    expect(await statusOf(running, first)).to.equal(200);
    host.answer = publishing([second], 'max-age=600');
    expect(await statusOf(running, second), 'we have just asked').to.equal(401);
    advance(61);
    expect(await statusOf(running, first), 'still good, so not asked for').to.equal(200);
    expect(host.asked).to.have.length(1);
    expect(await statusOf(running, second)).to.equal(200);
    expect(await statusOf(running, first)).to.equal(401);
    expect(host.asked).to.have.length(2);
  });

  it('sec-068 an unknown kid makes us ask once a minute at most, whoever sends it and however often', async () => {
    const running = await start();
    const flood = async (): Promise<void> => {
      const answers = await Promise.all(
        Array.from({ length: 15 }, (_, n) => statusOf(running, second, { kid: `k${n}` })),
      );
      expect(new Set(answers)).to.deep.equal(new Set([401]));
    };
    await flood();
    await flood();
    expect(host.asked).to.have.length(1);
    advance(59);
    await flood();
    expect(host.asked).to.have.length(1);
    advance(2);
    await flood();
    expect(host.asked).to.have.length(2);
    expect(await statusOf(running, first), 'and the client itself is not held up').to.equal(200);
  });

  const kept: readonly [said: string | undefined, seconds: number][] = [
    [undefined, 60],
    ['no-store', 60],
    ['max-age=0', 60],
    ['public, max-age=600, no-cache', 60],
    ['s-maxage=800', 60],
    ['max-age=junk', 60],
    ['max-age=300', 300],
    ['public,max-age=300', 300],
    ['MAX-AGE=899', 899],
    ['max-age=86400', 900],
    ['max-age=999999999999', 900],
  ];
  for (const [said, seconds] of kept) {
    it(`keys that come with ${said ?? 'nothing'} are kept for ${seconds} seconds`, async () => {
      host.answer = publishing([first], said);
      const running = await start();
      advance(0);
      expect(await statusOf(running, first)).to.equal(200);
      host.answer = publishing([], said);
      advance(seconds - 1);
      expect(await statusOf(running, first)).to.equal(200);
      expect(host.asked).to.have.length(1);
      advance(2);
      expect(await statusOf(running, first)).to.equal(401);
      expect(host.asked).to.have.length(2);
    });
  }

  it('while their host is down keys stay good as long as they were, and it is asked once a minute', async () => {
    host.answer = publishing([first], 'max-age=300');
    const running = await start();
    advance(0);
    expect(await statusOf(running, first)).to.equal(200);
    host.answer = answering(503, '');
    advance(61);
    for (const _ of [1, 2, 3]) expect(await statusOf(running, second)).to.equal(401);
    expect(await statusOf(running, first)).to.equal(200);
    expect(host.asked).to.have.length(2);
    advance(240);
    for (const _ of [1, 2, 3]) expect(await statusOf(running, first)).to.equal(401);
    expect(host.asked).to.have.length(3);
    host.answer = publishing([first]);
    expect(await statusOf(running, first), 'not asked yet').to.equal(401);
    advance(61);
    expect(await statusOf(running, first)).to.equal(200);
  });

  it('of a set, keys for other ends are passed over, and what is written beside a key does not matter', async () => {
    const ecdh = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey.export({ format: 'jwk' });
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const others = [ecdh, small, { kty: 'AKP', alg: 'ML-DSA-44', pub: 'x' }, { ...second.jwk, use: 'enc' }];
    host.answer = publishing([...others, { ...first.jwk, x5c: ['MIIB'], x5t: 'x', key_ops: ['verify'], exp: 1 }]);
    const running = await start();
    expect(await statusOf(running, first)).to.equal(200);
    expect(await statusOf(running, second)).to.equal(401);
  });

  it('sec-068 whatever is wrong with an address, the answer is the same, and the address is asked once', async () => {
    const secret = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const causes: Record<string, RequestListener> = {
      missing: answering(404, '{}'),
      failing: answering(500, JSON.stringify({ keys: [first.jwk] })),
      created: answering(201, JSON.stringify({ keys: [first.jwk] })),
      elsewhere: (_req, res) => void res.writeHead(302, { Location: host.at('/keys') }).end(),
      page: answering(200, JSON.stringify({ keys: [first.jwk] }), { 'Content-Type': 'text/html' }),
      untyped: (_req, res) => void res.end(JSON.stringify({ keys: [first.jwk] })),
      text: answering(200, 'hello'),
      empty: answering(200, ''),
      list: answering(200, JSON.stringify([first.jwk])),
      number: answering(200, '1'),
      null: answering(200, 'null'),
      nokeys: answering(200, '{}'),
      strange: answering(200, JSON.stringify({ keys: [first.jwk, 1] })),
      kinds: answering(200, JSON.stringify({ keys: [{ ...first.jwk, kid: { $ne: null } }] })),
      private: publishing([first, secret]),
      shared: publishing([first, { kty: 'oct', k: 'x'.repeat(43) }]),
      many: publishing(Array.from({ length: 11 }, () => first)),
      weak: publishing([{ ...rsa, kid: 'first' }]),
      large: answering(200, JSON.stringify({ keys: [first.jwk], rest: 'x'.repeat(256 * 1024) })),
      zipped: answering(200, 'x', { 'Content-Encoding': 'gzip' }),
      silent: () => undefined,
      reset: (req) => void req.socket.destroy(),
    };
    host.answer = (req, res) => causes[(req.url ?? '').slice(1)]?.(req, res);
    const stranger = await startHttpsHost(makeAuthority(), publishing([first]));
    const closed = `127.0.0.1:${await freePort()}`;
    const uris: readonly [string, string][] = [
      ...Object.keys(causes).map((name): [string, string] => [name, host.at(`/${name}`)]),
      ['untrusted', stranger.at('/keys')],
      ['closed', `https://${closed}/keys`],
      ['unknown', 'https://nobody.example.com/keys'],
    ];
    const running = await start({
      seed: { ...seedWithKeys([first]), clients: uris.map(([name, uri]) => clientAt(uri, { client_id: name })) },
      policy: { ...policy, outbound: { ...policy.outbound, timeoutMs: 500 } },
      egress: {
        allow: [host.hostAndPort, stranger.hostAndPort, closed],
        extraAuthorities: [authority.certificate],
        resolveHost: resolveHostile,
      },
    });
    const texts = new Set<string>();
    for (const [name] of uris) {
      for (const _ of [1, 2]) {
        const answer = await present(running, first, { clientId: name });
        expectOAuthError(answer, 401, 'invalid_client', name);
        texts.add(answer.text);
      }
    }
    expect([...texts]).to.have.length(1);
    expect(host.asked).to.deep.equal(Object.keys(causes).map((name) => `/${name}`));
    const logged = running.logLines.filter((line) => line.includes('the keys of a client could not be had'));
    expect(logged).to.have.length(uris.length - 1); // a set without a usable key is none that failed
    expect(running.logLines.filter((line) => line.includes('protocol request failed'))).to.deep.equal([]);
  });

  it('a seed is told at once what may not be registered, and by which rule', async () => {
    const running = await start();
    const refusals: readonly [changes: object, why: RegExp][] = [
      [{ jwks_uri: 'http://keys.example.com/' }, /clients\.0\.jwks_uri must be https/],
      [{ jwks_uri: 'https://127.0.0.1/keys' }, /clients\.0\.jwks_uri must be a host on the public internet/],
      [{ jwks_uri: `https://localhost:${host.port}/keys` }, /public internet/],
      [{ jwks_uri: `https://user@${host.hostAndPort}/keys` }, /must not name a user/],
    ];
    for (const [changes, why] of refusals) {
      const refused = running.app.seeding.applySeed({ clients: [clientAt(host.at('/keys'), changes)] });
      await refused.then(
        () => expect.fail('was taken'),
        (error: Error) => expect(error.message).to.match(why),
      );
    }
  });

  it('sec-068 no address, however it came to be registered, leads to a canary on this machine', async function () {
    this.timeout(60_000); // a hundred clients
    canary = await startCanary();
    const egress = { allow: [host.hostAndPort], extraAuthorities: [], resolveHost: resolveHostile };
    const running = await start({ egress });
    const clients = running.database.collection<{ _id: string; metadata: object }>('clients');
    const signed = (await clients.findOne({ _id: 'signed' }))!;
    const texts = new Set<string>();
    let taken = 0;
    const uris = ssrfUris(canary.port).filter((uri) => /^https:\/\/[^/]/.test(uri) && URL.canParse(uri));
    for (const [index, uri] of uris.entries()) {
      const clientId = `canary-${index}`;
      await running.app.seeding.applySeed({ clients: [clientAt(uri, { client_id: clientId })] }).then(
        () => taken++,
        async () => {
          const metadata = { ...signed.metadata, jwks_uri: uri };
          await clients.insertOne({ ...signed, _id: clientId, metadata });
        },
      );
      const answer = await present(running, first, { clientId });
      expectOAuthError(answer, 401, 'invalid_client', uri);
      texts.add(answer.text);
    }
    expect(uris).to.have.length.of.at.least(80);
    expect(taken, 'names that only show when they are resolved').to.be.greaterThan(10);
    expect([...texts]).to.have.length(1);
    expect(running.logLines.filter((line) => line.includes('an outbound call failed'))).to.have.length(uris.length);
    expect(await canary.hits()).to.equal(0);
  });

  it('sec-068 a host that we may ask sends us nowhere else', async () => {
    canary = await startCanary();
    const elsewhere = { Location: `https://127.0.0.1:${canary.port}/` };
    host.answer = (_req, res) => void res.writeHead(302, elsewhere).end();
    const running = await start();
    expectOAuthError(await present(running, first), 401, 'invalid_client');
    expect(host.asked).to.deep.equal(['/keys']);
    expect(await canary.hits()).to.equal(0);
  });
});
