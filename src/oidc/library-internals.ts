/**
 * The one place that reaches behind the library's public interface: three class members are replaced and a few untyped
 * ones are read. `test/contracts/library-internals.test.ts` fails when a new version of the library moves them.
 */
import type Provider from 'oidc-provider';
import { checkDpopReplay, checkDpopRequired, validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import { errors, type AdapterPayload, type Client as LibraryClient, type KoaContextWithOIDC } from 'oidc-provider';
import type { ClientExtension } from './adapter/client-adapter.js';
import type { GrantBinding } from './adapter/grant-binding.js';

/** Names of ours that a Grant carries beside the library's. */
const grantMembers: readonly (keyof GrantBinding)[] = ['tenantId', 'sessionUid', 'offline', 'exchangedFrom'];

/** Lets the Grant carry its tenant and session. Must run before the first grant is made: payload lists are cached. */
export function extendGrantPayload(provider: Provider): void {
  const original = Object.getOwnPropertyDescriptor(provider.Grant, 'IN_PAYLOAD')?.get;
  if (!original) throw new Error('oidc-provider: Grant.IN_PAYLOAD is not a getter any more');
  Object.defineProperty(provider.Grant, 'IN_PAYLOAD', {
    configurable: true,
    get: () => [...(original.call(provider.Grant) as string[]), ...grantMembers],
  });
}

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

/**
 * Clients, made once for as long as the adapter gives the same metadata object. By itself the library serialises and
 * hashes the metadata at every request to find the client it has made of it, and keeps no more than a hundred.
 */
export function keepClients(
  provider: Provider,
  findMetadata: (clientId: string) => Promise<AdapterPayload | undefined | void>,
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
    const client = make(clientId);
    made.set(metadata, client);
    return client;
  };
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
  refusal: string | null;
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
  const refusal = said instanceof errors.OIDCProviderError ? (said.error_description ?? null) : null;
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
