/**
 * The land of `oidc-provider`: its configuration, its storage, its hooks, and the ways in which the rest of the product
 * meets it. Owns the `oidc_*` collections and the endpoints under `/oauth2` and `/.well-known`. Pages that people see
 * while they sign in are the sign-in slice's; this one tells them what is asked and takes their answer.
 */
import type { Middleware } from 'koa';
import type { Adapter } from 'oidc-provider';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Client } from '../clients/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Logger } from '../platform/log/logger.js';
import type { BrowserIds } from '../platform/http/browser-id.js';
import type { AnswerError, ProtocolHandler } from '../platform/http/listener.js';
import type { Pages } from '../platform/http/pages.js';
import type { PrivateJwk } from '../signing-keys/index.js';
import { createAdapterFactory, ensureProtocolIndexes, type AdapterDeps } from './adapter/index.js';
import {
  clientAdapter,
  toLibraryMetadata,
  type ClientAdapterDeps,
  type ClientExtension,
} from './adapter/client-adapter.js';
import { grantAdapter } from './adapter/grant-adapter.js';
import { revokedTokens } from './adapter/revoked-tokens.js';
import { sessionsOf, type SessionsOf } from './adapter/sessions-of.js';
import { bearerFinder, type FindBearer } from './bearer.js';
import { createRecentReads, type RecentReads, type RecentReadsDeps } from './adapter/recent-reads.js';
import { browserSessions } from './adapter/browser-sessions.js';
import { createEndings, type EndingDeps, type Endings } from './adapter/endings.js';
import { accessTokenVerifier } from './adapter/jwt-access-tokens.js';
import { buildProvider, type BuildProviderDeps } from './build-provider.js';
import { createClientKeys, type ClientKeys, type ClientKeysDeps } from './client-keys.js';
import { currentSessions, type CurrentSessions } from './current-session.js';
import { useDeviceMiddleware } from './device-requests.js';
import { grantLifetime } from './grants.js';
import { createInteractions, type Interactions } from './interactions.js';
import { protocolRoutes, type ProtocolRoute } from './options/endpoints.js';
import type { SendLogout, SessionIdOf } from './library-internals.js';
import { createLogouts, type LogoutDeps, type Logouts } from './logouts.js';
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
export type { UpstreamLogin } from './adapter/session-adapter.js';
export type { BrowserExchange, HalfDoneLogin, Interaction, Interactions, LinkingLogin } from './interactions.js';
export type { CurrentSession, CurrentSessions } from './current-session.js';
export type { Endings } from './adapter/endings.js';
export type { SessionOfUser, SessionsOf } from './adapter/sessions-of.js';
export type { Bearer, FindBearer } from './bearer.js';
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
  | 'publishedKeys'
  | 'sessionIdOf'
>;

export interface OidcDeps
  extends
    Inherited,
    EndingDeps,
    RecentReadsDeps,
    ClientKeysDeps,
    Omit<LogoutDeps, 'findClient'>,
    Pick<AdapterDeps, 'confirmSignIn' | 'findIdentity' | 'findConnection' | 'findDomain' | 'isWayIn' | 'queueMail'>,
    Pick<Parameters<typeof createEndings>[0], 'remains'>,
    Omit<ClientAdapterDeps, 'now'>,
    Omit<TenantChoiceDeps, 'authorizationOf'> {
  database: Database;
  keyRing: KeyRing;
  log: Logger;
  pages: Pages;
  limits: ProtocolLimits;
  answerError: AnswerError;
  browserIds: BrowserIds;
  /** The client through which people come to their own account. */
  accountClientId: string;
}

export interface OidcModule {
  protocol: ProtocolHandler;
  routes: readonly ProtocolRoute[];
  answerOtherMethods: Middleware;
  interactions: Interactions;
  /** Throws, with the reason, metadata that the library would refuse. */
  checkClient(client: Client): Promise<void>;
  endings: Endings;
  /** Tells apps whose sessions have ended. */
  logouts: Pick<Logouts, 'deliverDue' | 'start' | 'stop'>;
  sessions: SessionsOf;
  currentSessions: CurrentSessions;
  findBearer: FindBearer;
  /** The public keys of this moment, for who verifies our tokens in this process. */
  publicKeys: JWTVerifyGetKey;
  /** OpenID scopes that clients may ask for. */
  scopes: readonly string[];
  ensureIndexes(): Promise<void>;
  /** Swaps in a provider with these keys; requests under way finish with the former one. */
  useSigningKeys(keys: readonly PrivateJwk[]): void;
}

export function oidcModule(deps: OidcDeps, initialKeys: readonly PrivateJwk[]): OidcModule {
  const logouts = createLogouts(deps, () => ({
    findClient: (clientId) => current.provider.Client.find(clientId),
    sendLogout: current.sendLogout,
  }));
  const endings = createEndings({ ...deps, queueLogouts: logouts.queueLogouts });
  const recentReads = createRecentReads(deps);
  const revoked = revokedTokens(deps);
  const clients = clientAdapter(deps);
  const records = { ...deps, hash: deps.keyRing.hashFor('protocol-record'), sealing: deps.keyRing.sealing };
  const publishedKeys = createClientKeys(deps);
  const grants = grantAdapter({ ...records, revokeGrant: endings.revokeGrant });
  const tenantChoiceDeps = { ...deps, authorizationOf: deps.access.authorizationOf };
  const lifetimeOfGrant = grantLifetime(deps.lifetimes, deps.now);
  let current = build(initialKeys);

  function build(keys: readonly PrivateJwk[]): Application {
    const parts = { ...{ records, endings, clients, revoked, recentReads }, publishedKeys, lifetimeOfGrant };
    return buildApplication(deps, { ...parts, tenantChoiceDeps, sessionIdOf: logouts.sessionIdOf }, keys);
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
    logouts,
    sessions: sessionsOf(records),
    currentSessions: currentSessions(deps, browserSessions(records)),
    findBearer: bearerFinder({ ...deps, revoked, ...readersFor({ clients, grants, recentReads }) }),
    publicKeys: (header, token) => current.publicKeys(header, token),
    scopes: knownScopes,
    async ensureIndexes() {
      await ensureProtocolIndexes(deps.database);
      await logouts.ensureIndexes();
    },
    useSigningKeys(keys) {
      current = build(keys);
    },
  };
}

type Application = ProtocolApplication & { publicKeys: JWTVerifyGetKey; sendLogout: SendLogout };

interface Parts extends Pick<AdapterDeps, 'endings' | 'clients' | 'revoked' | 'recentReads'> {
  records: Omit<
    AdapterDeps,
    'endings' | 'clients' | 'revoked' | 'recentReads' | 'verifyAccessToken' | 'devicePollSeconds'
  >;
  publishedKeys: ClientKeys;
  lifetimeOfGrant: BuildProviderDeps['grantLifetime'];
  tenantChoiceDeps: Parameters<typeof tenantChooser>[0];
  sessionIdOf: SessionIdOf;
}

/** The library's application with these keys, and what leans on it. */
function buildApplication(deps: OidcDeps, parts: Parts, keys: readonly PrivateJwk[]): Application {
  const { records, endings, clients, revoked, recentReads, tenantChoiceDeps } = parts;
  const verifyAccessToken = accessTokenVerifier(deps.issuer, publicJwks(keys));
  const adapter = createAdapterFactory({
    ...{ ...records, endings, clients, revoked, recentReads, verifyAccessToken },
    devicePollSeconds: deps.lifetimes.devicePollSeconds,
  });
  const { provider, sendLogout } = buildProvider(
    {
      ...deps,
      ...{ adapter, verifyAccessToken, publishedKeys: parts.publishedKeys, sessionIdOf: parts.sessionIdOf },
      chooseTenant: tenantChooser(tenantChoiceDeps),
      chooseTenantOf: (hints) => chooseTenantBy(tenantChoiceDeps, hints),
      findGrantId: endings.findGrantId,
      grantLifetime: parts.lifetimeOfGrant,
      pages: createProtocolPages(deps),
      dpopNonceSecret: deps.keyRing.bytesFor('dpop-nonce'),
    },
    keys,
  );
  const documents = new Map() as ProtocolApplication['documents'];
  useProtocolMiddleware({ provider, documents }, { ...deps, verifyAccessToken });
  useDeviceMiddleware(provider, deps.lifetimes);
  listenTo(provider, deps.log);
  const publicKeys = createLocalJWKSet(publicJwks(keys));
  return { provider, documents, handle: provider.callback(), publicKeys, sendLogout };
}

/** What is asked about the bearer of every request to an API of ours. */
function readersFor(from: { clients: Adapter; grants: Adapter; recentReads: RecentReads }) {
  const { clients, grants, recentReads } = from;
  return {
    findClient: (id: string) => clients.find(id) as Promise<ClientExtension | undefined>,
    findGrant: (id: string) => recentReads.get(`bearer\0${id}`, async () => grants.find(id)) as Promise<never>,
  };
}

function publicJwks(keys: readonly PrivateJwk[]): JSONWebKeySet {
  const privateMembers = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);
  return {
    keys: keys.map((key) => Object.fromEntries(Object.entries(key).filter(([name]) => !privateMembers.has(name)))),
  };
}
