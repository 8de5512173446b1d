import { expect } from 'chai';
import { SeedError, type SeedInput } from '../../src/seeding/index.js';
import { ada, ciKey, contractSeed, redirectUri, webSecret } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { dump } from './dump.js';
import { post, tokensOf } from './requests.js';

async function problemsOf(running: RunningApp, seed: SeedInput | string): Promise<readonly string[]> {
  const source = typeof seed === 'string' ? seed : JSON.stringify(seed, null, 1);
  try {
    await running.app.seeding.applySeedFile(source, 'seed.json');
    return [];
  } catch (error) {
    if (error instanceof SeedError) return error.problems;
    throw error;
  }
}

const tenant = { slug: 'initech', name: 'Initech', type: 'team' } as const;
const account = { clientId: 'initech-ci', name: 'CI' } as const;
const application = { client_id: 'app', client_secret: 'x'.repeat(32), redirect_uris: [redirectUri] };
const grace = { email: 'grace@example.com' } as const;
const publicKey = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', // of RFC 8037
};

describe('a seed over a running server', () => {
  let running: RunningApp;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
  });
  afterEach(closeApps);

  it('applied twice changes nothing, not even an event', async () => {
    const before = await dump(running.database);
    for (const seed of [seedWithTwoTenants, contractSeed]) {
      const report = await running.app.seeding.applySeed(seed);
      expect(report).to.include({ created: 0, updated: 0 });
      expect(report.unchanged).to.be.greaterThan(0);
    }
    expect(await dump(running.database)).to.deep.equal(before);
  });

  it('changes what differs, leaves alone what it does not name, and shows at once', async () => {
    const tokens = await tokensOf(running.issuer);
    const report = await running.app.seeding.applySeed({
      tenants: [{ slug: 'acme', name: 'Acme Incorporated', type: 'enterprise' }],
      users: [
        { ...ada, emailVerified: true, name: 'Ada Lovelace', memberships: [{ tenant: 'acme', roles: ['viewer'] }] },
      ],
    });
    expect(report).to.include({ created: 0, updated: 2 });
    const answer = await post(running.issuer, 'introspect', { token: tokens.access_token }, ['web', webSecret]);
    expect(answer.json['roles']).to.deep.equal(['viewer']);
    expect(
      (await post(running.issuer, 'token', { grant_type: 'client_credentials' }, ['acme-ci', ciKey])).status,
    ).to.equal(200);
  });

  it('a new password takes the place of the old one', async () => {
    await running.app.seeding.applySeed({
      users: [{ ...ada, emailVerified: true, name: 'Ada Lovelace', password: 'another horse battery' }],
    });
    const party = await relyingParty(running.issuer);
    const old = await signIn(running.issuer, (await party.begin()).url);
    expect(old.page.status).to.equal(422);
    const fresh = await signIn(running.issuer, (await party.begin()).url, {
      ...ada,
      password: 'another horse battery',
    });
    expect(fresh.page.url).to.contain('code=');
  });

  const refused: readonly [why: string, seed: SeedInput, place: RegExp, reason: RegExp][] = [
    [
      'a role that no tenant has',
      { tenants: [{ ...tenant, serviceAccounts: [{ ...account, roles: ['boss'] }] }] },
      /^seed\.json:\d+ tenants\[0\]\.serviceAccounts\[0\]\.roles\[0\]$/,
      /boss/,
    ],
    [
      'a role of another tenant',
      { users: [{ ...grace, memberships: [{ tenant: 'globex', roles: ['editor'] }] }] },
      /users\[0\]\.memberships\[0\]\.roles\[0\]$/,
      /no role of globex: editor/,
    ],
    [
      'a tenant that is not there',
      { users: [{ ...grace, memberships: [{ tenant: 'nowhere', roles: ['owner'] }] }] },
      /users\[0\]\.memberships\[0\]\.tenant$/,
      /no tenant: nowhere/,
    ],
    [
      'a permission that no resource defines',
      { tenants: [{ ...tenant, roles: [{ key: 'r', permissions: ['other:read'] }] }] },
      /tenants\[0\]\.roles\[0\]\.permissions\[0\]$/,
      /no resource: other:read/,
    ],
    [
      'a role that is built in',
      { tenants: [{ ...tenant, roles: [{ key: 'owner', permissions: [] }] }] },
      /tenants\[0\]\.roles\[0\]\.key$/,
      /built in/,
    ],
    ['a plan that is not there', { tenants: [{ ...tenant, plan: 'gold' }] }, /tenants\[0\]\.plan$/, /gold/],
    ['the tenant of the operators', { tenants: [{ ...tenant, slug: 'platform' }] }, /tenants\[0\]\.slug$/, /built-in/],
    [
      'a resource that is not there',
      { clients: [{ ...application, resources: ['https://api.example.com/other'] }] },
      /clients\[0\]\.resources\[0\]$/,
      /no resource/,
    ],
    [
      'a client of a tenant that is not there',
      { clients: [{ ...application, tenant: 'nowhere' }] },
      /clients\[0\]\.tenant$/,
      /nowhere/,
    ],
    [
      'a client id that a service account has',
      { clients: [{ ...application, client_id: 'acme-ci' }] },
      /clients\[0\]\.client_id$/,
      /service account/,
    ],
    [
      'a service account with the id of a client',
      { tenants: [{ ...tenant, serviceAccounts: [{ ...account, clientId: 'web' }] }] },
      /tenants\[0\]\.serviceAccounts\[0\]\.clientId$/,
      /in use/,
    ],
    [
      'a service account of another tenant',
      { tenants: [{ ...tenant, serviceAccounts: [{ ...account, clientId: 'acme-ci' }] }] },
      /tenants\[0\]\.serviceAccounts\[0\]\.clientId$/,
      /in use/,
    ],
    [
      'a confidential client without a secret',
      { clients: [{ client_id: 'app', redirect_uris: [redirectUri] }] },
      /clients\[0\]\.client_secret$|clients\[0\]$/,
      /missing/,
    ],
    [
      'a public client with a secret',
      { clients: [{ ...application, token_endpoint_auth_method: 'none' }] },
      /clients\[0\](\.client_secret)?$/,
      /no use/,
    ],
    [
      'a secret beside private_key_jwt',
      { clients: [{ ...application, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey] } }] },
      /clients\[0\]\.client_secret$/,
      /no use with private_key_jwt/,
    ],
    [
      'a public client without PKCE',
      {
        clients: [
          { client_id: 'app', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', requirePkce: false },
        ],
      },
      /clients\[0\](\.requirePkce)?$/,
      /confidential/,
    ],
    [
      'a client that signs people in nowhere',
      { clients: [{ ...application, redirect_uris: [] }] },
      /clients\[0\]$/,
      /redirect_uris/,
    ],
    [
      'an address that is none',
      { users: [{ email: 'a@b@example.com' }] },
      /users\[0\]\.email$/,
      /not an e-mail address/,
    ],
    ['one address in two spellings', { users: [grace, { email: 'GRACE@example.com' }] }, /users\[1\]\.email$/, /twice/],
    ['one slug twice', { tenants: [tenant, tenant] }, /tenants\[1\]\.slug$/, /twice/],
    ['one client twice', { clients: [application, application] }, /clients\[1\]\.client_id$/, /twice/],
    [
      'one role twice',
      {
        tenants: [
          {
            ...tenant,
            roles: [
              { key: 'r', permissions: [] },
              { key: 'r', permissions: [] },
            ],
          },
        ],
      },
      /tenants\[0\]\.roles\[1\]\.key$/,
      /twice/,
    ],
    [
      'another secret under the label of a key',
      {
        tenants: [
          {
            ...tenant,
            slug: 'acme',
            serviceAccounts: [{ clientId: 'acme-ci', name: 'CI', keys: [{ label: 'first', secret: 'y'.repeat(32) }] }],
          },
        ],
      },
      /keys\[0\]$/,
      /new label/,
    ],
  ];

  for (const [why, seed, place, reason] of refused) {
    it(`with ${why} is refused by path, and nothing of it is applied`, async () => {
      const before = await dump(running.database);
      const good: SeedInput = {
        resources: [{ identifier: 'https://api.example.com/good', name: 'Good', permissions: ['good:read'] }],
      };
      const problems = await problemsOf(running, { ...good, ...seed });
      const places = problems.map((problem) => problem.split(' ', 2).join(' '));
      expect(
        places.filter((found) => place.test(found)),
        problems.join('\n'),
      ).to.have.length(1);
      expect(problems.join('\n')).to.match(reason);
      expect(await dump(running.database)).to.deep.equal(before);
    });
  }

  it('names every wrong reference at once', async () => {
    const problems = await problemsOf(running, {
      tenants: [{ ...tenant, plan: 'gold' }],
      users: [{ ...grace, memberships: [{ tenant: 'nowhere', roles: ['owner'] }] }],
      clients: [{ ...application, tenant: 'nowhere' }],
    });
    expect(problems).to.have.length(3);
  });

  it('with a mistake in its writing changes nothing', async () => {
    const before = await dump(running.database);
    for (const source of ['users: [', '{"users":[]', 'tenants: [{ slug: x }]', 'users: []\nusers: []', 'nonsense']) {
      expect(await problemsOf(running, source), source).to.have.length.of.at.least(1);
    }
    expect(await dump(running.database)).to.deep.equal(before);
  });

  it('applied by several at once ends in one state', async () => {
    const seed: SeedInput = {
      tenants: [tenant],
      users: [{ ...grace, memberships: [{ tenant: 'initech', roles: ['owner'] }] }],
    };
    await Promise.allSettled(Array.from({ length: 5 }, () => running.app.seeding.applySeed(seed)));
    const { tenants = [], users = [], memberships = [] } = await dump(running.database);
    expect([tenants.length, users.length, memberships.length]).to.deep.equal([3, 3, 4]);
    expect(await running.app.seeding.applySeed(seed)).to.include({ created: 0, updated: 0 });
  });
});

describe('the first start', () => {
  afterEach(closeApps);

  it('makes the operators’ tenant and one administrator, once, also when two processes start', async () => {
    const first = await startApp({ seed: {} });
    const second = await startApp({ sharedWith: first });
    const admin = { email: 'admin@example.com', password: undefined, mfa: 'required' as const };
    const results = await Promise.all([first, second].map(({ app }) => app.seeding.firstStart(admin)));
    expect(results.filter((result) => result !== null)).to.have.length(1);
    const password = results.find((result) => result !== null)?.generatedPassword ?? '';
    expect(password).to.match(/^[\w-]{24}$/);
    expect(await first.app.seeding.firstStart(admin)).to.equal(null);
    expect(await first.app.seeding.operatorsNeedTwoFactors(), 'as it is made').to.equal(true);
    const platform = { slug: 'platform', name: 'Platform', type: 'enterprise' as const };
    await first.app.seeding.applySeed({ tenants: [platform] });
    expect(await first.app.seeding.operatorsNeedTwoFactors(), 'as it was before').to.equal(false);
    const { tenants, users, memberships } = await dump(first.database);
    expect([tenants?.length, users?.length, memberships?.length]).to.deep.equal([1, 1, 1]);
    expect(JSON.stringify(await dump(first.database))).not.to.contain(password);
  });
});
