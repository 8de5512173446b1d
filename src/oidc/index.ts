/**
 * The land of `oidc-provider`: its configuration, its storage, its hooks, and the ways in which the rest of the product
 * meets it. Owns the `oidc_*` collections and the endpoints under `/oauth2` and `/.well-known`. Pages that people see
 * while they sign in are the sign-in slice's; this one tells them what is asked and takes their answer.
 */
import type { Middleware } from 'koa';
import type { JSONWebKeySet } from 'jose';
import type { Client } from '../clients/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Logger } from '../platform/log/logger.js';
import type { BrowserIds } from '../platform/http/browser-id.js';
import type { AnswerError, ProtocolHandler } from '../platform/http/listener.js';
import type { Pages } from '../platform/http/pages.js';
import type { PrivateJwk } from '../signing-keys/index.js';
import { createAdapterFactory, ensureProtocolIndexes, type AdapterDeps } from './adapter/index.js';
import { clientAdapter, toLibraryMetadata, type ClientAdapterDeps } from './adapter/client-adapter.js';
import { createRecentReads, type RecentReadsDeps } from './adapter/recent-reads.js';
import { createEndings, type EndingDeps, type Endings } from './adapter/endings.js';
import { accessTokenVerifier } from './adapter/jwt-access-tokens.js';
import { buildProvider, type BuildProviderDeps } from './build-provider.js';
import { useDeviceMiddleware } from './device-requests.js';
import { grantLifetime } from './grants.js';
import { createInteractions, type Interactions } from './interactions.js';
import { protocolRoutes, type ProtocolRoute } from './options/endpoints.js';
import { knownScopes } from './options/scopes.js';
import { listenTo } from './library-events.js';
import { createProtocolPages } from './protocol-pages.js';
import {
  protocolHandler,
  answerOtherMethods,
  useProtocolMiddleware,
  type ProtocolApplication,
  type ProtocolLimits,
} from './protocol-handler.js';
import { chooseTenant as chooseTenantBy, tenantChooser, type TenantChoiceDeps } from './tenant-choice.js';

export type { ConsentRequest } from './consent.js';
export type { BrowserExchange, Interaction, Interactions } from './interactions.js';
export type { Endings } from './adapter/endings.js';
export type { PromptName } from './interaction-policy.js';

type Inherited = Omit<
  BuildProviderDeps,
  | 'adapter'
  | 'pages'
  | 'chooseTenant'
  | 'chooseTenantOf'
  | 'verifyAccessToken'
  | 'findGrantId'
  | 'grantLifetime'
  | 'dpopNonceSecret'
>;

export interface OidcDeps
  extends
    Inherited,
    EndingDeps,
    RecentReadsDeps,
    Pick<AdapterDeps, 'confirmSignIn'>,
    Omit<ClientAdapterDeps, 'now'>,
    Omit<TenantChoiceDeps, 'authorizationOf'> {
  database: Database;
  keyRing: KeyRing;
  log: Logger;
  pages: Pages;
  limits: ProtocolLimits;
  answerError: AnswerError;
  browserIds: BrowserIds;
}

export interface OidcModule {
  protocol: ProtocolHandler;
  routes: readonly ProtocolRoute[];
  answerOtherMethods: Middleware;
  interactions: Interactions;
  /** Throws, with the reason, metadata that the library would refuse. */
  checkClient(client: Client): Promise<void>;
  endings: Endings;
  /** OpenID scopes that clients may ask for. */
  scopes: readonly string[];
  ensureIndexes(): Promise<void>;
  /** Swaps in a provider with these keys; requests under way finish with the former one. */
  useSigningKeys(keys: readonly PrivateJwk[]): void;
}

export function oidcModule(deps: OidcDeps, initialKeys: readonly PrivateJwk[]): OidcModule {
  const endings = createEndings(deps);
  const recentReads = createRecentReads(deps);
  const lifetimeOfGrant = grantLifetime(deps.lifetimes, deps.now);
  const tenantChoiceDeps = { ...deps, authorizationOf: deps.access.authorizationOf };
  const chooseTenant = tenantChooser(tenantChoiceDeps);
  const protocolPages = createProtocolPages(deps);
  let current = build(initialKeys);

  function build(keys: readonly PrivateJwk[]): ProtocolApplication {
    const verifyAccessToken = accessTokenVerifier(deps.issuer, publicJwks(keys));
    const adapter = createAdapterFactory({
      ...deps,
      hash: deps.keyRing.hashFor('protocol-record'),
      sealing: deps.keyRing.sealing,
      endings,
      clients: clientAdapter(deps),
      recentReads,
      verifyAccessToken,
      devicePollSeconds: deps.lifetimes.devicePollSeconds,
    });
    const provider = buildProvider(
      {
        ...deps,
        ...{ adapter, chooseTenant, verifyAccessToken },
        chooseTenantOf: (hints) => chooseTenantBy(tenantChoiceDeps, hints),
        findGrantId: endings.findGrantId,
        grantLifetime: lifetimeOfGrant,
        pages: protocolPages,
        dpopNonceSecret: deps.keyRing.bytesFor('dpop-nonce'),
      },
      keys,
    );
    const documents = new Map() as ProtocolApplication['documents'];
    useProtocolMiddleware({ provider, documents }, { ...deps, verifyAccessToken });
    useDeviceMiddleware(provider, deps.lifetimes);
    listenTo(provider, deps.log);
    return { provider, documents, handle: provider.callback() };
  }

  return {
    protocol: protocolHandler(() => current),
    routes: protocolRoutes,
    answerOtherMethods: answerOtherMethods(deps.limits),
    interactions: createInteractions({
      ...tenantChoiceDeps,
      grantLifetime: lifetimeOfGrant,
      currentProvider: () => current.provider,
    }),
    async checkClient(client) {
      await (current.provider.Client as unknown as { validate(metadata: unknown): Promise<void> }).validate(
        toLibraryMetadata(client, []),
      );
    },
    endings,
    scopes: knownScopes,
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
