// A domain whose people sign in at their organisation: how far its word goes, and that nobody gets around it or is shut out.
import { expect } from 'chai';
import { operator, outcomeOf } from '../support/administered.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { closeHttpsHosts } from '../support/https-host.js';
import { browserIdOf, changeLink, userIdOf } from '../support/mail-links.js';
import { signIn, type RelyingParty } from '../support/relying-party.js';
import { enrolApp, movedClock, type MovedClock } from '../support/second-factor.js';
import { closeApps, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import type { UpstreamProvider } from '../support/upstream/oidc-provider.js';
import { bringBack } from '../http/upstream/stage.js';
import { discover, grace, homeRealmGround, owner, type HomeRealmGround } from './home-realm-ground.js';

describe('a domain that is enforced', function () {
  this.timeout(20_000);
  let running: RunningApp;
  let provider: UpstreamProvider;
  let party: RelyingParty;
  let clock: MovedClock;
  let acme: string;
  let connectionId: string;
  let rule: HomeRealmGround['rule'];
  let enforce: HomeRealmGround['enforce'];
  let comeBy: HomeRealmGround['comeBy'];
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  beforeEach(async () => {
    clock = movedClock();
    const ground = await homeRealmGround(clock.now);
    ({ running, provider, party, acme, connectionId, rule, enforce, comeBy } = ground);
  });
  afterEach(async () => {
    await closeApps();
    await closeHttpsHosts();
  });
  const visitor = (): Browser => browser(running.issuer);

  const trustSecondFactor = (): Promise<unknown> =>
    running.app.administration.changeConnection(
      operator,
      { tenantId: acme, connectionId },
      { changes: { secondLevel: { acr: [], amr: ['mfa'] } } },
    );
  const memberships = [{ tenant: 'acme', roles: ['member'] }];
  const member = { ...grace, emailVerified: true, name: 'Grace', memberships };
  /** Grace in a tenant that asks for a second factor too. */
  async function seedWithVault(): Promise<void> {
    const memberships = ['acme', 'vault'].map((tenant) => ({ tenant, roles: ['member'] }));
    const vault = { slug: 'vault', name: 'The Vault', type: 'enterprise', plan: 'enterprise' } as const;
    await running.app.seeding.applySeed({
      tenants: [{ ...vault, policies: { mfa: 'required' } }],
      users: [{ ...grace, emailVerified: true, name: 'Grace', memberships }],
    });
  }
  const accountOpenTo = async (own: Browser): Promise<boolean> =>
    (await own.request(`${running.issuer}/account`)).status === 200;

  it('enforced, the connection opens the whole account, and the tenant alone where it stands in for a second factor', async () => {
    await rule({ joinRoles: ['member'] });
    await enforce();
    Object.assign(provider.person, { amr: ['mfa'], acr: 'urn:strong' });
    const weak = await comeBy(grace.email, { tenant: 'acme' });
    expect((await weak.finish(weak.page.url)).claims()).to.include({ acr: 'aal1' });
    expect(await accountOpenTo(weak.own)).to.equal(true);
    await trustSecondFactor();
    await running.app.administration.changeSettings(operator, { tenantId: acme }, { policies: { mfa: 'required' } });
    for (const asked of [{ tenant: 'acme' }, {}]) {
      const strong = await comeBy(grace.email, asked);
      expect((await strong.finish(strong.page.url)).claims()).to.include({ acr: 'aal2', tenant_slug: 'acme' });
      expect(await accountOpenTo(strong.own)).to.equal(false);
    }
  });

  it('the word of a tenant about a second factor lifts none of the account or of another tenant', async () => {
    await seedWithVault();
    const { freshCode } = await enrolApp(running.issuer, clock, grace);
    await trustSecondFactor();
    Object.assign(provider.person, { amr: ['mfa'] });
    // the owner of the account lets the provider open it
    const first = await comeBy(grace.email, { tenant: 'acme' });
    const half = await first.own.submit(first.page, { login: grace.email, password: grace.password });
    await first.finish((await first.own.submit(half, { code: freshCode() })).url);
    const inTenant = await comeBy(grace.email, { tenant: 'acme' });
    expect((await inTenant.finish(inTenant.page.url)).claims()).to.include({ acr: 'aal2', tenant_slug: 'acme' });
    const elsewhere = await comeBy(grace.email, { tenant: 'vault' });
    expect(elsewhere.page.html, 'another tenant').to.contain('id="code"');
    const own = visitor();
    const away = await discover(own, await own.get(`${running.issuer}/account`), grace.email);
    expect((await bringBack(own, provider.agree(away.url))).html, 'the account').to.contain('id="code"');
  });

  /** By the connection up to the page that asks for proof of the account with that address. */
  async function toLink(
    own: Browser,
  ): Promise<{ page: Page; finish: Awaited<ReturnType<RelyingParty['begin']>>['finish'] }> {
    const { url, finish } = await party.begin();
    const away = await discover(own, await own.get(url), grace.email);
    const page = await bringBack(own, provider.agree(away.url));
    expect(page.html).to.contain('id="linking"');
    return { page, finish };
  }

  it('sec-007 enforced, a password opens an account for the sake of what it links, and of nothing else', async () => {
    await running.app.seeding.applySeed({ users: [member] });
    await enforce();
    const own = visitor();
    const first = await toLink(own);
    const second = await toLink(own);
    const byPassword = { login: grace.email, password: grace.password };
    const linked = await own.submit(first.page, byPassword);
    expect((await first.finish(linked.url)).claims()).to.include({ email: grace.email });
    expect(await accountOpenTo(own)).to.equal(true);
    await running.database.collection('oidc_sessions').deleteMany({});
    const ownerId = await userIdOf(running, owner.email);
    await running.database.collection('identities').updateOne({}, { $set: { userId: ownerId } });
    const refused = await own.submit(second.page, byPassword);
    expect([refused.status, refused.html.includes('sign in with their organisation')]).to.deep.equal([403, true]);
    expect(await accountOpenTo(own)).to.equal(false);
  });

  it('sec-007 enforced, to prove an account once more that is linked by now is to come by the connection', async () => {
    await running.app.seeding.applySeed({ users: [member] });
    await enforce();
    const own = visitor();
    const { page, finish } = await toLink(own);
    const byPassword = { login: grace.email, password: grace.password };
    await own.submit((await toLink(own)).page, byPassword);
    expect((await finish((await own.submit(page, byPassword)).url)).claims()).to.include({ email: grace.email });
  });

  it('sec-007 a sign-in that has linked an account ends with its connection, and lasts no longer than that says', async () => {
    await running.app.seeding.applySeed({ users: [member] });
    const reference = { tenantId: acme, connectionId };
    const change = (changes: object) => running.app.administration.changeConnection(operator, reference, { changes });
    const endings: (() => unknown)[] = [() => clock.pass(601), () => change({ status: 'disabled' })];
    for (const end of endings) {
      await running.database.collection('identities').deleteMany({});
      await change({ sessionSeconds: 600 });
      const own = visitor();
      const { page, finish } = await toLink(own);
      await finish((await own.submit(page, { login: grace.email, password: grace.password })).url);
      expect(await accountOpenTo(own)).to.equal(true);
      await end();
      expect(await accountOpenTo(own)).to.equal(false);
    }
  });

  it('sec-007 enforced, what was proven for the sake of a link is not gone on with without it', async () => {
    await seedWithVault();
    const { freshCode } = await enrolApp(running.issuer, clock, grace);
    await enforce();
    const own = visitor();
    const { page } = await toLink(own);
    const asked = await own.submit(page, { login: grace.email, password: grace.password });
    expect(asked.html).to.contain('name="code"');
    await own.submit(page, { connection: 'none' });
    const refused = await own.submit(asked, { code: freshCode() });
    expect(refused.status).to.equal(400);
    expect(await accountOpenTo(own)).to.equal(false);
  });

  it('how far a connection is believed to which a domain leads is changed by who may write domains too', async () => {
    const { administration } = running.app;
    const by = { ...operator, allows: (permission: string) => permission === 'connections:write' };
    const reference = { tenantId: acme, connectionId };
    const change = (changes: object): Promise<unknown> =>
      outcomeOf(administration.changeConnection(by, reference, { changes }));
    expect(await change({ claims: { email: 'upn' } })).to.equal('403 connection.of_domain');
    expect(await change({ clientId: 'another' })).to.equal('403 connection.of_domain');
    expect(await change({ name: 'Another name' })).to.equal('done');
    await rule({ connectionId: null });
    expect(await change({ claims: { email: 'upn' } })).to.equal('done');
  });

  it('enforced, nobody leaves the domain by a change of address, also by a link of before', async () => {
    await running.app.seeding.applySeed({ users: [{ ...grace, emailVerified: true, name: 'Grace' }] });
    const own = visitor();
    const to = 'grace@example.org';
    const link = await changeLink(running, own, { from: grace.email, to });
    await enforce();
    expect((await own.get(link)).html).to.contain('name="confirm"');
    expect((await own.submit(await own.get(link), { confirm: 'yes' })).status).to.equal(410);
    const userId = await userIdOf(running, grace.email);
    const again = { userId, browserId: browserIdOf(own), email: to, provenAt: new Date() };
    expect(await running.app.accounts.startEmailChange(again)).to.equal('of_domain');
    const excepted = { ...again, userId: await userIdOf(running, owner.email), email: 'olga@example.org' };
    expect(await running.app.accounts.startEmailChange(excepted)).to.equal('sent');
  });

  it('enforced, there is always an owner who comes in without the connection, which stays while the domain leads to it', async () => {
    const { administration } = running.app;
    const hal = { email: 'hal@corp.example', password: 'a password of hal alone' };
    const memberships = [{ tenant: 'acme', roles: ['owner'] }];
    await running.app.seeding.applySeed({ users: [{ ...hal, emailVerified: true, name: 'Hal', memberships }] });
    await enforce();
    const opens = async (person: { email: string; password: string }): Promise<boolean> =>
      new URL((await signIn(running.issuer, (await party.begin()).url, person)).page.url).searchParams.has('code');
    expect([await opens(owner), await opens(hal)]).to.deep.equal([true, false]);
    await administration.removeMember(operator, { tenantId: acme, userId: await userIdOf(running, owner.email) });
    expect([await opens(owner), await opens(hal)], 'the one who is excepted has left').to.deep.equal([false, true]);
    const deletion = (): Promise<unknown> =>
      administration.deleteConnection(operator, { tenantId: acme, connectionId });
    expect(await outcomeOf(deletion())).to.equal('409 connection.in_use');
    await rule({ enforced: false, connectionId: null });
    expect(await outcomeOf(deletion())).to.equal('done');
  });
});
