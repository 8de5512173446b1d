import { expect } from 'chai';
import { parseSeedFile, SeedError } from '../../../src/seeding/parse-seed-file.js';
import { contractSeed } from '../../support/contract-seed.js';

/** The sample of the contract, with its comments. */
const sample = `
resources:
  - identifier: https://api.example.com/projects
    name: Projects API
    permissions: [projects:read, projects:write]
    accessToken: { format: jwt, alg: ES256, ttlSeconds: 600 }   # format: jwt | opaque
    introspectedBy: [rs]          # clients that may introspect its tokens
tenants:
  - slug: acme
    name: Acme Inc
    type: enterprise              # personal | team | enterprise
    plan: enterprise
    policies: { ipAllowlist: [], mfa: optional }
    roles: [{ key: editor, permissions: [projects:read, projects:write] }]
    serviceAccounts:
      - { clientId: acme-ci, name: CI, roles: [editor], keys: [{ label: first, secret: sk_at-least-32-characters-of-secret }] }
users:
  - { email: ada@example.com, emailVerified: true, name: Ada Lovelace, password: correct horse battery,
      memberships: [{ tenant: acme, roles: [owner] }] }
clients:                          # RFC 7591 names, plus firstParty, requirePkce, resources and tenant (slug of its owner)
  - { client_id: web, client_secret: s3cret-s3cret-s3cret-s3cret-s3cret, redirect_uris: [http://localhost:3001/callback],
      post_logout_redirect_uris: [http://localhost:3001/], grant_types: [authorization_code, refresh_token],
      response_types: [code], token_endpoint_auth_method: client_secret_basic, firstParty: true, requirePkce: true, resources: [https://api.example.com/projects] }
                                  # requirePkce: false only for confidential clients that can't; they must send a nonce
connections: []                   # upstream providers, see the management API
`;

function problemsOf(source: string): readonly string[] {
  try {
    parseSeedFile(source, 'seed.yaml');
    return [];
  } catch (error) {
    if (error instanceof SeedError) return error.problems;
    throw error;
  }
}

/** The lines that are named, each with the path. */
const placesOf = (source: string): string[] => problemsOf(source).map((problem) => problem.split(' ', 2).join(' '));

describe('reading a seed file', () => {
  it('takes the sample of the contract whole', () => {
    const { seed } = parseSeedFile(sample, 'seed.yaml');
    expect(seed).to.deep.equal(parseSeedFile(JSON.stringify(contractSeed), 'seed.json').seed);
    expect(seed.tenants[0]?.serviceAccounts[0]?.keys[0]?.secret).to.equal('sk_at-least-32-characters-of-secret');
    expect(seed.clients[0]).to.include({ client_id: 'web', firstParty: true, requirePkce: true });
  });

  it('takes JSON, with and without a byte order mark, and an empty file', () => {
    const empty = { resources: [], tenants: [], users: [], clients: [], connections: [] };
    for (const source of ['', '# nothing\n', '{}', '---\n{}\n', '\ufeff{}', 'null', '{"tenants":[]}', 'users: []']) {
      expect(parseSeedFile(source, 'seed').seed, JSON.stringify(source)).to.deep.equal(empty);
    }
    const json = JSON.stringify({ tenants: [{ slug: 'acme', name: 'Acme Inc', type: 'team' }] }, null, 2);
    expect(parseSeedFile(json, 'seed.json').seed.tenants[0]).to.include({ slug: 'acme', type: 'team' });
  });

  it('fills in what may be left out', () => {
    const { seed } = parseSeedFile('tenants: [{ slug: acme, name: Acme Inc, type: team }]', 'seed.yaml');
    expect(seed.tenants[0]).to.deep.equal({
      ...{ slug: 'acme', name: 'Acme Inc', type: 'team', roles: [], serviceAccounts: [], domains: [] },
      policies: {
        ...{ ipAllowlist: [], mfa: 'optional', password: { minimumLength: null, history: null } },
        signInAttempts: {
          ...{ tries: null, windowSeconds: null, firstWaitSeconds: null },
          ...{ longestWaitSeconds: null, consecutive: null },
        },
        session: { idleSeconds: null, absoluteSeconds: null },
      },
    });
  });

  it('names the line and the path of every problem, all at once', () => {
    const source = [
      'tenants:',
      '  - slug: ACME',
      '    name: Acme Inc',
      '    type: huge',
      '    policies:',
      '      mfa: sometimes',
      '      emailCodes: never',
      'users:',
      '  - email: ada@example.com',
      '    password: short',
      '    memberships:',
      '      - tenant: acme',
      '        roles: []',
      'clients:',
      '  - client_id: web',
      '    client_secret: short',
      '    redirect_uris:',
      '      - http://localhost:3001/callback',
      '      - nonsense',
    ].join('\n');
    expect(placesOf(source)).to.deep.equal([
      'seed.yaml:2 tenants[0].slug',
      'seed.yaml:4 tenants[0].type',
      'seed.yaml:6 tenants[0].policies.mfa',
      'seed.yaml:7 tenants[0].policies.emailCodes',
      'seed.yaml:13 users[0].memberships[0].roles',
      'seed.yaml:16 clients[0].client_secret',
      'seed.yaml:19 clients[0].redirect_uris[1]',
    ]);
  });

  it('names the line of what ought to hold a missing member', () => {
    expect(placesOf('users: []\ntenants:\n  - slug: acme\n    type: team\n')).to.deep.equal([
      'seed.yaml:3 tenants[0].name',
    ]);
  });

  it('refuses members that it does not know, wherever they are', () => {
    for (const [source, place] of [
      ['tenant: []', 'seed.yaml:1 tenant'],
      ['\n\nuser:\n  - {}', 'seed.yaml:4 user'],
      ['users:\n  - email: a@example.com\n    admin: true', 'seed.yaml:3 users[0].admin'],
      ['users:\n  - email: a@example.com\n    emailverified: true', 'seed.yaml:3 users[0].emailverified'],
      ['clients:\n  - client_id: web\n    jwks_uri: https://evil.example', 'seed.yaml:3 clients[0].jwks_uri'],
      ['clients:\n  - client_id: web\n    kind: x', 'seed.yaml:3 clients[0].kind'],
      ['tenants:\n  - { slug: a, name: A, type: team,\n      status: x }', 'seed.yaml:3 tenants[0].status'],
      ['tenants:\n  - { slug: a, name: A, type: team,\n      id: ten_1 }', 'seed.yaml:3 tenants[0].id'],
      ['"__proto__": { users: [] }', 'seed.yaml:1 __proto__'],
      ['constructor: x', 'seed.yaml:1 constructor'],
      ['base: &a { email: a@example.com }\nusers: [{ <<: *a }]', 'seed.yaml:1 base'],
    ] as const) {
      expect(placesOf(source), source).to.include(place);
    }
  });

  it('names the line of a mistake in the writing', () => {
    for (const [source, line] of [
      ['users: [', 1],
      ['users:\n  - email: a@example.com\n    email: b@example.com', 3],
      ['users: []\nusers: []', 2],
      ['users: []\n\ttenants: []', 2],
      ['{"users": [] "tenants": []}', 1],
      ['users: []\n---\nusers: []', 2],
      ['users: "\n', 2],
    ] as const) {
      const problems = problemsOf(source);
      expect(problems, source).to.have.length.of.at.least(1);
      expect(problems[0], source).to.match(new RegExp(`^seed\\.yaml:${line} \\S`));
      expect(problems.join(''), source).not.to.contain('\n');
    }
  });

  it('takes no value of another type for the right one', () => {
    for (const source of [
      'users: {}',
      'users: yes',
      'tenants: [acme]',
      'users: [{ email: 1 }]',
      'users: [{ email: a@example.com, emailVerified: "true" }]',
      'users: [{ email: a@example.com, emailVerified: yes }]',
      'users: [{ email: a@example.com, password: 123456789012345 }]',
      'clients: [{ client_id: 42 }]',
      'clients: [{ client_id: web, requirePkce: 0 }]',
      'clients: [{ client_id: web, redirect_uris: http://localhost:3001/ }]',
      'resources: [{ identifier: https://api.example.com/, name: A, permissions: [], accessToken: { ttlSeconds: 600.5 } }]',
      'resources: [{ identifier: https://api.example.com/, name: A, permissions: [], accessToken: { ttlSeconds: "600" } }]',
      '- users',
      'users',
      '42',
      '"users"',
    ]) {
      expect(problemsOf(source), source).to.have.length.of.at.least(1);
      expect(problemsOf(source)[0], source).to.match(/^seed\.yaml:\d+ /);
    }
  });

  it('refuses values out of bounds', () => {
    const tenant = (changes: object): string =>
      JSON.stringify({ tenants: [{ slug: 'acme', name: 'Acme Inc', type: 'team', ...changes }] });
    const client = (changes: object): string => JSON.stringify({ clients: [{ client_id: 'web', ...changes }] });
    const resource = (changes: object): string =>
      JSON.stringify({
        resources: [{ identifier: 'https://api.example.com/', name: 'A', permissions: [], ...changes }],
      });
    for (const source of [
      ...['', '-acme', 'acme-', 'Acme', 'ac me', 'ac/me', 'a'.repeat(64), 'acme\n'].map((slug) => tenant({ slug })),
      ...['', 'x'.repeat(201), 'Acme\r\nBcc: x', 'Acme\0'].map((name) => tenant({ name })),
      tenant({ policies: { ipAllowlist: ['10.0.0.0/33'] } }),
      tenant({ roles: [{ key: 'Editor', permissions: [] }] }),
      tenant({ roles: [{ key: 'editor', permissions: ['*:*'] }] }),
      tenant({ roles: [{ key: 'editor', permissions: ['a:b', 'a:b'] }] }),
      tenant({ serviceAccounts: [{ clientId: 'ci', name: 'CI', keys: [{ label: 'a', secret: 'x'.repeat(31) }] }] }),
      tenant({
        serviceAccounts: [
          { clientId: 'ci', name: 'CI', keys: [{ label: 'a', secret: 'x'.repeat(32), expiresAt: 'soon' }] },
        ],
      }),
      ...['we b', 'web:x', 'web/x', '', 'x'.repeat(101), 'wéb'].map((client_id) => client({ client_id })),
      ...['javascript:alert(1)', '/callback', '*', 'https://a.example/#x'].map((uri) =>
        client({ redirect_uris: [uri] }),
      ),
      ...['javascript:alert(1)', 'data:text/html,x', 'ftp://a.example', 'a'].map((uri) => client({ client_uri: uri })),
      ...['password', 'implicit', 'client_credentials'].map((grant) => client({ grant_types: [grant] })),
      ...['token', 'id_token', 'code id_token'].map((type) => client({ response_types: [type] })),
      ...['client_secret_jwt', 'tls_client_auth', 'NONE'].map((method) =>
        client({ token_endpoint_auth_method: method }),
      ),
      ...['none', 'HS256'].map((alg) => client({ id_token_signed_response_alg: alg })),
      client({ redirect_uris: ['https://a.example/', 'https://a.example/'] }),
      ...['projects', 'https://api.example.com/#x', ''].map((identifier) => resource({ identifier })),
      ...[29, 3601, 0, -1].map((ttlSeconds) => resource({ accessToken: { ttlSeconds } })),
      ...['none', 'HS256', 'RS512'].map((alg) => resource({ accessToken: { alg } })),
      JSON.stringify({ connections: [{}] }),
      JSON.stringify({ users: [{ email: 'ada@example.com', memberships: [{ tenant: 'acme', roles: [] }] }] }),
    ]) {
      expect(problemsOf(source), source).to.have.length.of.at.least(1);
    }
  });

  it('refuses more than 5 MiB before it reads on', () => {
    expect(problemsOf(`# ${'x'.repeat(5 * 1024 * 1024)}`)).to.deep.equal(['seed.yaml: larger than 5 MiB']);
  });

  it('sec-077 shows no secret or password of a file that it refuses', () => {
    const source = `users: [{ email: ada@example.com, password: hunter2, locale: [hunter2], memberships: hunter2 }]
clients: [{ client_id: web, client_secret: hunter2 }]`;
    expect(problemsOf(source)).to.have.length.of.at.least(3);
    expect(problemsOf(source).join('\n')).not.to.contain('hunter2');
  });

  it('a tag in the file makes nothing but text', () => {
    const source = 'tenants: [{ slug: acme, name: !!js/function "() => process.exit(1)", type: team }]';
    expect(parseSeedFile(source, 'seed.yaml').seed.tenants[0]?.name).to.equal('() => process.exit(1)');
  });

  it('refuses aliases that multiply, as a problem of the file', () => {
    const names = 'abcdef';
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (let index = 1; index < names.length; index++) {
      bomb.push(`${names[index]}: &${names[index]} [${`*${names[index - 1]},`.repeat(10)}]`);
    }
    expect(() => parseSeedFile(bomb.join('\n'), 'seed.yaml')).to.throw(SeedError, /seed\.yaml/);
  });

  it('refuses an alias of nothing, as a problem of the file', () => {
    expect(() => parseSeedFile('users: *nobody', 'seed.yaml')).to.throw(SeedError, /seed\.yaml:1/);
  });
});
