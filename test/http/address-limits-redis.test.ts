import { expect } from 'chai';
import { assertedBy, clientAssertion, newClientKey, seedWithKeys, type ClientKey } from '../support/client-keys.js';
import { ada, ciKey, projectsApi } from '../support/contract-seed.js';
import { dpopProof } from '../support/dpop-proof.js';
import { fetchAt } from '../support/fetch-at.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { authorizeUrl, basic, openSignIn, post, submitByHand } from './requests.js';

describe('limits that processes share in Redis', function () {
  this.timeout(30_000); // hundreds of requests each
  let redis: RedisServer;
  let first: RunningApp;
  let second: RunningApp;
  let key: ClientKey;
  before(async function () {
    if (requireTool('redis-server') === undefined) return this.skip();
    key = await newClientKey('ES256');
  });
  beforeEach(async () => {
    redis = await startRedis();
    const options = { redisUrl: redis.url, rateLimitFactor: 1, trustedProxies: 1, seed: seedWithKeys([key]) };
    first = await startApp(options);
    second = await startApp({ ...options, sharedWith: first });
    await until('both count in Redis', async () => (await isShared(first)) && (await isShared(second)));
  });
  afterEach(async () => {
    await closeApps();
    await redis.kill();
  });

  /** A login post that ends at the first check behind the door (400), or at the door (429). */
  async function loginPost({ issuer, port }: RunningApp, address: string): Promise<number> {
    const response = await fetchAt(port)(`${issuer}/sign-in/nobody/login`, {
      method: 'POST',
      headers: { 'X-Forwarded-For': address },
      body: new URLSearchParams({ login: 'x' }),
    });
    return response.status;
  }

  /** Posts to both in turn; how many were let in. */
  async function letIn(count: number, address: string): Promise<number> {
    const posts = Array.from({ length: count }, (_, index) => loginPost(index % 2 ? first : second, address));
    return (await Promise.all(posts)).filter((status) => status !== 429).length;
  }

  let probes = 0;
  async function isShared(app: RunningApp): Promise<boolean> {
    const address = `192.0.2.${++probes % 250}`;
    await loginPost(app, address);
    return (await redis.command('EXISTS', `gatehouse:limit:login:${address}`)) === 1;
  }

  async function until(what: string, holds: () => Promise<boolean>, withinMs = 5000): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!(await holds())) expect(Date.now(), what).to.be.lessThan(deadline);
  }

  async function canSignIn(): Promise<void> {
    const page = await openSignIn(first.issuer);
    const right = { login: ada.email, password: ada.password };
    const headers = { 'X-Forwarded-For': '203.0.113.9' };
    expect((await submitByHand(page, 'login', right, headers)).status).to.equal(303);
    const service = { grant_type: 'client_credentials', resource: projectsApi };
    expect((await post(first.issuer, 'token', service, ['acme-ci', ciKey])).status).to.equal(200);
  }

  it('two processes let thirty in between them', async () => {
    expect(await letIn(100, '198.51.100.1')).to.equal(30);
    expect(await letIn(10, '198.51.100.1'), 'and nobody after that').to.equal(0);
  });

  it('guesses at client secrets count together too', async () => {
    const guess = async ({ issuer, port }: RunningApp, index: number): Promise<number> => {
      const headers = { Authorization: `Basic ${btoa(`made-up-${index}:x`)}`, 'X-Forwarded-For': '198.51.100.1' };
      const body = new URLSearchParams({ grant_type: 'client_credentials' });
      return (await fetchAt(port)(`${issuer}/oauth2/token`, { method: 'POST', headers, body })).status;
    };
    const statuses: number[] = [];
    for (let round = 0; round < 16; round++) {
      const asked = Array.from({ length: 20 }, (_, index) => guess(index % 2 ? first : second, round * 20 + index));
      statuses.push(...(await Promise.all(asked)));
    }
    await until('one is shut out', async () => (await guess(first, 999)) === 429);
    await until('the other one too', async () => (await guess(second, 999)) === 429);
    expect(statuses.slice(0, 300)).not.to.include(429);
  });

  it('F8 when Redis is killed people sign in, guessers get at most twice as much, and it is back within two seconds', async () => {
    expect(await letIn(30, '198.51.100.1')).to.equal(30);
    await redis.kill();
    const startedAt = performance.now();
    const more = await letIn(100, '198.51.100.1');
    expect(more, 'half the quota for each of two processes').to.equal(30);
    expect(performance.now() - startedAt, 'and no request waits for it').to.be.lessThan(100 * 100);
    await canSignIn();
    redis = await startRedis(redis.port);
    await until('both count in Redis again', async () => (await isShared(first)) && (await isShared(second)), 2000);
    expect(await letIn(100, '198.51.100.2')).to.equal(30);
  });

  it('F8 sec-061 what was taken before Redis was killed or flushed is not taken again, by neither of them', async () => {
    const { issuer } = first;
    const service = { grant_type: 'client_credentials', resource: projectsApi };
    const assertion = await clientAssertion({ clientId: 'signed-ci', audience: issuer, key });
    const DPoP = await dpopProof(`${issuer}/oauth2/token`);
    const ask = async ({ port }: RunningApp, form: Record<string, string>, headers: Record<string, string> = {}) =>
      (await fetchAt(port)(`${issuer}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) }))
        .status;
    const present = async (app: RunningApp) => [
      await ask(app, { ...service, ...assertedBy(assertion) }),
      await ask(app, service, { DPoP, Authorization: basic('acme-ci', ciKey) }),
    ];
    expect(await present(first)).to.deep.equal([200, 200]);
    await redis.command('FLUSHALL');
    for (const app of [first, second]) expect(await present(app), 'flushed').to.deep.equal([401, 400]);
    await redis.kill();
    for (const app of [first, second]) expect(await present(app), 'killed').to.deep.equal([401, 400]);
  });

  it('F8 a Redis that hangs costs few requests its 200 ms, and is back within two seconds', async () => {
    redis.suspend();
    const startedAt = performance.now();
    const posts = 40;
    let admitted = 0;
    for (let count = 0; count < posts; count++) {
      if ((await loginPost(first, '198.51.100.1')) !== 429) admitted++;
    }
    expect(admitted).to.equal(15);
    expect(performance.now() - startedAt, 'not 200 ms for each').to.be.lessThan((posts * 200) / 2);
    await canSignIn();
    redis.resume();
    await until('both count in Redis again', async () => (await isShared(first)) && (await isShared(second)), 2000);
  });

  it('F8 when Redis is flushed nobody is signed out, and counting goes on', async () => {
    const { browser: visitor, page } = await signIn(first.issuer, authorizeUrl(first.issuer));
    expect(page.url).to.contain('code=');
    await letIn(20, '198.51.100.1');
    await redis.command('FLUSHALL');
    await redis.command('SCRIPT', 'FLUSH');
    expect(await letIn(100, '198.51.100.1'), 'once more the quota at most').to.equal(30);
    const silent = await visitor.get(authorizeUrl(first.issuer, { prompt: 'none' }));
    expect(silent.url).to.contain('code=');
  });

  it('F8 when Redis is full each process counts for itself, and shares again when there is room', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    expect(await letIn(100, '198.51.100.1')).to.equal(30);
    await canSignIn();
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await until('both count in Redis again', async () => (await isShared(first)) && (await isShared(second)), 2000);
  });
});
