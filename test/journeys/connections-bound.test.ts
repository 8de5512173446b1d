// A tenant's own provider says who somebody is: what such a sign-in opens, and what it never does.
import { expect } from 'chai';
import { systemAuthority } from '../../src/kernel/actor.js';
import { asOpenPage, authorizeUrl, submitByHand } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { startDevice, typeCode } from '../support/device.js';
import { dropCaches } from '../support/drop-caches.js';
import { chooseConnection, connectionTo, signInBy, twoServers, type TwoServers } from '../support/second-server.js';
import { closeApps } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';

const operator = systemAuthority('command');
const aal2 = JSON.stringify({ id_token: { acr: { essential: true, values: ['aal2'] } } });

describe('a sign-in by the provider of a tenant', function () {
  this.timeout(60_000);
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  afterEach(closeApps);

  /** The consultant is linked to the provider of Acme, and belongs to Globex too. */
  async function linked(): Promise<TwoServers> {
    const servers = await twoServers({
      seed: seedWithTwoTenants,
      connection: { tenant: 'acme', makesAccounts: false },
      upstreamUsers: [
        { ...consultant, emailVerified: true, name: 'Somebody', memberships: [{ tenant: 'acme', roles: ['member'] }] },
      ],
    });
    const { page, visitor } = await bySso(servers, { tenant: 'acme' });
    await visitor.submit(page, { login: consultant.email, password: consultant.password });
    return servers;
  }

  async function bySso(
    servers: TwoServers,
    request: Record<string, string>,
    visitor?: Browser,
  ): Promise<{ page: Page; visitor: Browser }> {
    const url = authorizeUrl(servers.main.issuer, request);
    return signInBy(servers, url, { person: consultant, ...(visitor ? { visitor } : {}) });
  }

  const factorsOf = ({ main }: TwoServers): Promise<number> => main.database.collection('factors').countDocuments();
  /** Which tenants the session of the browser opens. */
  async function opens({ main }: TwoServers, visitor: Browser): Promise<Record<string, boolean>> {
    const hasCode = async (tenant: string): Promise<boolean> =>
      new URL((await visitor.get(authorizeUrl(main.issuer, { tenant, prompt: 'none' }))).url).searchParams.has('code');
    return { acme: await hasCode('acme'), globex: await hasCode('globex') };
  }

  /** From a sign-in to the provider and back, up to the address at which the session begins. */
  async function lastRedirect(servers: TwoServers, visitor: Browser, url: string): Promise<string> {
    const away = await chooseConnection(servers, visitor, await visitor.get(url));
    const forwarded = await visitor.request(await servers.atProvider(away.url, consultant));
    const { headers } = await visitor.request(forwarded.headers.get('location') ?? '');
    return headers.get('location') ?? '';
  }

  it('sec-001 sec-042 sets up no second factor of the person, who is told where they can', async () => {
    const servers = await linked();
    const { page, visitor } = await bySso(servers, { tenant: 'acme', claims: aal2 });
    expect(page.html).to.contain('href="/account/factors"').and.not.contain('id="secret"');
    expect(await factorsOf(servers)).to.equal(0);
    const open = asOpenPage(visitor, page);
    for (const [step, fields] of [
      ['enrol', { factor: 'fac_1', code: '123456' }],
      ['enrol-passkey', { response: '{}', ticket: 'x' }],
    ] as const) {
      const refused = await submitByHand(open, `second-factor/${step}`, fields, { Origin: servers.main.issuer });
      expect(refused.status, step).to.equal(400);
    }
    expect(await factorsOf(servers)).to.equal(0);
  });

  it('somebody who has signed in by themselves sets one up in the same place', async () => {
    const servers = await linked();
    const visitor = browser(servers.main.issuer);
    const login = await visitor.get(authorizeUrl(servers.main.issuer, { tenant: 'acme', claims: aal2 }));
    const page = await visitor.submit(login, { login: consultant.email, password: consultant.password });
    expect(page.html).to.contain('id="secret"');
    expect(await factorsOf(servers)).to.equal(1);
  });

  it('sec-007 is not asked who the person is, who is asked in a sign-in of their own', async () => {
    const servers = await linked();
    const { issuer, app } = servers.main;
    const { id: tenantId } = await app.administration.getTenant('acme');
    await app.administration.changeSettings(operator, { tenantId }, { policies: { requiredProfile: ['familyName'] } });
    const { page } = await bySso(servers, { tenant: 'acme' });
    expect(new URL(page.url).searchParams.has('code')).to.equal(true);
    const own = browser(issuer);
    const login = await own.get(authorizeUrl(issuer, { tenant: 'acme' }));
    const asked = await own.submit(login, { login: consultant.email, password: consultant.password });
    expect(asked.html).to.contain('Complete your profile');
  });

  it('sec-072 gives and takes the roles that its mapping names, and no others, and writes nothing else of the person', async () => {
    const servers = await linked();
    const { database, app } = servers.main;
    const { id: userId } = await app.administration.getUserByEmail(consultant.email);
    const { id: tenantId } = await app.administration.getTenant('acme');
    const before = await app.administration.getUserByEmail(consultant.email);
    const rolesAfter = async (roleMapping: object): Promise<unknown> => {
      // a mapping and a member as they may stand there, whoever wrote them
      const changes = { $set: { roleMapping, syncsProfile: true, updatedAt: new Date() } };
      await database.collection('connections').updateOne({}, changes);
      await bySso(servers, { tenant: 'acme' });
      const membership = await database.collection('memberships').findOne({ tenantId, userId });
      return (membership as unknown as { roles: string[] } | null)?.roles.toSorted();
    };
    const somebody = { value: 'Somebody', role: 'member' };
    const mapping = (...values: object[]): object => ({ claim: 'name', values, syncs: true });
    expect(await rolesAfter(mapping(somebody))).to.deep.equal(['editor', 'member']);
    expect(await rolesAfter(mapping(somebody, { value: 'Nobody', role: 'editor' }))).to.deep.equal(['member']);
    expect(await rolesAfter(mapping({ value: 'Somebody', role: 'editor' }))).to.deep.equal(['editor', 'member']);
    const nobody = [{ value: 'Nobody', role: 'editor' }];
    const unsaid = { claim: 'groups', values: nobody, syncs: true };
    expect(await rolesAfter(unsaid), 'of what the provider does not tell').to.deep.equal(['editor', 'member']);
    expect(await rolesAfter(mapping(...nobody)), 'the last one that it gave').to.deep.equal(['member']);
    expect(await rolesAfter(mapping(...nobody, { value: 'Nobody', role: 'member' }))).to.deep.equal(['member']);
    expect((await app.administration.getUserByEmail(consultant.email)).profile).to.deep.equal(before.profile);
  });

  it('sec-007 ends with its provider: at once when that is disabled, by a seed too, or deleted, and nothing else does', async () => {
    const endings: ((servers: TwoServers, tenantId: string) => Promise<unknown>)[] = [
      ({ main, connectionId }, tenantId) =>
        main.app.administration.changeConnection(
          operator,
          { tenantId, connectionId },
          { changes: { mode: 'link-only' } },
        ),
      ({ main, connectionId }, tenantId) =>
        main.app.administration.deleteConnection(operator, { tenantId, connectionId }),
      ({ main, upstream }) => {
        const connection = connectionTo(upstream.issuer, { tenant: 'acme', makesAccounts: false, status: 'disabled' });
        return main.app.seeding.applySeed({ connections: [connection] });
      },
    ];
    for (const end of endings) {
      const servers = await linked();
      const { main } = servers;
      const own = browser(main.issuer);
      const login = await own.get(authorizeUrl(main.issuer, { tenant: 'acme' }));
      await own.submit(login, { login: consultant.email, password: consultant.password });
      const { visitor } = await bySso(servers, { tenant: 'acme' });
      expect(await opens(servers, visitor)).to.deep.equal({ acme: true, globex: false });
      const { id: tenantId } = await main.app.administration.getTenant('acme');
      await end(servers, tenantId);
      expect(await opens(servers, visitor)).to.deep.equal({ acme: false, globex: false });
      expect(await opens(servers, own)).to.deep.equal({ acme: true, globex: true });
      const opened = { connectionId: servers.connectionId, endedAt: { $exists: false } };
      for (const collection of ['oidc_sessions', 'oidc_grants'])
        expect(await main.database.collection(collection).countDocuments(opened), collection).to.equal(0);
      await closeApps();
    }
  });

  it('sec-007 a sign-in that was finished, but is not back yet when its way in is closed, opens nothing', async () => {
    const closings: Record<string, (servers: TwoServers) => Promise<unknown>> = {
      disabled: async ({ main, connectionId }) =>
        main.app.administration.changeConnection(
          operator,
          { tenantId: (await main.app.administration.getTenant('acme')).id, connectionId },
          { changes: { status: 'disabled' } },
        ),
      unlinked: ({ main }) => main.database.collection('identities').deleteMany({}),
    };
    for (const [how, close] of Object.entries(closings)) {
      const servers = await linked();
      const { main } = servers;
      const visitor = browser(main.issuer);
      const last = await lastRedirect(servers, visitor, authorizeUrl(main.issuer, { tenant: 'acme' }));
      await close(servers);
      const refused = await visitor.get(last);
      expect(new URL(refused.url).searchParams.get('error'), how).to.equal('login_required');
      expect(await opens(servers, visitor), how).to.deep.equal({ acme: false, globex: false });
      await closeApps();
    }
  });

  it('sec-007 opens that tenant alone also when the app is gone before the browser is back in it', async () => {
    const servers = await linked();
    const { main } = servers;
    const visitor = browser(main.issuer);
    const last = await lastRedirect(
      servers,
      visitor,
      authorizeUrl(main.issuer, { client_id: 'plain', tenant: 'acme' }),
    );
    await main.database.collection<{ _id: string }>('clients').deleteOne({ _id: 'plain' });
    await dropCaches(main);
    expect((await visitor.get(last)).status).to.equal(400);
    expect(await opens(servers, visitor)).to.deep.equal({ acme: true, globex: false });
  });

  it('sec-007 opens that tenant alone also when the code of a device ended meanwhile', async () => {
    const servers = await linked();
    const { main } = servers;
    const visitor = browser(main.issuer);
    const { response } = await startDevice(main.issuer, { tenant: 'acme' });
    const login = await visitor.submit(await typeCode(visitor, response.user_code), { confirm: 'yes' });
    const last = await lastRedirect(servers, visitor, login.url);
    await main.database.collection('oidc_device_codes').deleteMany({});
    await visitor.get(last);
    expect(await opens(servers, visitor)).to.deep.equal({ acme: true, globex: false });
  });
});
