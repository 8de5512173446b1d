import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Client } from '../../clients/index.js';
import type { ApiKey, ServiceAccount } from '../../service-accounts/index.js';
import { epochSeconds, type Clock } from '../../kernel/time.js';
import { certificateMethods } from '../mutual-tls.js';
import { knownScopes } from '../options/scopes.js';
import { createRevisedMap, type RevisionScope } from '../../platform/cache/revised.js';

/** What we keep about a client beside its RFC 7591 metadata; declared to the library as `extraClientMetadata`,
 * which keeps these names as they are. */
export interface ClientExtension {
  kind: Client['kind'];
  tenantId: string | null;
  firstParty: boolean;
  signUp: boolean;
  requirePkce: boolean;
  allowedResources: string[];
  /** Scopes it may be given, of OpenID and of APIs; null: whatever else allows. */
  allowedScopes: string[] | null;
  /** Client ids of service accounts that may act for people through it. */
  allowedActors: string[];
  liveSecrets: LiveSecret[];
  /** Of a service account with public keys: the member who set them, and so has the private ones. */
  keysSetBy: string | null;
  /** It authenticates with a certificate, or its tokens are bound to one. */
  needsCertificate: boolean;
}

export interface LiveSecret {
  hash: string;
  /** Of an API key: its id, and the member who made it and knows it. */
  apiKey?: { id: string; createdBy: string | null };
  /** Epoch seconds; null does not expire. */
  expiresAt: number | null;
}

export const clientExtensionProperties: readonly (keyof ClientExtension)[] = [
  'kind',
  'tenantId',
  'firstParty',
  'signUp',
  'requirePkce',
  'allowedResources',
  'allowedScopes',
  'allowedActors',
  'liveSecrets',
  'keysSetBy',
  'needsCertificate',
];

export interface ClientAdapterDeps {
  /** Of a tenant, or of what belongs to none; see the events. */
  revisionOf(scope: RevisionScope): Promise<number>;
  unrevisedCacheSeconds: number;
  now: Clock;
  findClient(clientId: string): Promise<Client | null>;
  findServiceAccount(tenantId: string, clientId: string): Promise<ServiceAccount | null>;
  listApiKeys(tenantId: string, serviceAccountId: string): Promise<ApiKey[]>;
  isLiveKey(key: ApiKey, now: Date): boolean;
}

const longestClientId = 256;

/** Clients as the library wants them. Read by every request, so kept until something changes in the tenant they are of. */
export function clientAdapter(deps: ClientAdapterDeps): Adapter {
  const cache = createRevisedMap<AdapterPayload | undefined>({
    revisionOf: deps.revisionOf,
    maxAgeSeconds: deps.unrevisedCacheSeconds,
  });

  async function ownerOf(clientId: string): Promise<RevisionScope | undefined> {
    return (await deps.findClient(clientId))?.tenantId;
  }

  async function load(clientId: string, owner: RevisionScope): Promise<AdapterPayload | undefined> {
    const [client, account] = await Promise.all([
      deps.findClient(clientId),
      owner === null ? null : deps.findServiceAccount(owner, clientId),
    ]);
    if (!client) return undefined;
    if (client.kind === 'application' || client.tenantId === null) {
      return toLibraryMetadata(
        client,
        client.secretHashes.map((hash) => ({ hash, expiresAt: null })),
      );
    }
    if (account?.status !== 'active' || account.tenantId !== client.tenantId) return undefined;
    const takesKeys = !withoutSecret.has(account.authentication.token_endpoint_auth_method);
    const secrets = takesKeys ? await liveApiKeys(client.tenantId, account.id) : [];
    return toLibraryMetadata(client, secrets, account.authenticationSetBy);
  }

  async function liveApiKeys(tenantId: string, serviceAccountId: string): Promise<LiveSecret[]> {
    const keys = await deps.listApiKeys(tenantId, serviceAccountId);
    return keys
      .filter((key) => deps.isLiveKey(key, deps.now()))
      .map(({ id, createdBy, secretHash, expiresAt }) => ({
        ...{ hash: secretHash, expiresAt: expiresAt && epochSeconds(expiresAt) },
        apiKey: { id, createdBy },
      }));
  }

  return {
    // what cannot be a client's takes no memory
    find: async (clientId) =>
      clientId.length > longestClientId
        ? undefined
        : cache.get(
            clientId,
            () => ownerOf(clientId),
            (owner) => load(clientId, owner),
          ),
    upsert: async () => notHere(),
    destroy: async () => notHere(),
    consume: async () => notHere(),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    revokeByGrantId: async () => undefined,
  };
}

const withoutSecret: ReadonlySet<string> = new Set(['none', 'private_key_jwt', ...certificateMethods]);

export function toLibraryMetadata(
  client: Client,
  secrets: LiveSecret[],
  keysSetBy: string | null = null,
): AdapterPayload {
  const { token_endpoint_auth_method: method, tls_client_certificate_bound_access_tokens: isBound } = client.metadata;
  const extension: ClientExtension = {
    kind: client.kind,
    tenantId: client.tenantId,
    firstParty: client.firstParty,
    signUp: client.signUp ?? client.tenantId === null,
    requirePkce: client.requirePkce,
    allowedResources: client.resources,
    allowedActors: client.actors,
    allowedScopes: client.scope?.split(' ') ?? null,
    ...{ liveSecrets: secrets, keysSetBy },
    needsCertificate: isBound === true || certificateMethods.some((name) => name === method),
  };
  // the library knows the OpenID scopes alone and would refuse permissions
  const oidcPart = extension.allowedScopes?.filter((scope) => knownScopes.includes(scope)).join(' ');
  return {
    client_id: client.clientId,
    // The library wants a secret to be there; ours are hashed and compared elsewhere (`compareClientSecret`), and no
    // algorithm that would use this text as a key is enabled.
    ...(withoutSecret.has(method) ? {} : { client_secret: 'stored-hashed' }),
    ...client.metadata,
    ...(oidcPart === undefined ? {} : { scope: oidcPart }),
    ...extension,
  } as AdapterPayload;
}

function notHere(): never {
  throw new Error('clients are not changed through the OIDC library');
}
