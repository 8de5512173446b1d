/**
 * The one place that reaches behind the library's public interface: seven class members and the
 * methods of a keystore are replaced, and a few untyped ones are read. `test/contracts/library-internals.test.ts` fails when a new version of the library moves them.
 */
import type { X509Certificate } from 'node:crypto';
import { checkDpopReplay, checkDpopRequired, checkMtlsCert, validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import Provider, {
  errors,
  type AdapterPayload,
  type Client as LibraryClient,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { ClientKeys } from './client-keys.js';
import type { ClientExtension } from './adapter/client-adapter.js';
import type { GrantBinding } from './adapter/grant-binding.js';

/** Names of ours that a Grant carries beside the library's. */
const grantMembers: readonly (keyof GrantBinding)[] = [
  ...(['tenantId', 'sessionUid', 'offline', 'exchangedFrom', 'boundTenantId', 'connectionId', 'domainId'] as const),
];
/** And a Session. */
const sessionMembers: readonly (keyof BoundSession)[] = ['boundTenantId', 'connectionId', 'domainId', 'sessionSeconds'];

/** What bounds a sign-in that an upstream provider has vouched for. */
export interface BoundSession {
  /** What it opens, where that is a tenant's own: that tenant, and nothing else of the person. */
  boundTenantId?: string | undefined;
  /** By which it was done, and by which domain that opened the whole account. */
  connectionId?: string | undefined;
  domainId?: string | undefined;
  /** How long after it began it ends at the latest, where the connection says so. */
  sessionSeconds?: number | undefined;
}

/** Lets a Grant carry its tenant and session, and both what they are bound to. Must run before the first of them is made: payload lists are cached. */
export function extendPayloads(provider: Provider): void {
  extendPayload('Grant', provider.Grant, grantMembers);
  extendPayload('Session', provider.Session, sessionMembers);
}

function extendPayload(name: string, model: object, members: readonly string[]): void {
  const original = Object.getOwnPropertyDescriptor(model, 'IN_PAYLOAD')?.get;
  if (!original) throw new Error(`oidc-provider: ${name}.IN_PAYLOAD is not a getter any more`);
  Object.defineProperty(model, 'IN_PAYLOAD', {
    configurable: true,
    get: () => [...(original.call(model) as string[]), ...members],
  });
}

/** Tells of each time that a session gets its person, in the moment in which it does. */
export function watchLogins(provider: Provider, note: (ctx: KoaContextWithOIDC, session: BoundSession) => void): void {
  const prototype = provider.Session.prototype as unknown as {
    loginAccount: (this: BoundSession, how: object) => void;
  };
  const original = prototype.loginAccount;
  if (typeof original !== 'function') throw new Error('oidc-provider: Session.loginAccount is gone');
  prototype.loginAccount = function (how) {
    original.call(this, how);
    if (Provider.ctx) note(Provider.ctx, this);
  };
}

/** Which tenant alone the sign-in of this request opens; undefined: all that the person belongs to. */
export function boundTenantOf(ctx: KoaContextWithOIDC): string | undefined {
  return upstreamBoundsOf(ctx).boundTenantId;
}

/** What a grant takes over of the sign-in of this request. */
export function upstreamBoundsOf({ oidc }: KoaContextWithOIDC): UpstreamBounds {
  const login = oidc.result?.login as BoundSession | undefined;
  return boundsIn(login ?? (oidc.session as BoundSession | undefined));
}

export function boundsIn(signedIn: BoundSession | undefined): UpstreamBounds {
  const { boundTenantId, connectionId, domainId } = signedIn ?? {};
  return { boundTenantId, connectionId, domainId };
}

type UpstreamBounds = Pick<GrantBinding, 'boundTenantId' | 'connectionId' | 'domainId'>;

/** Secrets are stored hashed and several may be live, so the comparison is ours. */
export function replaceSecretComparison(
  provider: Provider,
  matches: (client: KnownClient, presented: string) => boolean,
): void {
  const prototype = provider.Client.prototype as unknown as { compareClientSecret: (presented: string) => boolean };
  if (typeof prototype.compareClientSecret !== 'function')
    throw new Error('oidc-provider: Client.compareClientSecret is gone');
  prototype.compareClientSecret = function (this: KnownClient, presented) {
    return matches(this, presented);
  };
}

/** The name of a session that one app is told (`sid`). */
export type SessionIdOf = (sessionUid: string, clientId: string) => string;

/**
 * The library draws a `sid` at random and keeps it in the session, where the other of two tabs at once may overwrite it.
 * Ours follows from session and client, so that a session can be told to have ended by whoever knows the two.
 */
export function nameSessions(provider: Provider, sessionIdOf: SessionIdOf): void {
  const prototype = provider.Session.prototype as unknown as SessionOfClients;
  if (typeof prototype.ensureClientContainer !== 'function')
    throw new Error('oidc-provider: Session.ensureClientContainer is gone');
  prototype.ensureClientContainer = function (this: SessionOfClients, clientId) {
    this.sidFor(clientId, sessionIdOf(this.uid, clientId));
  };
}

interface SessionOfClients {
  uid: string;
  sidFor(clientId: string, sid?: string): string | undefined;
  ensureClientContainer(this: SessionOfClients, clientId: string): void;
}

/** Makes a logout token and posts it to the app; rejects unless that takes it. */
export type SendLogout = (client: LibraryClient, userId: string, sid: string) => Promise<void>;

/** At a sign-out the library would tell each app, once, before it answers. That is the queue's; see `createLogouts`. */
export function takeOverLogouts(provider: Provider): SendLogout {
  const prototype = provider.Client.prototype as unknown as { backchannelLogout: LibraryLogout };
  const send = prototype.backchannelLogout;
  if (typeof send !== 'function') throw new Error('oidc-provider: Client.backchannelLogout is gone');
  prototype.backchannelLogout = async () => undefined;
  return (client, userId, sid) => send.call(client, userId, sid);
}

type LibraryLogout = (this: LibraryClient, userId: string, sid: string) => Promise<void>;

/**
 * Clients, made once for as long as the adapter gives the same metadata object. By itself the library serialises and
 * hashes the metadata at every request to find the client it has made of it, and keeps no more than a hundred.
 */
export function keepClients(
  provider: Provider,
  findMetadata: (clientId: string) => Promise<AdapterPayload | undefined | void>,
  keys: ClientKeys,
): void {
  const library = provider.Client as unknown as { find(clientId: unknown): Promise<LibraryClient | undefined> };
  const make = library.find.bind(library);
  const made = new WeakMap<AdapterPayload, Promise<LibraryClient | undefined>>();
  library.find = async (clientId) => {
    if (typeof clientId !== 'string' || clientId === '') return undefined;
    const metadata = await findMetadata(clientId);
    if (!metadata) return undefined;
    const known = made.get(metadata);
    if (known) return known;
    const client = make(clientId).then((fresh) => fresh && takePublishedKeys(fresh, keys));
    made.set(metadata, client);
    return client;
  };
}

/** What the library's check of a signature uses of the keys of a client (`JWT.verify`). */
interface KeyStore {
  selectForVerify(options: object): unknown[];
  fresh(): boolean;
  refresh(): Promise<void>;
  clear(): void;
  add(key: object): void;
}

/**
 * Keys at a `jwks_uri` come from ours: by itself the library forgets them with each client that it makes anew, asks for
 * them again at every request while their host is down, and keeps them for as long as that host says.
 */
function takePublishedKeys(client: LibraryClient, keys: ClientKeys): LibraryClient {
  const { jwksUri } = client;
  if (jwksUri === undefined) return client;
  const store = (client as unknown as { asymmetricKeyStore: KeyStore }).asymmetricKeyStore;
  const select = store.selectForVerify.bind(store);
  store.fresh = () => keys.isRecent(jwksUri);
  store.refresh = () => keys.renew(jwksUri);
  store.selectForVerify = (options) => {
    store.clear();
    for (const key of keys.keysAt(jwksUri)) store.add(key);
    return select(options);
  };
  return client;
}

/** A client of the library with what we keep about it. */
export type KnownClient = LibraryClient & ClientExtension;

export function clientOf(ctx: KoaContextWithOIDC): KnownClient {
  if (!ctx.oidc.client) throw new Error('no client in this request');
  return ctx.oidc.client as KnownClient;
}

/** The parts of a Grant that the published types leave out. */
export interface KnownGrant extends GrantBinding {
  jti: string;
}

export function bindingOf(grant: unknown): KnownGrant {
  return grant as KnownGrant;
}

export interface KnownResourceServer {
  scopes: Set<string>;
}

/** Resources resolved for this request, by identifier. */
export function resourceServersOf(ctx: KoaContextWithOIDC): Record<string, KnownResourceServer> {
  return (ctx.oidc as unknown as { resourceServers: Record<string, KnownResourceServer> }).resourceServers;
}

/** What went wrong at `/device`. */
export interface DeviceError {
  kind: 'turned_down' | 'no_code' | 'of_no_use' | 'claimed' | 'unusable_form' | 'other';
  /** Words for the person, where a rule of ours refused. */
  refusal: { code: string; message: string } | null;
}

/** The library's errors for this page are not exported, so they are known by name; ours by their code. */
const kindsOfNames: Readonly<Record<string, DeviceError['kind']>> = {
  AbortedError: 'turned_down',
  NoCodeError: 'no_code',
  NotFoundError: 'of_no_use',
  ExpiredError: 'of_no_use',
  AlreadyUsedError: 'of_no_use',
};
const kindsOfCodes: Readonly<Record<string, DeviceError['kind']>> = {
  'device_code.claimed': 'claimed',
  'device_code.decided': 'of_no_use',
};

/** A session that was never saved has no end. */
export function hasStoredSession(ctx: KoaContextWithOIDC): boolean {
  return (ctx.oidc.session as { exp?: number } | undefined)?.exp !== undefined;
}

/**
 * After an error at `/device` the library puts the token of a form into the session and saves it once more, outside of
 * its error handler. Where no form is shown this is taken back: a session that was never saved cannot be saved there,
 * and a database that is away would turn the answer into a bare 500.
 */
export function leaveSessionUnsaved(ctx: KoaContextWithOIDC): void {
  if (ctx.oidc.session) (ctx.oidc.session as { touched?: boolean }).touched = false;
}

export function deviceErrorOf(ctx: KoaContextWithOIDC, error: unknown): DeviceError {
  const { name = '', error_detail: code = '', cause } = error as Error & { error_detail?: string };
  // a rule that refuses a person turns the code down; the library then hands the rule's error along
  const said = error instanceof errors.OIDCProviderError ? error : cause;
  const message = said instanceof errors.OIDCProviderError ? said.error_description : undefined;
  const refusal = message === undefined ? null : { code, message };
  const isForm = error instanceof errors.InvalidRequest && !(error instanceof errors.SessionNotFound);
  const unnamed = isForm && !ctx.oidc.entities.DeviceCode ? 'unusable_form' : 'other';
  return { kind: kindsOfNames[name] ?? kindsOfCodes[code] ?? unnamed, refusal };
}

/** The key of the DPoP proof of this request, if it brings one; used up, so that it cannot come again (RFC 9449). */
export async function takeDpopProof(ctx: KoaContextWithOIDC): Promise<string | undefined> {
  const { provider } = ctx.oidc;
  const proof = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, proof);
  await checkDpopReplay(provider, ctx, proof, clientOf(ctx).clientId);
  return proof?.thumbprint;
}

/** The certificate of this request where the client's tokens are bound to one; throws when it brings none. */
export function requiredCertificate(ctx: KoaContextWithOIDC): X509Certificate | undefined {
  return checkMtlsCert(ctx.oidc.provider, ctx);
}
