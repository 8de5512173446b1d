// Whole accounts that the connection of a domain has opened: they are closed with what that rested on.
import { expect } from 'chai';
import * as client from 'openid-client';
import { policy } from '../../config/policy.js';
import { operator } from '../support/administered.js';
import { browser, type Browser } from '../support/browser.js';
import { contractSeed } from '../support/contract-seed.js';
import { closeHttpsHosts } from '../support/https-host.js';
import { changeLink, userIdOf } from '../support/mail-links.js';
import { signIn } from '../support/relying-party.js';
import { closeApps } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { bringBack } from '../http/upstream/stage.js';
import { discover, grace, homeRealmGround, owner, type HomeRealmGround } from './home-realm-ground.js';

describe('a whole account that the connection of a domain has opened', function () {
  this.timeout(20_000);
  let ground: HomeRealmGround;
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  beforeEach(async () => {
    ground = await homeRealmGround();
    await ground.rule({ joinRoles: ['member'] });
  });
  afterEach(async () => {
    await closeApps();
    await closeHttpsHosts();
  });
  const visitor = (): Browser => browser(ground.running.issuer);
  const isOpenTo = async (own: Browser): Promise<boolean> =>
    (await own.request(`${ground.running.issuer}/account`)).status === 200;
  const close = (status: 'enabled' | 'disabled'): Promise<unknown> => {
    const { acme: tenantId, connectionId } = ground;
    const { administration } = ground.running.app;
    return administration.changeConnection(operator, { tenantId, connectionId }, { changes: { status } });
  };
  const verify = (): Promise<unknown> =>
    ground.running.app.seeding.applySeed({
      tenants: [{ ...contractSeed.tenants![0]!, domains: [{ name: 'corp.example', verified: true }] }],
    });
  async function isLost(): Promise<void> {
    expect(await ground.running.app.administration.recheckDomains()).to.equal(1);
  }

  it('sec-007 ends with that, and so does what was begun in it', async () => {
    const { running, acme: tenantId, domainId, connectionId, rule, comeBy, party } = ground;
    const { administration } = running.app;
    const { database } = running;
    const domains = database.collection('domains');
    const secret = 'a secret of 16 and more';
    const other = { name: 'Other', issuer: 'https://other.example', clientId: 'x', clientSecret: secret };
    const { id: otherId } = await administration.createConnection(operator, tenantId, other);
    const endings: Record<string, () => Promise<unknown>> = {
      'the connection is closed': () => close('disabled'),
      'the domain leads elsewhere': () => rule({ connectionId: otherId }),
      'the domain leads nowhere': () => rule({ connectionId: null }),
      'the record of the domain is gone': async () => {
        const missingSince = new Date(Date.now() - policy.domains.graceSeconds * 1000 - 1000);
        await domains.updateOne({}, { $set: { verifiedBy: 'record', missingSince, recheckAt: new Date(0) } });
        await isLost();
      },
      'it was gone, and the server ended before it had done that': async () => {
        const lost = { verifiedAt: null, verifiedBy: null, recheckAt: new Date(0) };
        await domains.updateOne({}, { $set: lost, $unset: { verifiedName: 1 } });
        await isLost();
        expect(await administration.recheckDomains(), 'once').to.equal(0);
      },
      'the domain is deleted': () => administration.deleteDomain(operator, { tenantId, domainId }),
      'the tenant is deleted': async () => {
        await administration.changeStatus(operator, tenantId, 'archived');
        await database.collection('tenants').updateOne({ status: 'archived' }, { $set: { deleteAfter: new Date(0) } });
        expect(await administration.deleteDueTenants()).to.equal(1);
      },
    };
    for (const [index, [why, end]] of Object.entries(endings).entries()) {
      await verify();
      await close('enabled');
      const present = (await database.collection<{ _id: string }>('domains').findOne({}))?._id ?? '';
      await administration.changeDomain(
        operator,
        { tenantId, domainId: present },
        { connectionId, joinRoles: ['member'] },
      );
      const { page, own, finish } = await comeBy(grace.email, { tenant: 'acme', scope: 'openid offline_access' });
      const { refresh_token: refreshToken } = await finish(page.url);
      const link = await changeLink(running, own, { from: grace.email, to: `grace-${index}@example.org` });
      const bystander = visitor();
      await signIn(running.issuer, (await party.begin()).url, owner, bystander);
      expect([await isOpenTo(own), await isOpenTo(bystander)], why).to.deep.equal([true, true]);
      await end();
      expect([await isOpenTo(own), await isOpenTo(bystander)], why).to.deep.equal([false, true]);
      const refresh = client.refreshTokenGrant(party.configuration, refreshToken ?? '');
      expect(await refresh.catch((error: unknown) => error), why).to.include({ error: 'invalid_grant' });
      expect((await own.get(link)).status, why).to.equal(410);
    }
  });

  it('stays when another domain of the connection goes', async () => {
    const { running, acme: tenantId, connectionId, comeBy } = ground;
    const { administration } = running.app;
    const { id: domainId } = await administration.createDomain(operator, tenantId, { name: 'other.example' });
    await administration.changeDomain(operator, { tenantId, domainId }, { connectionId });
    const { own } = await comeBy(grace.email);
    await administration.changeDomain(operator, { tenantId, domainId }, { connectionId: null });
    await administration.deleteDomain(operator, { tenantId, domainId });
    expect(await isOpenTo(own)).to.equal(true);
  });

  it('sec-007 is not opened by a sign-in that was finished, but is not back yet when the domain leads elsewhere', async () => {
    const { provider, party, rule, comeBy } = ground;
    await comeBy(grace.email);
    const own = visitor();
    const { url } = await party.begin();
    const away = await discover(own, await own.get(url), grace.email);
    const { redirectUri, parameters } = provider.agree(away.url);
    const callback = `${redirectUri}?${new URLSearchParams(parameters).toString()}`;
    const forwarded = await own.request(callback);
    const done = await own.request(forwarded.headers.get('location') ?? '');
    await rule({ connectionId: null });
    const refused = await own.get(done.headers.get('location') ?? '');
    expect(new URL(refused.url).searchParams.get('error')).to.equal('login_required');
    expect(await isOpenTo(own)).to.equal(false);
  });

  it('sec-007 takes with it what its session had before', async () => {
    const { running, provider, party } = ground;
    const memberships = [{ tenant: 'acme', roles: ['member'] }];
    await running.app.seeding.applySeed({ users: [{ ...grace, emailVerified: true, name: 'Grace', memberships }] });
    const own = visitor();
    const before = await party.begin({ tenant: 'acme' });
    await before.finish((await signIn(running.issuer, before.url, grace, own)).page.url);
    const { url, finish } = await party.begin({ tenant: 'acme', prompt: 'login' });
    const away = await discover(own, await own.get(url), grace.email);
    const proving = await bringBack(own, provider.agree(away.url));
    await finish((await own.submit(proving, { login: grace.email, password: grace.password })).url);
    const accountId = await userIdOf(running, grace.email);
    const live = { accountId, endedAt: { $exists: false } };
    const grants = running.database.collection('oidc_grants');
    expect(await grants.countDocuments(live)).to.equal(2);
    await close('disabled');
    expect(await grants.countDocuments(live)).to.equal(0);
  });
});
