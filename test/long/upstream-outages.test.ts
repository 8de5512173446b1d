// F11: a provider that is dead, slow or endless costs whoever chose it a moment, and nobody else anything.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import { manyTries } from '../http/hostile/ask.js';
import { authorizeUrl } from '../http/requests.js';
import { bringBack } from '../http/upstream/stage.js';
import { makeAuthority, type Authority } from '../support/authority.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { contractSeed } from '../support/contract-seed.js';
import { closeHttpsHosts } from '../support/https-host.js';
import { signInWith } from '../support/load.js';
import { quantile } from '../support/paired-times.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { breaking, dripping, hanging, html, huge } from '../support/upstream/answers.js';
import { startUpstreamProvider, type Answer, type UpstreamProvider } from '../support/upstream/oidc-provider.js';

const hangingLogins = 500;
const loginsEach = 30;
const rounds = 10;
const pageWithinMs = 11_000;
/** What a machine that does nothing else differs by from one moment to the next. */
const clockMs = 10;

/** At the app, with a code of ours. */
const isBack = /^http:\/\/localhost:3001\/callback\?code=/;

describe('F11 outages of upstream providers', function () {
  this.timeout(900_000);
  let authority: Authority;
  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    authority = makeAuthority();
  });
  afterEach(async () => {
    await closeApps();
    await closeHttpsHosts();
  });

  /** A server with so many connections, each to the same provider. */
  async function start(
    count: number,
    limits: Partial<typeof policy.connections> = {},
  ): Promise<{ running: RunningApp; provider: UpstreamProvider; connectionIds: string[] }> {
    const provider = await startUpstreamProvider(authority);
    const running = await startApp({
      seed: contractSeed,
      egress: { allow: [provider.host.hostAndPort], extraAuthorities: [authority.certificate] },
      policy: { ...manyTries, connections: { ...policy.connections, ...limits } },
    });
    await running.app.seeding.firstStart({
      email: 'operator@example.com',
      password: 'the operator has this one',
      mfa: 'optional',
    });
    const { issuer, clientId, clientSecret } = provider;
    const connections = Array.from({ length: count }, (_, index) => ({
      ...{ key: `c-${index}`, name: `Corp ${index}`, issuer, clientId, clientSecret },
      ...{ authoritative: true, makesAccounts: true },
    }));
    await running.app.seeding.applySeed({ connections });
    const found = await running.database.collection<{ _id: string }>('connections').find().sort({ key: 1 }).toArray();
    return { running, provider, connectionIds: found.map(({ _id }) => _id) };
  }

  async function goAway({ issuer }: RunningApp, connection: string): Promise<{ visitor: Browser; page: Page }> {
    const visitor = browser(issuer);
    return { visitor, page: await visitor.submit(await visitor.get(authorizeUrl(issuer)), { connection }) };
  }

  async function loginTimes({ issuer }: RunningApp): Promise<number[]> {
    const times: number[] = [];
    for (let count = 0; count < loginsEach; count++) {
      const startedAt = performance.now();
      await signInWith(issuer, browser(issuer));
      times.push(performance.now() - startedAt);
    }
    return times;
  }

  it(`sec-F11 ${hangingLogins} logins that hang at a provider change nothing for those with a password`, async () => {
    const patient = { answerSeconds: 120, atOnce: hangingLogins, failures: 1_000_000 };
    const outbound = { ...policy.connections.outbound, timeoutMs: 120_000 };
    const { running, provider, connectionIds } = await start(1, { ...patient, outbound } as never);
    await loginTimes(running); // whatever is slow at first
    const times = { alone: [] as number[], beside: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      times.alone.push(...(await loginTimes(running)));
      const answers: { visitor: Browser; answer: Answer }[] = [];
      while (answers.length < hangingLogins) {
        const { visitor, page } = await goAway(running, connectionIds[0]!);
        answers.push({ visitor, answer: provider.agree(page.url) });
      }
      let waiting = 0;
      const release: (() => void)[] = [];
      const all = new Promise<void>((resolve) => {
        provider.mutation.endpoints = {
          token(_req, res) {
            release.push(() => void res.writeHead(503).end());
            if (++waiting === hangingLogins) resolve();
          },
        };
      });
      const pages = answers.map(({ visitor, answer }) => bringBack(visitor, answer));
      await all;
      times.beside.push(...(await loginTimes(running)));
      release.forEach((end) => end());
      const statuses = new Set((await Promise.all(pages)).map(({ status }) => status));
      expect([...statuses]).to.deep.equal([503]);
      provider.mutation = {};
    }
    const shown = (values: number[]): string =>
      [0.5, 0.99].map((share) => `${quantile(values, share).toFixed(0)} ms`).join(' and ');
    console.log(
      `      logins, p50 and p99: ${shown(times.alone)} alone, ${shown(times.beside)} beside ${hangingLogins}`,
    );
    for (const share of [0.5, 0.99])
      expect(quantile(times.beside, share)).to.be.at.most(quantile(times.alone, share) * 1.1 + clockMs);
  });

  it(`sec-F11 there is a page with a way back within ${pageWithinMs / 1000} s, whatever is wrong, and at once when it is known`, async () => {
    const outages = { hanging, dripping, breaking, huge: huge(10), error: html(500) };
    const endpoints = ['discovery', 'keys', 'token', 'userinfo'] as const;
    const cases = endpoints.flatMap((endpoint) =>
      Object.entries(outages).map((outage) => [endpoint, ...outage] as const),
    );
    const { running, provider, connectionIds } = await start(cases.length);
    for (const [index, [endpoint, name, answer]] of cases.entries()) {
      const why = `${endpoint} ${name}`;
      provider.mutation = { endpoints: { [endpoint]: answer } };
      if (endpoint === 'userinfo')
        provider.mutation.claims = (claims) => ({ ...claims, email: undefined, name: undefined });
      const startedAt = performance.now();
      const { visitor, page: away } = await goAway(running, connectionIds[index]!);
      const page = endpoint === 'discovery' ? away : await bringBack(visitor, provider.agree(away.url));
      expect(performance.now() - startedAt, why).to.be.lessThan(pageWithinMs);
      expect(page.status, why).to.be.oneOf([502, 503]);
      const [, back = ''] = /href="(\/sign-in\/[\w-]+)"/.exec(page.html) ?? [];
      expect((await visitor.get(running.issuer + back)).html, why).to.contain('id="password"');
    }
    provider.mutation = { endpoints: { discovery: hanging } };
    const [first = ''] = connectionIds;
    await running.database
      .collection<{ _id: string }>('connections')
      .updateOne({ _id: first }, { $set: { updatedAt: new Date() } });
    for (let count = 0; count < policy.connections.failures; count++) await goAway(running, first);
    const startedAt = performance.now();
    expect((await goAway(running, first)).page.status).to.equal(503);
    expect(performance.now() - startedAt, 'left alone').to.be.lessThan(1000);
  });

  it('sec-F11 a key that a provider has rotated is known within a minute', async () => {
    const { running, provider, connectionIds } = await start(1);
    const come = async (): Promise<string> => {
      const { visitor, page } = await goAway(running, connectionIds[0]!);
      return (await bringBack(visitor, provider.agree(page.url))).url;
    };
    expect(await come()).to.match(isBack);
    await provider.rotateKey();
    const startedAt = performance.now();
    while (!isBack.test(await come())) {
      expect(performance.now() - startedAt).to.be.lessThan(60_000);
      await delay(1000);
    }
    console.log(`      after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  });
});
