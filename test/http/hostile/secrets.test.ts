import { expect } from 'chai';
import { ada, ciKey, webSecret } from '../../support/contract-seed.js';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants, thirdPartySecret } from '../../support/two-tenants.js';
import { endpoints, openStage, type Endpoint, type EndpointRequest, type Stage } from '../endpoints.js';
import { basic, send, type Answer } from '../requests.js';
import { ask, manyTries } from './ask.js';
import { cachingOf, expectSound } from './sound.js';

/** Of no shape that a log could know a secret by. */
const canary = 'Canary5: of nobody';
const disguises = [
  canary,
  encodeURIComponent(canary),
  canary.replaceAll(' ', '+'),
  basic('web', canary).slice(6),
  btoa(canary),
];

/** What is said again to who sent it, as it should be. */
const told = [
  ...['login', 'user_code', 'scope'],
  ...['name', 'slug', 'given_name', 'family_name', 'locale', 'zoneinfo'], // of a form that is shown again
];

describe('secrets that were sent', function () {
  this.timeout(60_000);
  let stage: Stage;
  let rights: [Endpoint, EndpointRequest][];
  let broken: boolean;
  beforeEach(async () => {
    broken = false;
    const now = (): Date => {
      if (broken) throw new Error('planted fault');
      return new Date();
    };
    stage = await openStage(await startApp({ seed: seedWithTwoTenants, policy: manyTries, now }));
    rights = [];
    for (const endpoint of endpoints) rights.push([endpoint, await endpoint.request(stage)]);
    stage.running.logLines.length = 0;
  });
  afterEach(closeApps);

  /** Everything in turn: each parameter, the query, and the headers that hold credentials. */
  async function* askedWithCanaries(): AsyncGenerator<{ why: string; endpoint: Endpoint; answer: Answer }> {
    for (const [endpoint, { path, parameters, headers }] of rights) {
      const why = `${endpoint.method} ${endpoint.path}`;
      const query = `password=${encodeURIComponent(canary)}&access_token=${encodeURIComponent(canary)}`;
      for (const name of [...Object.keys(parameters), 'unheard-of']) {
        if (told.includes(name)) continue;
        const members = { ...parameters, [name]: canary };
        const target = endpoint.method === 'GET' ? path : `${path}?${query}`;
        yield { why, endpoint, answer: await ask(stage, endpoint, { path: target, parameters: members, headers }) };
      }
      for (const Authorization of [basic('web', canary), `Bearer ${btoa(canary)}`, `DPoP ${btoa(canary)}`, canary]) {
        const more = { ...headers, Authorization, 'X-Api-Key': canary, DPoP: btoa(canary) };
        yield { why, endpoint, answer: await ask(stage, endpoint, { path, parameters, headers: more }) };
      }
      const Cookie = `${headers['Cookie'] ?? ''}; other=${encodeURIComponent(canary)}`;
      yield {
        why,
        endpoint,
        answer: await ask(stage, endpoint, { path, parameters, headers: { ...headers, Cookie } }),
      };
    }
  }

  function expectNoCanary(text: string, why: string): void {
    for (const disguise of disguises) expect(text.includes(disguise), `${why}: ${disguise} in ${text}`).to.be.false;
  }

  /** `state` is the app's own and goes back to it. */
  const wordsOf = ({ text, headers, location }: Answer): string =>
    `${text}\n${JSON.stringify([...headers].filter(([name]) => name !== 'location'))}\n${location ?? ''}`.replaceAll(
      `state=${encodeURIComponent(canary).replaceAll('%20', '+')}`,
      '',
    );

  it('sec-077 come back in no answer and stand in no line of the log', async () => {
    let count = 0;
    for await (const { why, endpoint, answer } of askedWithCanaries()) {
      expectSound(answer, why, cachingOf(endpoint, answer.status));
      // a posted request goes on with its parameters in the address, which is what it asked for
      if (answer.status === 303 && endpoint.method === 'POST' && /^\/oauth2\/(authorize|logout)$/.test(endpoint.path))
        continue;
      expectNoCanary(wordsOf(answer), why);
      count++;
    }
    expect(count).to.be.greaterThan(100);
    expect(stage.running.logLines.length).to.be.greaterThan(count);
    expectNoCanary(stage.running.logLines.join(''), 'log');
  });

  it('sec-077 nor when the server fails while it works with them', async () => {
    broken = true;
    for await (const { why, endpoint, answer } of askedWithCanaries()) {
      expectSound(answer, why, { ...cachingOf(endpoint, answer.status), faulty: true });
      if (answer.status >= 400) expectNoCanary(wordsOf(answer), why);
    }
    const lines = stage.running.logLines.filter((line) => line.includes('"level":50'));
    expect(lines.length).to.be.greaterThan(10);
    expectNoCanary(stage.running.logLines.join(''), 'log');
  });

  it('sec-077 sec-062 nor without a database, where every endpoint says 503 or refuses before it needs one', async () => {
    await send(`${stage.issuer}/oauth2/jwks`);
    await stage.running.database.connection.getClient().close();
    const unavailable = new Set<string>();
    for (const [endpoint, right] of rights) {
      for (const Accept of ['text/html', 'application/json']) {
        const why = `${endpoint.method} ${endpoint.path}`;
        const answer = await ask(stage, endpoint, { ...right, headers: { ...right.headers, Accept } });
        expectSound(answer, why, { ...cachingOf(endpoint, answer.status), faulty: true });
        expect(answer.status, `${why} ${answer.text}`).to.be.oneOf([200, 204, 303, 401, 503]);
        if (answer.status === 503) {
          unavailable.add(why);
          expect(answer.headers.get('retry-after'), why).to.match(/^\d+$/);
        }
      }
    }
    expect(unavailable.size, [...unavailable].join()).to.be.greaterThan(15);
    const log = stage.running.logLines.join('');
    const { refresh_token, access_token, id_token } = stage.tokens;
    for (const secret of [ada.password, webSecret, thirdPartySecret, ciKey, refresh_token, access_token, id_token]) {
      expect(log.includes(secret), secret).to.be.false;
    }
  });

  it('sec-077 a path that holds what looks like a credential is logged without it', async () => {
    const token = stage.tokens.refresh_token;
    for (const path of [
      `/sign-in/${token}`,
      `/oauth2/authorize/${token}`,
      `/nothing/${token}`,
      `/x/${stage.tokens.id_token}`,
    ]) {
      await send(`${stage.issuer}${path}?code=${token}`);
    }
    const log = stage.running.logLines.join('');
    expect(log).to.contain('"path":"/sign-in/[token]"');
    for (const secret of [token, stage.tokens.id_token]) expect(log.includes(secret), log).to.be.false;
  });
});
