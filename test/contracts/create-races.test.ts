import { expect } from 'chai';
import type { SeedInput } from '../../src/seeding/index.js';
import { redirectUri } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { dump, type Dump } from '../http/dump.js';

const parallel = 50;
const publicClient = {
  client_id: 'app',
  token_endpoint_auth_method: 'none' as const,
  redirect_uris: [redirectUri],
  firstParty: true,
};

/** Unique indexes decide who is first, and whoever is not finds it done: never two, never a half. */
describe('F18 creating the same at once, over two servers', function () {
  this.timeout(60_000);
  let servers: [RunningApp, RunningApp];

  beforeEach(async () => {
    const first = await startApp({ seed: {} });
    servers = [first, await startApp({ sharedWith: first })];
  });
  afterEach(closeApps);

  function race<T>(run: (app: RunningApp['app'], index: number) => Promise<T>): Promise<T[]> {
    return Promise.all(Array.from({ length: parallel }, (_, index) => run(servers[index % 2]!.app, index)));
  }
  const stored = (): Promise<Dump> => dump(servers[0].database);

  const whole: SeedInput = {
    resources: [{ identifier: 'https://api.example.com/', name: 'API', permissions: ['things:read'] }],
    tenants: [
      {
        ...{ slug: 'acme', name: 'Acme Inc', type: 'enterprise' },
        roles: [{ key: 'reader', permissions: ['things:read'] }],
        serviceAccounts: [
          { clientId: 'ci', name: 'CI', roles: ['reader'], keys: [{ label: 'k', secret: 'x'.repeat(32) }] },
        ],
      },
    ],
    users: [{ email: 'ada@example.com', memberships: [{ tenant: 'acme', roles: ['reader'] }] }],
    clients: [publicClient],
  };

  it('one seed fifty times: one of each, one event for each, and nobody is refused', async () => {
    const reports = await race((app) => app.seeding.applySeed(whole));
    expect(reports.filter(({ created }) => created > 0)).to.have.length(1);
    const { events = [], ...rest } = await stored();
    for (const name of ['tenants', 'roles', 'service_accounts', 'api_keys', 'users', 'memberships', 'resources']) {
      expect(rest[name], name).to.have.length(1);
    }
    expect(rest['clients']?.map((client) => (client as { _id: string })._id)).to.have.members(['ci', 'app']);
    const types = events.map((event) => (event as { type: string }).type).filter((type) => type.endsWith('.created'));
    // two clients (one is that of the service account) and two signing keys
    expect(types).to.have.length(new Set(types).size + 2);
  });

  it('one address with fifty names, passwords and roles: one user, whole as one of the fifty wrote it', async () => {
    const roles = Array.from({ length: parallel }, (_, index) => ({ key: `role-${index}`, permissions: [] }));
    const tenant = { slug: 'acme', name: 'Acme Inc', type: 'team' } as const;
    await servers[0].app.seeding.applySeed({ tenants: [{ ...tenant, roles }], clients: [publicClient] });
    const person = (index: number) => ({ email: 'ada@example.com', password: `the password of number ${index}` });
    const memberships = (index: number) => [{ tenant: 'acme', roles: [`role-${index}`] }];
    await race((app, index) =>
      app.seeding.applySeed({ users: [{ ...person(index), name: `Ada ${index}`, memberships: memberships(index) }] }),
    );
    const { users = [], passwords = [], memberships: kept = [] } = await stored();
    expect([users.length, passwords.length, kept.length]).to.deep.equal([1, 1, 1]);
    const index = Number(/\d+/.exec((kept[0] as { roles: string[] }).roles[0] ?? ''));
    const party = await relyingParty(servers[1].issuer, 'app', null);
    const { url, finish } = await party.begin();
    const { page } = await signIn(servers[1].issuer, url, person(index));
    expect((await finish(page.url)).claims()).to.include({ name: `Ada ${index}` });
  });

  const contested: readonly [what: string, collection: string, seed: (index: number) => SeedInput][] = [
    ['slug', 'tenants', (index) => ({ tenants: [{ slug: 'fresh', name: `New ${index}`, type: 'team' }] })],
    ['client id', 'clients', (index) => ({ clients: [{ ...publicClient, client_name: `App ${index}` }] })],
    [
      'key of a role',
      'roles',
      (index) => ({
        tenants: [{ slug: 'acme', name: 'A', type: 'team', roles: [{ ...role, name: `Role ${index}` }] }],
      }),
    ],
    [
      'membership',
      'memberships',
      (index) => ({
        users: [
          {
            email: 'ada@example.com',
            memberships: [{ tenant: 'acme', roles: [index % 2 === 0 ? 'owner' : 'viewer'] }],
          },
        ],
      }),
    ],
  ];
  const role = { key: 'reader', permissions: [] };
  for (const [what, collection, seed] of contested) {
    it(`one ${what} with fifty contents: one is there, whole, and nobody is refused`, async () => {
      await servers[0].app.seeding.applySeed({
        tenants: [{ slug: 'acme', name: 'A', type: 'team' }],
        users: [{ email: 'ada@example.com' }],
      });
      const before = (await stored())[collection]?.length ?? 0;
      await race((app, index) => app.seeding.applySeed(seed(index)));
      expect((await stored())[collection]).to.have.length(before + 1);
    });
  }

  it('one label of an API key with fifty secrets: one key is made, and the others are refused in words', async () => {
    const withKey = (index: number): SeedInput => ({
      tenants: [
        {
          ...{ slug: 'acme', name: 'A', type: 'team' },
          serviceAccounts: [{ clientId: 'ci', name: 'CI', keys: [{ label: 'k', secret: `${index}`.padEnd(32, 'x') }] }],
        },
      ],
    });
    await servers[0].app.seeding.applySeed({
      tenants: [{ slug: 'acme', name: 'A', type: 'team', serviceAccounts: [{ clientId: 'ci', name: 'CI' }] }],
    });
    const results = await race((app, index) =>
      app.seeding.applySeed(withKey(index)).then(
        () => 'made',
        (error: Error) => error.message,
      ),
    );
    expect(results.filter((result) => result === 'made')).to.have.length(1);
    for (const result of results)
      if (result !== 'made') expect(result).to.contain('differs from the key of this label');
    expect((await stored())['api_keys']).to.have.length(1);
  });

  it('one client id for an app and a service account: one of them has it', async () => {
    const results = await race((app, index) =>
      app.seeding.applySeed(index % 4 < 2 ? { clients: [publicClient] } : accountNamed('app')).then(
        () => 'made',
        (error: Error) => error.message,
      ),
    );
    for (const result of results) if (result !== 'made') expect(result).to.match(/in use/);
    const { clients = [], service_accounts: accounts = [] } = await stored();
    expect(clients).to.have.length(1);
    const isApplication = (clients[0] as { kind: string }).kind === 'application';
    expect(results.filter((result) => result === 'made')).to.have.length(isApplication ? 26 : 24);
    expect(accounts).to.have.length(isApplication ? 0 : 1);
  });

  it('the first start fifty times: one administrator, and the one password that was shown works', async () => {
    const starts = await race(async (app, index) => {
      // not all in one moment: some look before the first one has written and plan after it
      for (let ping = 0; ping < index; ping++) await servers[index % 2]!.database.collection('tenants').findOne({});
      return app.seeding.firstStart({ email: 'admin@example.com', password: undefined, mfa: 'optional' });
    });
    const shown = starts.filter((start) => start !== null);
    expect(shown).to.have.length(1);
    const { users = [], passwords = [], memberships = [], tenants = [] } = await stored();
    expect([users.length, passwords.length, memberships.length, tenants.length]).to.deep.equal([1, 1, 1, 1]);
    const { app, issuer } = servers[1];
    await app.seeding.applySeed({ clients: [publicClient] });
    const administrator = { email: 'admin@example.com', password: shown[0]?.generatedPassword ?? '' };
    const { page } = await signIn(issuer, (await (await relyingParty(issuer, 'app', null)).begin()).url, administrator);
    expect(page.url).to.contain('code=');
  });

  function accountNamed(clientId: string): SeedInput {
    return { tenants: [{ slug: 'acme', name: 'A', type: 'team', serviceAccounts: [{ clientId, name: 'CI' }] }] };
  }
});
