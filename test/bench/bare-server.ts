/** The bare library with its in-memory adapter and the same clients, resources and kinds of keys: the yardstick. */
import { exportJWK } from 'jose';
import Provider, { type AdapterPayload, type Configuration } from 'oidc-provider';
import { createServer } from 'node:http';
import { listen } from '../../src/platform/http/server.js';
import { api, benchClients, manyClients, redirectUri, secretOf, type BenchClient } from './bench-seed.js';
import { answerParent } from './child.js';
import { newKeyPair } from '../support/key-pair.js';

const rows = new Map<string, AdapterPayload>();
const grants = new Map<string, string[]>();

/** Plain maps: what storage costs at the least. The library's own in-memory adapter keeps only 1,000 rows. */
class MapAdapter {
  constructor(readonly model: string) {}
  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    const key = `${this.model}:${id}`;
    rows.set(key, payload);
    if (payload.grantId) grants.set(payload.grantId, [...(grants.get(payload.grantId) ?? []), key]);
    if (this.model === 'Session') rows.set(`uid:${payload.uid}`, payload);
  }
  async find(id: string): Promise<AdapterPayload | undefined> {
    return rows.get(`${this.model}:${id}`);
  }
  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return rows.get(`uid:${uid}`);
  }
  async findByUserCode(): Promise<undefined> {}
  async consume(id: string): Promise<void> {
    const row = rows.get(`${this.model}:${id}`);
    if (row) row.consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id: string): Promise<void> {
    rows.delete(`${this.model}:${id}`);
  }
  async revokeByGrantId(grantId: string): Promise<void> {
    for (const key of grants.get(grantId) ?? []) rows.delete(key);
  }
}

async function signingKey(alg: 'ES256' | 'RS256'): Promise<object> {
  const { privateKey } = await newKeyPair(alg);
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: alg };
}

let handle: (req: never, res: never) => unknown = () => undefined;
const server = createServer((req, res) => void handle(req as never, res as never));
const port = await listen(server, 0, '127.0.0.1');
const issuer = `http://localhost:${port}`;

const resourceOf: Record<string, { format: 'jwt' | 'opaque'; alg: 'ES256' | 'RS256' }> = {
  [api.es256]: { format: 'jwt', alg: 'ES256' },
  [api.rs256]: { format: 'jwt', alg: 'RS256' },
  [api.opaque]: { format: 'opaque', alg: 'ES256' },
};
const metadata = ({ clientId, kind }: BenchClient): AdapterPayload => ({
  client_id: clientId,
  client_secret: secretOf(clientId, kind),
  ...(kind === 'service'
    ? { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }
    : { grant_types: ['authorization_code', 'refresh_token'], redirect_uris: [redirectUri] }),
});
for (const client of [...benchClients, ...manyClients()]) rows.set(`Client:${client.clientId}`, metadata(client));

const configuration: Configuration = {
  adapter: MapAdapter,
  jwks: { keys: [await signingKey('ES256'), await signingKey('RS256')] },
  cookies: { keys: ['bench'] },
  routes: {
    authorization: '/oauth2/authorize',
    token: '/oauth2/token',
    userinfo: '/oauth2/userinfo',
    jwks: '/oauth2/jwks',
    introspection: '/oauth2/introspect',
    revocation: '/oauth2/revoke',
  },
  scopes: ['openid', 'offline_access', 'projects:read'],
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  expiresWithSession: () => false,
  findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  loadExistingGrant: async (ctx) => {
    const { session, client } = ctx.oidc;
    const id = session?.grantIdFor(client?.clientId ?? '');
    if (id) return ctx.oidc.provider.Grant.find(id);
    const grant = new ctx.oidc.provider.Grant({ accountId: session?.accountId, clientId: client?.clientId });
    grant.addOIDCScope('openid offline_access projects:read');
    grant.addResourceScope(api.es256, 'projects:read');
    await grant.save();
    return grant;
  },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, identifier) => {
        const { format, alg } = resourceOf[identifier] ?? { format: 'opaque', alg: 'ES256' };
        return { audience: identifier, scope: 'projects:read', accessTokenFormat: format, jwt: { sign: { alg } } };
      },
    },
  },
};
const provider = new Provider(issuer, configuration);
handle = provider.callback();
answerParent(issuer);
process.on('disconnect', () => process.exit(0));
