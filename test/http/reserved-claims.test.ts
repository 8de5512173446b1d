import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { operator, tenantIdOf } from '../support/administered.js';
import { ada, ciKey, contractSeed, projectsApi, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { post, send, tokensOf } from './requests.js';

const reserved = [
  ...['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'auth_time', 'acr', 'amr', 'azp', 'sid', 'scope', 'client_id'],
  ...[
    'cnf',
    'act',
    'may_act',
    'nonce',
    'at_hash',
    'tenant_id',
    'tenant_slug',
    'tenant_type',
    'roles',
    'entitlements',
    'gid',
  ],
];

/** Everything that a tenant can name, named after what a token says. */
describe('sec-067 what a tenant sets replaces no claim of a token', () => {
  afterEach(closeApps);

  it('names, slugs, roles, features and clients called like claims', async () => {
    const roles = reserved.map((key) => ({ key, name: key, permissions: ['projects:read'] }));
    const tenants = [
      {
        ...contractSeed.tenants![0]!,
        name: '{"sub":"somebody"}',
        roles: [...(contractSeed.tenants![0]!.roles ?? []), ...roles],
      },
    ];
    const users = [{ ...ada, emailVerified: true, name: 'iss', memberships: [{ tenant: 'acme', roles: reserved }] }];
    const running = await startApp({ seed: { ...contractSeed, tenants, users } });
    const id = await tenantIdOf(running, 'acme');
    await running.app.administration.changeSettings(operator, { tenantId: id }, { features: reserved, slug: 'iss' });

    const tokens = await tokensOf(running.issuer, { scope: 'openid tenant profile projects:read' });
    const { sub } = decodeJwt(tokens.access_token);
    for (const token of [tokens.access_token, String((tokens as unknown as Record<string, string>)['id_token'])]) {
      const claims = decodeJwt(token);
      expect(claims).to.include({
        iss: running.issuer,
        sub,
        tenant_id: id,
        tenant_slug: 'iss',
        tenant_type: 'enterprise',
      });
      expect(claims.aud).to.equal(token === tokens.access_token ? projectsApi : 'web');
      expect(claims['roles']).to.have.members(reserved);
      expect(claims['entitlements']).to.include.members(reserved);
      expect(claims.exp! - claims.iat!).to.equal(600);
      for (const name of ['nbf', 'cnf', 'act', 'may_act', 'azp']) expect(claims).not.to.have.property(name);
    }
    const headers = { Authorization: `Bearer ${tokens.access_token}` };
    const info = (await send(`${running.issuer}/oauth2/userinfo`, { headers })).json;
    expect(info).to.include({ sub, tenant_id: id, name: 'iss' });
    const told = (await post(running.issuer, 'introspect', { token: tokens.access_token }, ['web', webSecret])).json;
    expect(told).to.include({ active: true, sub, iss: running.issuer, client_id: 'web', tenant_id: id });
    const ask = { grant_type: 'client_credentials', resource: projectsApi };
    const service = decodeJwt(
      String((await post(running.issuer, 'token', ask, ['acme-ci', ciKey])).json['access_token']),
    );
    expect(service).to.include({ sub: 'acme-ci', client_id: 'acme-ci', tenant_id: id });
  });
});
