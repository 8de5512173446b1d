import { expect } from 'chai';
import { SeedError, type SeedInput } from '../../src/seeding/index.js';
import { redirectUri } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { dump } from './dump.js';

const tenant = { slug: 'initech', name: 'Initech', type: 'team' } as const;
const account = { clientId: 'initech-ci', name: 'CI' };
const person = { email: 'new@example.com' };
const key = (label: string, secret = 'x'.repeat(32)) => ({ label, secret });
const accounts = (...serviceAccounts: object[]): SeedInput =>
  ({ tenants: [{ ...tenant, serviceAccounts }] }) as SeedInput;
const client = (metadata: object): SeedInput => ({
  clients: [{ client_id: 'app', client_secret: 'x'.repeat(32), redirect_uris: [redirectUri], ...metadata }],
});

const refused: readonly [why: string, seed: SeedInput, place: RegExp][] = [
  ['one service account twice in a tenant', accounts(account, account), /serviceAccounts\[1\]\.clientId /],
  [
    'one service account in two tenants',
    {
      tenants: [
        { ...tenant, serviceAccounts: [account] },
        { ...tenant, slug: 'other', serviceAccounts: [account] },
      ],
    },
    /tenants\[1\]\.serviceAccounts\[0\]\.clientId /,
  ],
  ['one label twice', accounts({ ...account, keys: [key('a'), key('a', 'y'.repeat(32))] }), /keys\[1\]\.label /],
  ['one secret twice', accounts({ ...account, keys: [key('a'), key('b')] }), /keys\[1\]\.secret /],
  [
    'one secret in two accounts',
    accounts({ ...account, keys: [key('a')] }, { ...account, clientId: 'other', keys: [key('a')] }),
    /serviceAccounts\[1\]\.keys\[0\]\.secret /,
  ],
  [
    'one membership twice',
    {
      tenants: [tenant],
      users: [
        {
          ...person,
          memberships: [
            { tenant: 'initech', roles: ['owner'] },
            { tenant: 'initech', roles: ['member'] },
          ],
        },
      ],
    },
    /memberships\[1\]\.tenant /,
  ],
  [
    'two members of a personal tenant',
    {
      tenants: [{ ...tenant, type: 'personal' }],
      users: ['a@example.com', 'b@example.com'].map((email) => ({
        email,
        memberships: [{ tenant: 'initech', roles: ['owner'] }],
      })),
    },
    /users\[1\]\.memberships\[0\]\.tenant /,
  ],
  [
    'a role of its own in a personal tenant',
    { tenants: [{ ...tenant, type: 'personal', roles: [{ key: 'own', permissions: [] }] }] },
    /tenants\[0\]\.roles /,
  ],
  [
    'a service account in a personal tenant',
    { tenants: [{ ...tenant, type: 'personal', serviceAccounts: [account] }] },
    /tenants\[0\]\.serviceAccounts /,
  ],
  [
    'a role in a personal tenant that such have not',
    {
      tenants: [{ ...tenant, type: 'personal' }],
      users: [{ ...person, memberships: [{ tenant: 'initech', roles: ['viewer'] }] }],
    },
    /users\[0\]\.memberships\[0\]\.roles\[0\] /,
  ],
  [
    'a client of a personal tenant',
    { tenants: [{ ...tenant, type: 'personal' }], ...client({ tenant: 'initech' }) },
    /clients\[0\]\.tenant /,
  ],
  [
    'another type for a tenant that is there',
    { tenants: [{ slug: 'acme', name: 'Acme Inc', type: 'team' }] },
    /tenants\[0\]\.type /,
  ],
  ['a reserved slug', { tenants: [{ ...tenant, slug: 'login' }] }, /tenants\[0\]\.slug /],
  ['a short password', { users: [{ ...person, password: 'fourteen chars' }] }, /users\[0\]\.password /],
  [
    'a scope that names no permission of its resources',
    client({ scope: 'openid projects:read' }),
    /clients\[0\]\.scope /,
  ],
  ...[
    'javascript:alert(1)',
    'data:text/html,x',
    'http://evil.example/cb',
    'https://*.example.com/cb',
    'https://user@a.example/cb',
    'https://a.example/../cb',
    'https://a.example/%2e%2e/cb',
    'https://a.example\\cb',
    'https://bücher.example/cb',
    'ftp://a.example/',
    'https://a.example/c b',
    ' https://a.example/cb',
    'https:a.example',
    'https://a.example/cb#part',
    'com.example.app:/cb',
  ].flatMap((uri): [string, SeedInput, RegExp][] => [
    [`sec-058 the redirect URI ${uri}`, client({ redirect_uris: [uri] }), /clients\[0\]\.redirect_uris\[0\] /],
    [
      `sec-058 the post-logout redirect URI ${uri}`,
      client({ post_logout_redirect_uris: [uri] }),
      /clients\[0\]\.post_logout_redirect_uris\[0\] /,
    ],
  ]),
];

describe('a seed that would break a rule', () => {
  let running: RunningApp;
  before(async () => {
    running = await startApp();
  });
  after(closeApps);

  for (const [why, seed, place] of refused) {
    it(`with ${why} is refused by path, and changes nothing`, async () => {
      const stored = await dump(running.database);
      const error = await running.app.seeding.applySeedFile(JSON.stringify(seed), 'seed.json').then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(SeedError);
      expect((error as SeedError).problems.filter((problem) => place.test(problem))).to.have.length(1);
      expect(await dump(running.database)).to.deep.equal(stored);
    });
  }

  it('native clients may have a scheme of their own, and everybody a loopback address', async () => {
    const uris = ['com.example.app:/cb', 'http://127.0.0.1/cb', 'http://localhost:3001/callback', 'https://a.example'];
    const report = await running.app.seeding.applySeed(client({ application_type: 'native', redirect_uris: uris }));
    expect(report.created).to.equal(1);
  });

  it('two processes that apply the same seed at once both succeed', async () => {
    const seed: SeedInput = {
      tenants: [{ ...tenant, slug: 'twice', serviceAccounts: [{ ...account, clientId: 'twice-ci' }] }],
    };
    const reports = await Promise.all([running.app.seeding.applySeed(seed), running.app.seeding.applySeed(seed)]);
    expect(reports.map(({ updated }) => updated)).to.deep.equal([0, 0]);
    expect(await running.database.collection('tenants').countDocuments({ slugs: 'twice' })).to.equal(1);
  });
});
