import type Provider from 'oidc-provider';
import { errors, type InteractionResults } from 'oidc-provider';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { temporarilyUnavailable } from '../kernel/errors.js';
import type { Language } from '../kernel/languages.js';
import { epochSeconds } from '../kernel/time.js';
import type { User } from '../users/index.js';
import type { UpstreamLogin } from './adapter/session-adapter.js';
import {
  clientOfInteraction,
  consentRequestOf,
  grantConsent,
  type ConsentDeps,
  type ConsentRequest,
  type Details,
} from './consent.js';
import type { PromptName } from './interaction-policy.js';
import { boundsIn, type BoundSession, type KnownClient } from './library-internals.js';
import { interactionExpired } from './oidc-errors.js';
import { pickedTenant, type InTenantDetails } from './tenant-choice.js';

/** The exchange with one browser: the raw request and response, because the library reads and sets cookies itself. */
export interface BrowserExchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/** An authorization request that waits for a person, as the sign-in pages see it. */
export interface Interaction {
  uid: string;
  prompt: PromptName;
  client: { clientId: string; name: string; uri: string | null; policyUri: string | null; tosUri: string | null };
  redirectUri: string | undefined;
  /** Parameter `login_hint`. */
  loginHint: string | undefined;
  /** Parameter `ui_locales`: languages that the person is known to prefer, the best first. */
  uiLocales: string | undefined;
  /** Parameter `invitation`: the token of its link. */
  invitation: string | undefined;
  /** The person who has signed in, from the second page on. */
  userId: string | undefined;
  /** How they did. */
  acr: string | undefined;
  amr: readonly string[];
  /** Of a login that is not finished yet: what was proven so far. Nobody is signed in by it. */
  halfDone: HalfDoneLogin | null;
  /** Somebody of a provider who waits for the owner of an account to sign in here, to be linked to it. */
  linking: LinkingLogin | null;
  /** In which the request acts, where it is known already: from the pages on that come once it is chosen. */
  tenantId: string | null;
  /** Parameter `tenant`: slug or id of the tenant that the app would like. */
  askedTenant: string | undefined;
  /** Owner of the client, if it is not the platform's. */
  clientTenantId: string | null;
  /** Whether people may make an account on the way into this app. */
  offersSignUp: boolean;
}

/** Every function answers with the address at which the browser goes on. */
export interface Interactions {
  /** Throws `interaction.expired` when this browser has no open interaction of this id. */
  read(exchange: BrowserExchange, uid: string): Promise<Interaction>;
  signedIn(exchange: BrowserExchange, login: Login): Promise<string>;
  /** A first factor is proven and something else still to be. Only the interaction knows of it. */
  firstFactorProven(exchange: BrowserExchange, halfDone: HalfDoneLogin): Promise<void>;
  /** Only the interaction knows of it, and it ends with the sign-in. */
  linkingBegun(exchange: BrowserExchange, linking: LinkingLogin): Promise<void>;
  /** Without what was to be linked, and without what was proven so far. */
  begunAnew(exchange: BrowserExchange): Promise<void>;
  /** Who is signed in has proven more. They signed in when they did: nothing lives longer for it. */
  steppedUp(exchange: BrowserExchange, more: Omit<Login, 'user'>): Promise<string>;
  /** When the person signed in, and which tenant alone that opens; null: all that they belong to. */
  currentSignIn(exchange: BrowserExchange): Promise<{ at: Date; boundTenantId: string | null }>;
  /** The person is a member of the tenant now, and goes on in it. */
  invitationAccepted(exchange: BrowserExchange, tenantId: string): Promise<string>;
  /** Of these terms of the tenant, if it was any of a tenant. */
  termsAccepted(exchange: BrowserExchange, accepted: { tenantId: string; version: string | null }): Promise<string>;
  profileCompleted(exchange: BrowserExchange): Promise<string>;
  tenantPicked(exchange: BrowserExchange, tenantId: string): Promise<string>;
  /** What a consent page asks for. Throws `interaction.expired` when its tenant is not open any more. */
  consentAsked(exchange: BrowserExchange): Promise<ConsentRequest>;
  /** Grants what was asked. */
  consented(exchange: BrowserExchange): Promise<string>;
  /** What is still missing is looked at once more, as of now. */
  lookedAtAgain(exchange: BrowserExchange): Promise<string>;
  refused(exchange: BrowserExchange, description: string): Promise<string>;
}

export interface Login {
  /** As they were when their credentials were looked at. */
  user: Pick<User, 'id' | 'credentialsChangedAt' | 'factorsChangedAt'>;
  acr: string;
  amr: string[];
  /** Where it was done: the flow goes on in no other browser. */
  browserId: string;
  /** The tenant that alone is opened by it, whose own provider vouched for the person. */
  boundTenantId?: string | undefined;
  /** How long it lasts at most, where the provider's connection says so. */
  sessionSeconds?: number | undefined;
  upstream?: UpstreamLogin | undefined;
  /** The account does not know the browser; in the language of the page, for the mail that tells of it. */
  newBrowser?: { language: Language } | undefined;
}

/** Who has proven a first factor in which browser, and with which credentials they had then. */
export interface HalfDoneLogin {
  userId: string;
  browserId: string;
  method: 'pwd' | 'federated';
  boundTenantId?: string | undefined;
  sessionSeconds?: number | undefined;
  upstream?: UpstreamLogin | undefined;
  credentialsChangedAt: string | null;
  factorsChangedAt: string | null;
}

/** Who a provider says it is, in which browser, and whose account has their address. */
export interface LinkingLogin {
  browserId: string;
  userId: string;
  tenantId: string;
  connectionId: string;
  issuer: string;
  subject: string;
  email: string;
  /** By which the connection is believed about the address, where that is a domain. */
  domainId?: string | undefined;
  /** As of the connection: how long a session lasts at most. */
  sessionSeconds?: number | undefined;
}

/** Of the browser's session: whose it is, and since when (seconds). */
interface SignedIn extends BoundSession {
  accountId?: string | undefined;
  loginTs?: number | undefined;
}

export function createInteractions(deps: ConsentDeps): Interactions {
  const { currentProvider } = deps;
  const details = ({ req, res }: BrowserExchange): Promise<Details> => currentProvider().interactionDetails(req, res);
  const finish = ({ req, res }: BrowserExchange, result: InteractionResults): Promise<string> =>
    currentProvider().interactionResult(req, res, result, { mergeWithLastSubmission: true });

  async function read(exchange: BrowserExchange, uid: string): Promise<Interaction> {
    const found = await details(exchange);
    if (found.uid !== uid) throw interactionExpired();
    return presentInteraction(found, await clientOfInteraction(deps, found));
  }

  const sessionOf = async (exchange: BrowserExchange): Promise<SignedIn> =>
    sessionOfInteraction(currentProvider(), await details(exchange));

  async function note(exchange: BrowserExchange, more: object): Promise<void> {
    const found = await details(exchange);
    found.lastSubmission = { ...found.lastSubmission, ...more };
    await found.persist();
  }

  async function consented(exchange: BrowserExchange): Promise<string> {
    const grantId = await grantConsent(deps, await details(exchange));
    return finish(exchange, { consent: { grantId } });
  }

  return {
    read: forPages(read),
    consented: forPages(consented),
    consentAsked: forPages(async (exchange: BrowserExchange) => consentRequestOf(deps, await details(exchange))),
    signedIn: forPages((exchange: BrowserExchange, { user, ...how }: Login) => {
      const { id: accountId, credentialsChangedAt, factorsChangedAt } = user;
      const { connectionId, domainId } = how.upstream ?? {};
      const at = { connectionId, domainId, ts: epochSeconds(deps.now()) };
      const login = { ...how, ...at, accountId, credentialsChangedAt, factorsChangedAt };
      return finish(exchange, { login, half_done: undefined, linking: undefined });
    }),
    firstFactorProven: forPages((exchange: BrowserExchange, halfDone: HalfDoneLogin) =>
      note(exchange, { half_done: halfDone }),
    ),
    linkingBegun: forPages((exchange: BrowserExchange, linking: LinkingLogin) => note(exchange, { linking })),
    begunAnew: forPages((exchange: BrowserExchange) => note(exchange, { linking: undefined, half_done: undefined })),
    steppedUp: forPages(async (exchange: BrowserExchange, how: Omit<Login, 'user'>) =>
      finish(exchange, { login: { ...how, ...keptOf(await sessionOf(exchange)) } }),
    ),
    currentSignIn: forPages(async (exchange: BrowserExchange) => {
      const { loginTs = 0, boundTenantId = null } = await sessionOf(exchange);
      return { at: new Date(loginTs * 1000), boundTenantId };
    }),
    invitationAccepted: forPages((exchange: BrowserExchange, tenantId: string) =>
      finish(exchange, { invitation: { tenantId } }),
    ),
    termsAccepted: forPages((exchange: BrowserExchange, terms: { tenantId: string; version: string | null }) =>
      finish(exchange, { terms }),
    ),
    profileCompleted: forPages((exchange: BrowserExchange) => finish(exchange, { profile: {} })),
    tenantPicked: forPages((exchange: BrowserExchange, tenantId: string) =>
      finish(exchange, { select_tenant: { tenantId } }),
    ),
    lookedAtAgain: forPages((exchange: BrowserExchange) => finish(exchange, {})),
    refused: forPages((exchange: BrowserExchange, description: string) =>
      finish(exchange, { error: 'access_denied', error_description: description }),
    ),
  };
}

/** What a sign-in stays when more is proven in it. */
function keptOf({
  accountId = '',
  loginTs: ts,
  sessionSeconds,
  ...session
}: SignedIn): BoundSession & { accountId: string } {
  return { accountId, ...boundsIn(session), sessionSeconds, ...(ts ? { ts } : {}) };
}

async function sessionOfInteraction(provider: Provider, { session }: Details): Promise<SignedIn> {
  const found = session && (await provider.Session.findByUid(session.uid ?? ''));
  if (!found) throw interactionExpired();
  return found;
}

/** The library's errors as the pages know them: a lost interaction is told in words, an unreachable database is a 503. */
function forPages<Args extends unknown[], Result>(
  step: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    try {
      return await step(...args);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) throw interactionExpired(error);
      if (error instanceof errors.TemporarilyUnavailable) throw temporarilyUnavailable(error);
      throw error;
    }
  };
}

function presentInteraction(found: Details, client: KnownClient): Interaction {
  const { params } = found;
  return {
    uid: found.uid,
    prompt: found.prompt.name as PromptName,
    client: {
      clientId: client.clientId,
      name: client.clientName ?? client.clientId,
      uri: client.clientUri ?? null,
      policyUri: client.policyUri ?? null,
      tosUri: client.tosUri ?? null,
    },
    redirectUri: params['redirect_uri'] as string | undefined,
    loginHint: params['login_hint'] as string | undefined,
    uiLocales: params['ui_locales'] as string | undefined,
    invitation: params['invitation'] as string | undefined,
    userId: found.session?.accountId,
    acr: found.session?.acr,
    amr: found.session?.amr ?? [],
    halfDone: (found.lastSubmission?.['half_done'] as HalfDoneLogin | undefined) ?? null,
    linking: (found.lastSubmission?.['linking'] as LinkingLogin | undefined) ?? null,
    tenantId: (found.prompt.details as Partial<InTenantDetails>).tenantId ?? pickedTenant(found.lastSubmission) ?? null,
    askedTenant: params['tenant'] as string | undefined,
    clientTenantId: client.tenantId,
    offersSignUp: client.signUp,
  };
}
