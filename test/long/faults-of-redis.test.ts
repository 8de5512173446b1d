import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { basic, openSignIn, submitByHand } from '../http/requests.js';
import { browser } from '../support/browser.js';
import { assertedBy, clientAssertion, newClientKey, seedWithKeys, type ClientKey } from '../support/client-keys.js';
import { startCluster, type Cluster } from '../support/cluster.js';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { dpopProof } from '../support/dpop-proof.js';
import { eventually } from '../support/eventually.js';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';
import { startLoad, type Kind, type Load } from '../support/load.js';
import { expectEverybodyIsSignedIn, reportLoad } from '../support/load-checks.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { race, sendToPair, type PairRequest, type ServerPair } from '../support/server-pair.js';
import { requireTool } from '../support/tools.js';

const rates: Record<Kind, number> = { login: 5, refresh: 5, silent: 5, service: 5 };
const faultForMs = 12_000;
const recoverWithinMs = 2000;
const mostErrors = 0.001;
/** Login posts of one address in a minute, and wrong passwords of one address at one account (config/policy.ts). */
const loginPosts = 30;
const wrongPasswords = 5;

const service = { grant_type: 'client_credentials', resource: projectsApi };
const token = '/oauth2/token';

describe('F8 a Redis that fails under load, behind two processes', function () {
  this.timeout(300_000);
  let redis: RedisServer;
  let link: FaultProxy;
  let cluster: Cluster;
  let pair: ServerPair;
  let key: ClientKey;
  let load: Load | undefined;
  let addresses = 0;

  before(async function () {
    if (requireTool('redis-server') === undefined) return this.skip();
    redis = await startRedis();
    link = await startFaultProxy({ port: redis.port });
    key = await newClientKey('ES256');
    const environment = { REDIS_URL: `redis://127.0.0.1:${link.port}`, RATE_LIMIT_FACTOR: '1' };
    cluster = await startCluster({ environment, seed: seedWithKeys([key]) });
    const [first, second] = cluster.nodes.map(({ port }) => port) as [number, number];
    pair = { issuer: cluster.issuer, databaseUri: cluster.databaseUri, ports: [first, second] };
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
  });
  after(async () => {
    await cluster?.close();
    await link?.close();
    await redis?.kill();
  });

  const newAddress = (): string => `198.51.${++addresses >> 8}.${addresses & 255}`;

  /** Ends at the first check behind the door (400), or at the door (429). */
  const loginPost = (address: string): PairRequest => ({
    path: '/sign-in/nobody/login',
    form: { login: 'x' },
    headers: { 'X-Forwarded-For': address },
  });

  /** Of a hundred login posts of this address, by turns at both processes. */
  async function letIn(address: string): Promise<number> {
    const answers = await race(pair, 100, () => loginPost(address));
    return answers.filter(({ status }) => status !== 429).length;
  }

  async function expectShared(): Promise<void> {
    for (const which of [0, 1]) {
      const address = newAddress();
      await sendToPair(pair, which, loginPost(address));
      expect(await redis.command('EXISTS', `gatehouse:limit:login:${address}`)).to.equal(1);
    }
  }

  /** How many of these wrong passwords were looked at. */
  async function guess(count: number, account: number): Promise<number> {
    const address = newAddress();
    const statuses: number[] = [];
    while (statuses.length < count) {
      const page = await openSignIn(cluster.issuer, {}, browser(cluster.issuer));
      const login = `person-${account}@example.com`;
      const wrong = { login, password: `not the password ${statuses.length}` };
      statuses.push((await submitByHand(page, 'login', wrong, { 'X-Forwarded-For': address })).status);
    }
    return statuses.filter((status) => status !== 429).length;
  }

  interface Presented {
    request: PairRequest;
    refusal: [number, string];
  }

  /** A signed assertion and a proof that have just been taken. */
  async function taken(): Promise<Presented[]> {
    const assertion = await clientAssertion({ clientId: 'signed-ci', audience: pair.issuer, key });
    const headers = { Authorization: basic('acme-ci', ciKey), DPoP: await dpopProof(`${pair.issuer}${token}`) };
    const presented: Presented[] = [
      { request: { path: token, form: { ...service, ...assertedBy(assertion) } }, refusal: [401, 'invalid_client'] },
      { request: { path: token, form: service, headers }, refusal: [400, 'invalid_dpop_proof'] },
    ];
    for (const { request } of presented) {
      const answer = await sendToPair(pair, 0, request);
      expect(answer.status, answer.text).to.equal(200);
    }
    return presented;
  }

  async function expectRefused(presented: readonly Presented[]): Promise<void> {
    for (const { request, refusal } of presented) {
      const answers = await race(pair, 4, () => request);
      for (const { status, json } of answers) expect([status, json['error']]).to.deep.equal(refusal);
    }
  }

  const faults: Record<string, { inject(): Promise<unknown>; heal(): Promise<unknown> }> = {
    'refuses connections': { inject: () => link.refuse(), heal: () => link.heal() },
    'swallows everything': { inject: async () => link.swallow(), heal: () => link.heal() },
    'is flushed': {
      async inject() {
        await redis.command('FLUSHALL');
        await redis.command('SCRIPT', 'FLUSH');
      },
      heal: async () => undefined,
    },
    'is full': {
      async inject() {
        await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
        await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      },
      heal: () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
    },
  };

  for (const [index, [name, { inject, heal }]] of Object.entries(faults).entries()) {
    it(`that ${name}: everybody goes on, guessers get at most twice as much, nothing is replayed, nobody is signed out`, async () => {
      await eventually(expectShared, recoverWithinMs);
      load = startLoad(cluster.issuer, rates);
      await delay(3000);
      const before = newAddress();
      const beforeFault = await letIn(before);
      expect(beforeFault).to.equal(loginPosts);
      const replayed = await taken();

      await inject();
      const injectedAt = performance.now();
      const meanwhile = newAddress();
      const more = await letIn(before);
      const fresh = await letIn(meanwhile);
      const guesses = await guess(2 * wrongPasswords, index);
      await expectRefused(replayed);
      replayed.push(...(await taken()));
      await expectRefused(replayed);
      await delay(Math.max(0, faultForMs - (performance.now() - injectedAt)));

      await heal();
      const healedAt = performance.now();
      await eventually(expectShared, recoverWithinMs);
      const recoveredMs = performance.now() - healedAt;
      await expectRefused(replayed);
      const inAll = [beforeFault + more + (await letIn(before)), fresh + (await letIn(meanwhile))];
      const result = await load.stop();
      reportLoad(name, result.outcomes);
      console.log(
        `      counted together again after ${recoveredMs.toFixed(0)} ms; of ${loginPosts} login posts an address got ` +
          `${inAll.join(' and ')}, and ${guesses} wrong passwords were looked at`,
      );

      const failures = result.outcomes.filter(({ firstFailure }) => firstFailure);
      expect(failures.length).to.be.at.most(result.outcomes.length * mostErrors);
      expect(recoveredMs).to.be.at.most(recoverWithinMs);
      for (const count of inAll) expect(count).to.be.within(loginPosts, 2 * loginPosts);
      expect(guesses, 'these are counted in the database').to.equal(wrongPasswords);
      await expectEverybodyIsSignedIn(cluster.issuer, result);
    });
  }
});
