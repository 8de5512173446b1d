import { expect } from 'chai';
import { browser, type Browser } from '../support/browser.js';
import { ada, contractSeed, webSecret } from '../support/contract-seed.js';
import { connect, startDevice, type WaitingDevice } from '../support/device.js';
import { dropCaches } from '../support/drop-caches.js';
import { eventually } from '../support/eventually.js';
import { fetchAt } from '../support/fetch-at.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants, thirdPartySecret } from '../support/two-tenants.js';
import {
  asOpenPage,
  authorizeUrl,
  codeOf,
  expectOAuthError,
  openSignIn,
  post,
  redeem,
  refreshing,
  send,
  submitByHand,
  type TokenSet,
} from './requests.js';

const password = 'a password that is new';
const web = ['web', webSecret] as const;
const plain = ['plain', thirdPartySecret] as const;

interface Held {
  tokens: TokenSet;
  client: readonly [string, string];
}

describe('a person whose password is changed, or who is disabled', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  const changePassword = (): Promise<unknown> =>
    running.app.seeding.applySeed({ users: [{ ...contractSeed.users![0]!, password }] });

  /** Tokens of both formats and of every lifetime, and the browser in which Ada has signed in for all of them. */
  async function everythingOfAda(): Promise<{ held: Held[]; visitor: Browser; code: string; device: WaitingDevice }> {
    const visitor = browser(issuer);
    const codeFor = async (changes: Record<string, string>): Promise<string> => {
      const url = authorizeUrl(issuer, changes);
      const first = visitor.cookies.size === 0;
      let page = first ? (await signIn(issuer, url, ada, visitor)).page : await visitor.get(url);
      if (page.html.includes('id="consent-accept"')) page = await visitor.submit(page, { decision: 'accept' });
      return new URL(page.url).searchParams.get('code') ?? '';
    };
    const held: Held[] = [];
    for (const client of [web, plain]) {
      for (const scope of ['openid', 'openid offline_access']) {
        const answer = await redeem(
          issuer,
          await codeFor({ client_id: client[0], scope, ...(scope.includes('offline') ? { prompt: 'consent' } : {}) }),
          {},
          client,
        );
        expect(answer.status, answer.text).to.equal(200);
        held.push({ tokens: answer.json as unknown as TokenSet, client });
      }
    }
    const device = await startDevice(issuer);
    await connect(issuer, device);
    return { held, visitor, code: await codeFor({}), device };
  }

  async function isAlive({ tokens, client }: Held, port = running.port): Promise<boolean[]> {
    const there = fetchAt(port);
    const info = await there(`${issuer}/oauth2/userinfo`, {
      headers: { Authorization: `Bearer ${tokens.access_token}` },
    });
    const states = [tokens.access_token, tokens.refresh_token].map((token) =>
      post(issuer, 'introspect', { token }, client).then(({ json }) => json['active'] === true),
    );
    return [info.status === 200, ...(await Promise.all(states))];
  }

  async function expectNothingLeft({ held, visitor, code, device }: Awaited<ReturnType<typeof everythingOfAda>>) {
    for (const one of held) {
      expect(await isAlive(one)).to.deep.equal([false, false, false]);
      expectOAuthError(await post(issuer, 'token', refreshing(one.tokens), one.client), 400, 'invalid_grant');
    }
    expectOAuthError(await redeem(issuer, code), 400, 'invalid_grant');
    expect((await device.ask()).status).to.equal(400);
    const silent = await visitor.get(authorizeUrl(issuer, { prompt: 'none' }));
    expect(new URL(silent.url).searchParams.get('error')).to.equal('login_required');
    expect((await visitor.get(authorizeUrl(issuer))).html).to.contain('name="password"');
  }

  it('sec-032 a new password ends every session, every grant and all that came of them, in every process', async () => {
    const other = await startApp({ sharedWith: running });
    const all = await everythingOfAda();
    for (const one of all.held) {
      for (const { port } of [running, other]) expect(await isAlive(one, port)).to.deep.equal([true, true, true]);
    }
    await changePassword();
    await eventually(async () => {
      for (const one of all.held) expect((await isAlive(one, other.port))[0]).to.equal(false);
    }, 5000);
    await expectNothingLeft(all);
    const events = await running.database.collection('events').find({ type: 'grant.revoked' }).toArray();
    expect(events.length).to.be.at.least(5);
    for (const name of ['oidc_sessions', 'oidc_grants']) {
      expect(
        await running.database
          .collection(name)
          .countDocuments({ accountId: { $exists: true }, endedAt: { $exists: false } }),
      ).to.equal(0);
    }
    for (const { actor, data } of events) {
      expect(actor).to.deep.equal({ kind: 'system', reason: 'seed' });
      expect(data).to.include({ reason: 'password_changed' });
    }
    const again = await signIn(issuer, authorizeUrl(issuer), { email: ada.email, password }, all.visitor);
    expect(again.page.url).to.contain('code=');
  });

  it('sec-032 the same password once more ends nothing', async () => {
    const { held } = await everythingOfAda();
    await running.app.seeding.applySeed({ users: contractSeed.users ?? [] });
    for (const one of held) expect(await isAlive(one)).to.deep.equal([true, true, true]);
  });

  it('sec-032 and other people keep what they have', async () => {
    const bob = { email: 'bob@example.com', password: 'another correct horse' };
    const memberships = [{ tenant: 'acme', roles: ['editor'] }];
    await running.app.seeding.applySeed({ users: [{ ...bob, emailVerified: true, memberships }] });
    const { page } = await signIn(issuer, authorizeUrl(issuer), bob);
    await changePassword();
    expect((await redeem(issuer, new URL(page.url).searchParams.get('code') ?? '')).status).to.equal(200);
  });

  it('sec-032 a sign-in that was proven with the former password is not finished with it', async () => {
    const open = await openSignIn(issuer);
    const proven = await submitByHand(open, 'login', { login: ada.email, password: ada.password });
    expect(proven.status).to.equal(303);
    await changePassword();
    const resumed = await open.visitor.get(proven.headers.get('location') ?? '');
    expect(resumed.url).to.contain('error=login_required').and.not.to.contain('code=');
    expect(await running.database.collection('oidc_sessions').countDocuments({ idHash: { $exists: true } })).to.equal(
      0,
    );
    const next = await open.visitor.get(authorizeUrl(issuer));
    expect(next.html).to.contain('name="password"');
  });

  it('sec-032 of sign-ins at the same moment none outlives the change', async () => {
    const pages = await Promise.all(Array.from({ length: 12 }, () => openSignIn(issuer)));
    const proven = await Promise.all(
      pages.map((page) => submitByHand(page, 'login', { login: ada.email, password: ada.password })),
    );
    const resumed = pages.map(({ visitor }, index) => visitor.get(proven[index]?.headers.get('location') ?? ''));
    const [, ...ended] = await Promise.all([changePassword(), ...resumed]);
    expect(ended.every(({ status }) => status < 500)).to.equal(true);
    for (const { visitor } of pages) {
      expect((await visitor.get(authorizeUrl(issuer))).html).to.contain('name="password"');
    }
    for (const { url } of ended) {
      const code = new URL(url).searchParams.get('code');
      if (code !== null) expectOAuthError(await redeem(issuer, code), 400, 'invalid_grant');
    }
  });

  it('sec-032 a browser that was known with the former password is a stranger', async () => {
    const known = await openSignIn(issuer);
    await submitByHand(known, 'login', { login: ada.email, password: ada.password });
    await changePassword();
    const owner = asOpenPage(known.visitor, await known.visitor.get(authorizeUrl(issuer, { prompt: 'login' })));
    const wrong = { login: ada.email, password: ada.password };
    for (let count = 0; count < 5; count++) expect((await submitByHand(owner, 'login', wrong)).status).to.equal(422);
    const stranger = await openSignIn(issuer); // of the same address, so it has the same few tries
    expect((await submitByHand(stranger, 'login', { login: ada.email, password })).status).to.equal(429);
  });

  it('sec-032 sec-056 a disabled person has nothing left', async () => {
    const all = await everythingOfAda();
    await running.database.collection('users').updateOne({}, { $set: { status: 'disabled' } });
    await dropCaches(running);
    await expectNothingLeft(all);
    const login = await send(authorizeUrl(issuer));
    expect(login.status).to.equal(303);
    expect(await codeOf(issuer).catch((error: Error) => error.message)).to.contain('no code');
  });
});
