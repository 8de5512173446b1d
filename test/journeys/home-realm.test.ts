// People whose address is of a domain that a tenant has shown to be its own: where they are led, and what else is open to them.
import { expect } from 'chai';
import { operator, outcomeOf, seatsOf } from '../support/administered.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { closeHttpsHosts } from '../support/https-host.js';
import { signIn, type RelyingParty } from '../support/relying-party.js';
import { closeApps, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import type { UpstreamProvider } from '../support/upstream/oidc-provider.js';
import { bringBack } from '../http/upstream/stage.js';
import { discover, grace, homeRealmGround, owner, type HomeRealmGround } from './home-realm-ground.js';

async function failuresOf({ database }: RunningApp): Promise<unknown[]> {
  const events = database.collection<{ data: { failure: string } }>('events');
  const failed = await events.find({ type: 'connection.sign_in_failed' }).toArray();
  return failed.map(({ data }) => data.failure);
}

describe('home-realm discovery', function () {
  this.timeout(20_000);
  let running: RunningApp;
  let provider: UpstreamProvider;
  let party: RelyingParty;
  let acme: string;
  let domainId: string;
  let connectionId: string;
  let rule: HomeRealmGround['rule'];
  let enforce: HomeRealmGround['enforce'];
  let comeBy: HomeRealmGround['comeBy'];
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  beforeEach(async () => {
    ({ running, provider, party, acme, domainId, connectionId, rule, enforce, comeBy } = await homeRealmGround());
  });
  afterEach(async () => {
    await closeApps();
    await closeHttpsHosts();
  });
  const visitor = (): Browser => browser(running.issuer);

  it('an address of the domain leads to its connection, whoever it is of, and others do not', async () => {
    const own = visitor();
    const page = await own.get((await party.begin()).url);
    for (const login of [owner.email, 'nobody@corp.example', 'NoBody@CORP.example']) {
      const away = await discover(own, page, login);
      expect(away.url, login).to.contain(`${provider.issuer}/authorize?`);
      expect(new URL(away.url).searchParams.get('login_hint')).to.equal(login);
    }
    for (const login of [
      ada.email,
      'a@evil.example@corp.example',
      'a@corp.example.evil.example',
      'a@corp.example.',
      'a@xcorp.example',
      'a@mail.corp.example',
      'no address',
    ]) {
      const refused = await discover(own, page, login);
      expect(refused.status, login).to.equal(422);
      expect(refused.html, login).to.contain('id="password"');
    }
  });

  it('a hint of the app shows where people of the domain sign in, and the password stays open where it is not enforced', async () => {
    const { url, finish } = await party.begin({ login_hint: owner.email });
    const page = await visitor().get(url);
    expect(page.html).to.contain('id="home-realm"').and.contain('Sign in with Corp SSO');
    const { page: back } = await signIn(running.issuer, url, owner);
    expect((await finish(back.url)).claims()).to.include({ email: owner.email });
    const plain = await visitor().get((await party.begin({ login_hint: ada.email })).url);
    expect(plain.html).not.to.contain('id="home-realm"');
  });

  it('enforced, it is told by the domain alone: a right password is answered like a wrong one, and one of nobody', async () => {
    await running.app.seeding.applySeed({ users: [{ ...grace, emailVerified: true, name: 'Grace' }] });
    await enforce();
    const pages = new Set<string>();
    const tries = [
      grace,
      { ...grace, password: 'a wrong one of some length' },
      { ...grace, email: 'nobody@corp.example' },
    ];
    for (const person of [...tries, { ...owner, password: 'a wrong one of some length' }]) {
      const { page } = await signIn(running.issuer, (await party.begin()).url, person);
      expect(page.status).to.equal(422);
      pages.add(page.html.replace(/ [\w-]+="[^"]*"/g, ''));
    }
    expect([...pages]).to.have.length(1);
    const { url, finish } = await party.begin();
    const { page } = await signIn(running.issuer, url, owner);
    expect((await finish(page.url)).claims(), 'the owner who is excepted').to.include({ email: owner.email });
  });

  it('enforced, nobody of the domain but the excepted owner recovers a password or signs up with one', async () => {
    await running.app.seeding.applySeed({ users: [{ ...grace, emailVerified: true, name: 'Grace' }] });
    await enforce();
    for (const path of ['/recover', '/sign-up']) {
      for (const login of [grace.email, 'nobody@corp.example', owner.email]) {
        const own = visitor();
        const page = await own.submit(await own.get(running.issuer + path), { login });
        expect([page.status, page.html.includes('sign in with their organisation')], `${path} ${login}`).to.deep.equal([
          422,
          true,
        ]);
      }
    }
    await running.deliverMail();
    expect(running.mailbox.map(({ to }) => to)).to.deep.equal([owner.email]);
  });

  it('enforced, a link that was sent before opens nothing any more', async () => {
    await running.app.seeding.applySeed({ users: [{ ...grace, emailVerified: true, name: 'Grace' }] });
    const own = visitor();
    await own.submit(await own.get(`${running.issuer}/recover`), { login: grace.email });
    await own.submit(await own.get(`${running.issuer}/sign-up`), { login: 'new@corp.example' });
    await running.deliverMail();
    await enforce();
    for (const { text } of running.mailbox) {
      const [link = ''] = /http\S+\/(?:recover|sign-up)\/[\w-]{43}/.exec(text) ?? [];
      expect((await own.get(link)).status, link).to.equal(410);
    }
    expect(running.mailbox).to.have.length(2);
  });

  it('somebody new becomes a member with the roles of the domain and of their claims, in one sign-in', async () => {
    await rule({ joinRoles: ['member'] });
    const values = [
      { value: 'editors', role: 'editor' },
      { value: 'boss', role: 'admin' },
    ];
    const roleMapping = { claim: 'groups', values, syncs: false };
    const reference = { tenantId: acme, connectionId };
    await running.app.administration.changeConnection(operator, reference, { changes: { roleMapping } });
    Object.assign(provider.person, { groups: ['editors', 'staff'] });
    const seats = (await seatsOf(running, acme))?.['members'] ?? 0;
    const { page, finish } = await comeBy(grace.email, { tenant: 'acme', scope: 'openid email tenant' });
    const claims = (await finish(page.url)).claims();
    expect(claims).to.include({ email: grace.email, tenant_slug: 'acme', acr: 'aal1' });
    expect(claims?.['roles']).to.have.members(['editor']);
    expect((await seatsOf(running, acme))?.['members']).to.equal(seats + 1);
    const again = await comeBy(grace.email, { tenant: 'acme', scope: 'openid email tenant' });
    expect((await again.finish(again.page.url)).claims()?.sub).to.equal(claims?.sub);
    expect((await seatsOf(running, acme))?.['members'], 'once').to.equal(seats + 1);
  });

  it('sec-009 nobody joins by an address that is not exactly of the domain, or not verified there', async () => {
    await rule({ joinRoles: ['member'] });
    const users = await running.database.collection('users').countDocuments();
    const addresses = [
      'a@evil.example@corp.example',
      'a@corp.example.evil.example',
      'a@corp.example.',
      'a@xcorp.example',
      'a@mail.corp.example',
    ];
    const people = [
      ...addresses.map((email) => ({ email })),
      { email: grace.email, email_verified: 'true' },
      { email: grace.email, email_verified: false },
    ];
    for (const [index, person] of people.entries()) {
      Object.assign(provider.person, { sub: `other-${index}`, email_verified: true }, person);
      const { page } = await comeBy(grace.email, { tenant: 'acme' });
      expect(page.status, JSON.stringify(person)).to.equal(403);
    }
    expect(await running.database.collection('users').countDocuments()).to.equal(users);
  });

  it('nobody joins without a seat, without the rule, or once the domain is another tenant’s', async () => {
    const { page: stranger } = await comeBy(grace.email, { tenant: 'acme' });
    expect(stranger.status, 'without the rule').to.equal(403);
    await rule({ joinRoles: ['member'] });
    const people = (): Promise<number> => running.database.collection('users').countDocuments();
    const before = await people();
    const { members = 0 } = (await seatsOf(running, acme)) ?? {};
    await running.app.administration.changeSettings(operator, { tenantId: acme }, { limits: { members } });
    const { page: full } = await comeBy(grace.email, { tenant: 'acme' });
    expect([full.status, full.html.includes('no room'), await people()]).to.deep.equal([409, true, before]);
    expect(await failuresOf(running)).to.have.members(['unknown', 'full']);
    await running.app.administration.changeSettings(operator, { tenantId: acme }, { limits: { members: null } });
    await running.app.administration.deleteDomain(operator, { tenantId: acme, domainId });
    const own = visitor();
    const page = await own.get((await party.begin({ tenant: 'acme' })).url);
    const away = await own.submit(page, { connection: connectionId });
    Object.assign(provider.person, { sub: 'somebody-else', email: 'eve@corp.example' });
    expect((await bringBack(own, provider.agree(away.url))).status, 'without the domain').to.equal(403);
  });

  it('no account is made for whom the tenant of the domain takes in no more', async () => {
    const before = await running.database.collection('users').countDocuments();
    await rule({ joinRoles: ['member'] });
    await running.database.collection('domains').updateOne({}, { $set: { joinRoles: ['a role that is gone'] } });
    expect((await comeBy(grace.email, { tenant: 'acme' })).page.status).to.equal(403);
    expect(await running.database.collection('users').countDocuments()).to.equal(before);
  });

  it('nor by a connection of which that is not true any more, when its answer is in', async () => {
    const connection = await running.app.administration.getConnection({ tenantId: acme, connectionId });
    const person = { issuer: provider.issuer, subject: 'new', email: 'new@example.org', isEmailVerified: true };
    const nothing = { profile: {}, hasSecondLevel: false, methods: [], claims: {} };
    const come = async (): Promise<string> => {
      const arrival = { isOfPlatform: true, isOfDomain: false, isTakenIn: false };
      const asItWas = { ...connection, isAuthoritative: true, makesAccounts: true };
      const through = { clientId: 'web', offersSignUp: true };
      const sent = { ...arrival, connection: asItWas, person: { ...person, ...nothing }, through };
      return (await running.app.accounts.arriveByProvider(sent)).outcome;
    };
    expect(await come()).to.equal('unknown');
    const connections = running.database.collection('connections');
    await connections.updateOne({}, { $set: { isAuthoritative: true, makesAccounts: true, status: 'disabled' } });
    expect(await come()).to.equal('unknown');
    await connections.updateOne({}, { $set: { status: 'enabled' } });
    expect(await come()).to.equal('known');
  });

  it('enforced, another provider opens nothing to people of the domain, and the operators can see why', async () => {
    const { issuer, clientId, clientSecret } = provider;
    const other = { key: 'other', name: 'Other', issuer, clientId, clientSecret, authoritative: true };
    await running.app.seeding.firstStart({
      ...{ email: 'operator@example.com', password: 'the operator has this one', mfa: 'optional' },
    });
    await running.app.seeding.applySeed({ connections: [{ ...other, makesAccounts: true }] });
    const otherId = (await running.database.collection<{ _id: string }>('connections').findOne({ key: 'other' }))?._id;
    Object.assign(provider.person, { email: grace.email, email_verified: true });
    const come = async (): Promise<Page> => {
      const own = visitor();
      const away = await own.submit(await own.get((await party.begin()).url), { connection: otherId ?? '' });
      return bringBack(own, provider.agree(away.url));
    };
    expect(new URL((await come()).url).searchParams.has('code'), 'before').to.equal(true);
    await enforce();
    const refused = await come();
    expect([refused.status, refused.html.includes('Back to signing in')]).to.deep.equal([403, true]);
    expect(await failuresOf(running)).to.deep.equal(['elsewhere']);
  });

  it('a domain is enforced only when verified, with a connection, and with an owner who is excepted', async () => {
    const { id } = await running.app.administration.getUserByEmail(owner.email);
    const adaId = (await running.app.administration.getUserByEmail(ada.email)).id;
    expect(await outcomeOf(rule({ enforced: true }))).to.equal('409 domain.not_enforceable');
    expect(await outcomeOf(rule({ enforced: true, exceptUserId: 'usr_nobody' }))).to.equal('400 domain.unfit_rule');
    await running.app.administration.changeMemberRoles(
      operator,
      { tenantId: acme, userId: adaId },
      { roles: ['member'] },
    );
    expect(await outcomeOf(rule({ exceptUserId: adaId })), 'no owner').to.equal('400 domain.unfit_rule');
    expect(await outcomeOf(rule({ connectionId: 'con_nothing' }))).to.equal('400 domain.unfit_rule');
    expect(await outcomeOf(rule({ joinRoles: ['owner'] }))).to.equal('400 domain.unfit_rule');
    expect(await outcomeOf(rule({ joinRoles: ['unknown'] }))).to.equal('400 role.unknown');
    expect(await outcomeOf(rule({ enforced: true, connectionId: null, exceptUserId: id }))).to.equal(
      '409 domain.not_enforceable',
    );
    expect(await outcomeOf(rule({ enforced: true, exceptUserId: id }))).to.equal('done');
    const [pending] = [await running.app.administration.createDomain(operator, acme, { name: 'new.example' })];
    const wanted = { connectionId, exceptUserId: id, enforced: true };
    const change = running.app.administration.changeDomain(operator, { tenantId: acme, domainId: pending.id }, wanted);
    expect(await outcomeOf(change), 'not verified').to.equal('409 domain.not_enforceable');
  });

  it('enforcement is over with the tenant, and stays while the connection is down', async () => {
    await running.app.seeding.applySeed({ users: [{ ...grace, emailVerified: true, name: 'Grace' }] });
    await enforce();
    const outcome = async (): Promise<number> =>
      (await signIn(running.issuer, (await party.begin()).url, grace)).page.status;
    await running.app.administration.changeConnection(
      operator,
      { tenantId: acme, connectionId },
      { changes: { status: 'disabled' } },
    );
    expect(await outcome()).to.equal(422);
    await running.app.administration.changeStatus(operator, acme, 'archived');
    expect(await outcome()).to.equal(303);
  });
});
