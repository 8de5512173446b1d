// What a connection takes over of how somebody signed in at the provider, and how long that lasts here, and what is told of one that fails.
import { expect } from 'chai';
import * as client from 'openid-client';
import { totpCode } from '../../src/credentials/totp.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { operator } from '../support/administered.js';
import { makeAuthority } from '../support/authority.js';
import { browser, type Browser } from '../support/browser.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { closeHttpsHosts } from '../support/https-host.js';
import { relyingParty, type RelyingParty, type Tokens } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { linkOn, movedClock, secretOn, seedWithVault, type MovedClock } from '../support/second-factor.js';
import { requireTool } from '../support/tools.js';
import { startUpstreamProvider, type UpstreamProvider } from '../support/upstream/oidc-provider.js';
import { bringBack } from '../http/upstream/stage.js';

type SeedConnection = NonNullable<SeedInput['connections']>[number];

describe('what a connection trusts', function () {
  this.timeout(60_000);
  let running: RunningApp;
  let provider: UpstreamProvider;
  let party: RelyingParty;
  let clock: MovedClock;
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  beforeEach(async () => {
    const authority = makeAuthority();
    provider = await startUpstreamProvider(authority);
    clock = movedClock();
    running = await startApp({
      seed: contractSeed,
      now: clock.now,
      egress: { allow: [provider.host.hostAndPort], extraAuthorities: [authority.certificate] },
    });
    const admin = { email: 'operator@example.com', password: 'the operator has this one' };
    await running.app.seeding.firstStart({ ...admin, mfa: 'optional' });
    party = await relyingParty(running.issuer);
    await connect();
  });
  afterEach(async () => {
    await closeApps();
    await closeHttpsHosts();
  });

  async function connect(changes: Partial<SeedConnection> = {}): Promise<void> {
    const { issuer, clientId, clientSecret } = provider;
    const trusted = { authoritative: true, makesAccounts: true };
    const connection = { key: 'corp', name: 'Corp', issuer, clientId, clientSecret, ...trusted, ...changes };
    await running.app.seeding.applySeed({ connections: [connection] });
  }

  /** To the provider. */
  async function goAway(request?: { url: string }, visitor = browser(running.issuer)) {
    const { url } = request ?? (await party.begin());
    const login = await visitor.get(url);
    const [, connection = ''] = /value="(con_[0-9a-f]{32})"/.exec(login.html) ?? [];
    return { visitor, page: await visitor.submit(login, { connection }) };
  }

  /** And back, to where it leads then. */
  async function arrive(request: { url: string }, own?: Browser) {
    const { visitor, page } = await goAway(request, own);
    return { visitor, page: await bringBack(visitor, provider.agree(page.url)) };
  }

  async function signIn(
    parameters: Record<string, string> = {},
    visitor?: Browser,
  ): Promise<{ tokens: Tokens; visitor: Browser }> {
    const begun = await party.begin(parameters);
    const arrived = await arrive(begun, visitor);
    return { tokens: await begun.finish(arrived.page.url), visitor: arrived.visitor };
  }

  /** Who comes from the provider is Ada from now on. */
  async function linkAda(): Promise<void> {
    const { id: userId } = await running.app.administration.getUserByEmail(ada.email);
    const stored = running.database.collection<{ _id: string; tenantId: string }>('connections');
    const { _id: connectionId = '', tenantId = '' } = (await stored.findOne({})) ?? {};
    const { issuer, person } = provider;
    const identity = { tenantId, connectionId, issuer, subject: person.sub, email: null, userId };
    expect(await running.app.accounts.linkIdentity(identity)).to.equal('linked');
  }

  it('of how they signed in there, tokens say what it names and that came, and nothing else', async () => {
    const said = async (): Promise<unknown> => {
      const claims = (await signIn()).tokens.claims();
      return [claims?.['acr'], claims?.['amr']];
    };
    provider.person = { ...provider.person, amr: ['pwd', 'hwk', 'mfa', 'otp'], acr: 'urn:two' };
    expect(await said()).to.deep.equal(['aal1', ['fed']]);
    await connect({ secondLevel: { acr: [], amr: ['hwk', 'pwd', 'urn:own'] } });
    expect(await said()).to.deep.equal(['aal2', ['fed', 'hwk', 'mfa']]);
    await connect({ secondLevel: { acr: ['urn:two'], amr: ['sc'] } });
    expect(await said()).to.deep.equal(['aal2', ['fed', 'mfa']]);
    for (const amr of ['hwk', [1, { hwk: 1 }], Array.from({ length: 10_000 }, (_, index) => `m${index}`)]) {
      await connect({ secondLevel: { acr: [], amr: ['hwk'] } });
      provider.person = { ...provider.person, amr };
      expect(await said()).to.deep.equal(['aal1', ['fed']]);
    }
  });

  describe('how long a sign-in by it lasts', () => {
    const refreshed = async ({ refresh_token: token = '' }: Tokens): Promise<Tokens | string> =>
      client
        .refreshTokenGrant(party.configuration, token)
        .catch((error: unknown) => (error as { error: string }).error);
    const silently = async (visitor: Browser, tenant?: string): Promise<string> => {
      const asked = { prompt: 'none', ...(tenant === undefined ? {} : { tenant }) };
      const { searchParams } = new URL((await visitor.get((await party.begin(asked)).url)).url);
      return searchParams.get('error') ?? 'code';
    };
    const portal = async (visitor: Browser): Promise<string> =>
      (await visitor.get(`${running.issuer}/account`)).html.includes('name="password"') ? 'login' : 'open';

    it('ends when it says, for apps, the portal and refresh tokens, however much it was used; other sign-ins do not', async () => {
      const whole = await signIn();
      await connect({ sessionSeconds: 600 });
      const { tokens, visitor } = await signIn();
      expect(await portal(visitor)).to.equal('open');
      clock.pass(300);
      const second = (await refreshed(tokens)) as Tokens;
      expect(second, 'within').to.have.property('refresh_token');
      expect([await silently(visitor), await portal(visitor)]).to.deep.equal(['code', 'open']);
      clock.pass(270);
      expect([await silently(visitor), await portal(visitor)]).to.deep.equal(['code', 'open']);
      clock.pass(31);
      expect([await silently(visitor), await portal(visitor)]).to.deep.equal(['login_required', 'login']);
      clock.pass(60); // what the library allows clocks, beyond which a record is not read any more
      expect(await refreshed(second)).to.equal('invalid_grant');
      expect(await refreshed(whole.tokens)).to.have.property('access_token');
      expect(await silently(whole.visitor)).to.equal('code');
    });

    it('is bounded by the shortest: one that says more than the tenant changes nothing there', async () => {
      await linkAda();
      const { id } = await running.app.administration.getTenant('acme');
      const policies = { session: { idleSeconds: null, absoluteSeconds: 400 } };
      await running.app.administration.changeSettings(operator, { tenantId: id }, { policies });
      await connect({ sessionSeconds: 600 });
      const { visitor } = await signIn({ tenant: 'acme' });
      clock.pass(370);
      expect(await silently(visitor, 'acme')).to.equal('code');
      clock.pass(31);
      expect(await silently(visitor, 'acme')).to.equal('login_required');
    });

    it('a grant of another sign-in before it in the same session is not gone on with', async () => {
      const visitor = browser(running.issuer);
      await signIn({}, visitor);
      await connect({ sessionSeconds: 300 });
      const { tokens } = await signIn({ prompt: 'login' }, visitor);
      clock.pass(270);
      const second = (await refreshed(tokens)) as Tokens;
      expect(second).to.have.property('refresh_token');
      clock.pass(91);
      expect(await refreshed(second)).to.equal('invalid_grant');
      expect(await silently(visitor)).to.equal('login_required');
    });

    it('is no longer for a second factor that is proven afterwards or on the way', async () => {
      await running.app.seeding.applySeed(seedWithVault);
      await linkAda();
      await connect({ sessionSeconds: 300 });
      const afterwards = await arrive(await party.begin({ tenant: 'vault' }));
      const app = secretOn(afterwards.page);
      const shown = await afterwards.visitor.submit(
        afterwards.page,
        { code: totpCode(app, clock.now()) },
        '/second-factor/enrol',
      );
      await afterwards.visitor.get(linkOn(shown));
      expect(await silently(afterwards.visitor, 'vault'), 'set up').to.equal('code');
      clock.pass(30);
      const onTheWay = await arrive(await party.begin({ tenant: 'vault' }));
      await onTheWay.visitor.submit(onTheWay.page, { code: totpCode(app, clock.now()) }, '/second-factor');
      expect(await silently(onTheWay.visitor, 'vault'), 'proven').to.equal('code');
      clock.pass(271);
      expect(await silently(afterwards.visitor, 'vault')).to.equal('login_required');
      clock.pass(30);
      expect(await silently(onTheWay.visitor, 'vault')).to.equal('login_required');
    });

    it('takes what a policy of sessions takes', async () => {
      for (const sessionSeconds of [0, 299, 43_201, 300.5])
        expect(await connect({ sessionSeconds }).then(() => 'done', String), `${sessionSeconds}`).to.contain(
          'sessionSeconds',
        );
      for (const sessionSeconds of [300, 43_200, null]) await connect({ sessionSeconds });
    });
  });

  it('a sign-in that ends with nobody is recorded, with its kind and nothing that the provider or the browser said', async () => {
    const evil = 'evil-text@corp.example';
    const failing: Record<string, () => Promise<unknown>> = {
      async denied() {
        provider.mutation = {
          callback: ({ state = '', iss = '' }) => ({ state, iss, error: 'access_denied', error_description: evil }),
        };
      },
      async invalid() {
        provider.mutation = { claims: (claims) => ({ ...claims, aud: evil, sub: evil }) };
      },
      async unknown() {
        provider.person = { ...provider.person, name: evil, email: evil };
        await connect({ authoritative: false });
      },
      async unavailable() {
        provider.mutation = { endpoints: { token: (_req, res) => void res.writeHead(503).end(evil) } };
      },
      closed: () => running.database.collection('connections').updateOne({}, { $set: { status: 'disabled' } }),
    };
    const stored = await running.database.collection<{ _id: string; tenantId: string }>('connections').findOne({});
    const events = running.database.collection<{ _id: string }>('events');
    const recorded = () =>
      events.find({ type: 'connection.sign_in_failed' }, { projection: { _id: 0, at: 0 } }).toArray();
    for (const [failure, prepare] of Object.entries(failing)) {
      const { visitor, page } = await goAway();
      await prepare();
      const before = (await recorded()).length;
      const refused = await bringBack(visitor, provider.agree(page.url));
      expect(refused.html, failure).to.contain('Back to signing in');
      expect((await recorded()).slice(before), failure).to.deep.equal([
        {
          ...{ type: 'connection.sign_in_failed', tenantId: stored?.tenantId, subjectId: stored?._id },
          ...{ actor: { kind: 'system', reason: 'protocol' }, data: { clientId: 'web', failure } },
        },
      ]);
      provider.mutation = {};
    }
    expect(JSON.stringify(await events.find({}).toArray())).not.to.contain('evil');
  });

  it('what never was one is not recorded: a state of nobody, and a sign-in that went well', async () => {
    await signIn();
    const { visitor, page } = await goAway();
    const answer = provider.agree(page.url);
    await bringBack(visitor, { ...answer, parameters: { ...answer.parameters, state: `x${'y'.repeat(60)}` } });
    await bringBack(browser(running.issuer), answer);
    const failed = { type: 'connection.sign_in_failed' };
    expect(await running.database.collection('events').countDocuments(failed)).to.equal(0);
  });
});
