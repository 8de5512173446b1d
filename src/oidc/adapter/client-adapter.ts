import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Client } from '../../clients/index.js';
import type { ApiKey, ServiceAccount } from '../../service-accounts/index.js';
import { epochSeconds, type Clock } from '../../kernel/time.js';
import { knownScopes } from '../options/scopes.js';
import { createRevisedMap, type RevisionScope } from '../../platform/cache/revised.js';

/** What we keep about a client beside its RFC 7591 metadata; declared to the library as `extraClientMetadata`,
 * which keeps these names as they are. */
export interface ClientExtension {
  kind: Client['kind'];
  tenantId: string | null;
  firstParty: boolean;
  requirePkce: boolean;
  allowedResources: string[];
  /** Scopes it may be given, of OpenID and of APIs; null: whatever else allows. */
  allowedScopes: string[] | null;
  /** Client ids of service accounts that may act for people through it. */
  allowedActors: string[];
  liveSecrets: LiveSecret[];
}

export interface LiveSecret {
  hash: string;
  /** Epoch seconds; null does not expire. */
  expiresAt: number | null;
}

export const clientExtensionProperties: readonly (keyof ClientExtension)[] = [
  'kind',
  'tenantId',
  'firstParty',
  'requirePkce',
  'allowedResources',
  'allowedScopes',
  'allowedActors',
  'liveSecrets',
];

export interface ClientAdapterDeps {
  /** Of a tenant, or of what belongs to none; see the events. */
  revisionOf(scope: RevisionScope): Promise<number>;
  unrevisedCacheSeconds: number;
  now: Clock;
  findClient(clientId: string): Promise<Client | null>;
  findServiceAccount(tenantId: string, clientId: string): Promise<ServiceAccount | null>;
  listApiKeys(tenantId: string, serviceAccountId: string): Promise<ApiKey[]>;
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
    if (account.jwks) {
      const { jwks } = account;
      const metadata = { ...client.metadata, token_endpoint_auth_method: 'private_key_jwt', jwks };
      return toLibraryMetadata({ ...client, metadata }, []);
    }
    return toLibraryMetadata(client, await liveApiKeys(client.tenantId, account.id));
  }

  async function liveApiKeys(tenantId: string, serviceAccountId: string): Promise<LiveSecret[]> {
    const keys = await deps.listApiKeys(tenantId, serviceAccountId);
    return keys
      .filter((key) => key.revokedAt === null && (key.expiresAt === null || key.expiresAt > deps.now()))
      .map((key) => ({ hash: key.secretHash, expiresAt: key.expiresAt && epochSeconds(key.expiresAt) }));
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

const withoutSecret: ReadonlySet<string> = new Set(['none', 'private_key_jwt']);

export function toLibraryMetadata(client: Client, secrets: LiveSecret[]): AdapterPayload {
  const extension: ClientExtension = {
    kind: client.kind,
    tenantId: client.tenantId,
    firstParty: client.firstParty,
    requirePkce: client.requirePkce,
    allowedResources: client.resources,
    allowedActors: client.actors,
    allowedScopes: client.scope?.split(' ') ?? null,
    liveSecrets: secrets,
  };
  // the library knows the OpenID scopes alone and would refuse permissions
  const oidcPart = extension.allowedScopes?.filter((scope) => knownScopes.includes(scope)).join(' ');
  return {
    client_id: client.clientId,
    // The library wants a secret to be there; ours are hashed and compared elsewhere (`compareClientSecret`), and no
    // algorithm that would use this text as a key is enabled.
    ...(withoutSecret.has(client.metadata.token_endpoint_auth_method) ? {} : { client_secret: 'stored-hashed' }),
    ...client.metadata,
    ...(oidcPart === undefined ? {} : { scope: oidcPart }),
    ...extension,
  } as AdapterPayload;
}

function notHere(): never {
  throw new Error('clients are not changed through the OIDC library');
}
