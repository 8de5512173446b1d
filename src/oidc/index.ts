/**
 * The land of `oidc-provider`: its configuration, its storage, its hooks, and the ways in which the rest of the product
 * meets it. Owns the `oidc_*` collections and the endpoints under `/oauth2` and `/.well-known`. Pages that people see
 * while they sign in are the sign-in slice's; this one tells them what is asked and takes their answer.
 */
import type { Middleware } from 'koa';
import type Provider from 'oidc-provider';
import type { JSONWebKeySet } from 'jose';
import type { Client } from '../clients/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Logger } from '../platform/log/logger.js';
import type { Pages } from '../platform/http/pages.js';
import type { PrivateJwk } from '../signing-keys/index.js';
import { createAdapterFactory, ensureProtocolIndexes } from './adapter/index.js';
import { clientAdapter, toLibraryMetadata, type ClientAdapterDeps } from './adapter/client-adapter.js';
import { createEndings, type EndingDeps } from './adapter/grant-adapter.js';
import { accessTokenVerifier } from './adapter/jwt-access-tokens.js';
import { buildProvider, type BuildProviderDeps } from './build-provider.js';
import { createInteractions, type Interactions } from './interactions.js';
import { createProtocolPages } from './protocol-pages.js';
import { handProtocolRequests, useProtocolMiddleware, type RequestListener } from './protocol-routes.js';
import { tenantChooser, type TenantChoiceDeps } from './tenant-choice.js';

export type { BrowserExchange, Interaction, Interactions } from './interactions.js';
export type { PromptName } from './interaction-policy.js';

type Inherited = Omit<BuildProviderDeps, 'adapter' | 'pages' | 'chooseTenant' | 'findGrantId' | 'dpopNonceSecret'>;

export interface OidcDeps
  extends Inherited, EndingDeps, Omit<ClientAdapterDeps, 'now'>, Omit<TenantChoiceDeps, 'authorizationOf'> {
  database: Database;
  keyRing: KeyRing;
  log: Logger;
  pages: Pages;
  bodyBytes: number;
}

export interface OidcModule {
  middleware: Middleware;
  interactions: Interactions;
  /** Throws, with the reason, metadata that the library would refuse. */
  checkClient(client: Client): Promise<void>;
  forgetClients(): void;
  ensureIndexes(): Promise<void>;
  /** Swaps in a provider with these keys; requests under way finish with the former one. */
  useSigningKeys(keys: readonly PrivateJwk[]): void;
}

interface Current {
  provider: Provider;
  handle: RequestListener;
}

export function oidcModule(deps: OidcDeps, initialKeys: readonly PrivateJwk[]): OidcModule {
  const endings = createEndings(deps);
  const clients = clientAdapter(deps);
  const tenantChoiceDeps = { ...deps, authorizationOf: deps.access.authorizationOf };
  const chooseTenant = tenantChooser(tenantChoiceDeps);
  const protocolPages = createProtocolPages(deps);
  let current = build(initialKeys);

  function build(keys: readonly PrivateJwk[]): Current {
    const verifyAccessToken = accessTokenVerifier(deps.issuer, publicJwks(keys));
    const adapter = createAdapterFactory({
      ...deps,
      hash: deps.keyRing.hashFor('protocol-record'),
      sealing: deps.keyRing.sealing,
      endings,
      clients: clients.adapter,
      verifyAccessToken,
    });
    const provider = buildProvider(
      {
        ...deps,
        adapter,
        chooseTenant,
        findGrantId: endings.findGrantId,
        pages: protocolPages,
        dpopNonceSecret: deps.keyRing.bytesFor('dpop-nonce'),
      },
      keys,
    );
    useProtocolMiddleware(provider, { verifyAccessToken, bodyBytes: deps.bodyBytes });
    provider.on('server_error', (ctx, error) => {
      deps.log.error({ requestId: ctx.state['requestId'] as string, err: error }, 'protocol request failed');
    });
    return { provider, handle: provider.callback() };
  }

  return {
    middleware: handProtocolRequests(() => current.handle),
    interactions: createInteractions(() => current.provider, tenantChoiceDeps),
    async checkClient(client) {
      await (current.provider.Client as unknown as { validate(metadata: unknown): Promise<void> }).validate(
        toLibraryMetadata(client, []),
      );
    },
    forgetClients: clients.forgetClients,
    ensureIndexes: () => ensureProtocolIndexes(deps.database),
    useSigningKeys(keys) {
      current = build(keys);
    },
  };
}

function publicJwks(keys: readonly PrivateJwk[]): JSONWebKeySet {
  const privateMembers = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);
  return {
    keys: keys.map((key) => Object.fromEntries(Object.entries(key).filter(([name]) => !privateMembers.has(name)))),
  };
}
