import * as client from 'openid-client';
import { randomSecret } from '../kernel/secret.js';
import type { Logger } from '../platform/log/logger.js';
import type { OneTimeRecords } from '../platform/mongo/one-time-records.js';
import type { Connection, UpstreamPerson } from './connection.js';
import { readPerson, requireSoundIdToken, typedNameIn, type Claims } from './read-person.js';
import type { UpstreamClients } from './upstream-client.js';
import { asAnswered, causesOf, ProviderUnavailable, UpstreamFailed, type UpstreamFailure } from './upstream-errors.js';

/**
 * Where a provider sends people back, one path for each connection: an answer that was given to another one, which some
 * provider has led a browser to fetch, is known by where it comes in and is sent to nobody (RFC 9700 §4.4.2.2).
 */
export function redirectUriOf(issuer: string, { id }: Pick<Connection, 'id'>): string {
  return `${issuer}/connections/callback/${id}`;
}

/** Where in our pages it was begun, and goes on: a sign-in by its id, or the portal. And in which browser. */
export interface UpstreamPlace {
  place: string;
  browserId: string;
}

export interface UpstreamRequest extends UpstreamPlace {
  /** Address that the person typed or the app named. */
  loginHint?: string | undefined;
  /** The person is to prove anew who they are. */
  isFresh?: boolean;
}

/** What the answer of a provider names: the state of what was begun, and by its path the connection. */
export interface UpstreamAnswer {
  state: string;
  connectionId: string;
}

/** What was begun and is to be finished, once. */
export interface UpstreamTransaction {
  tenantId: string;
  connectionId: string;
  verifier: string;
  nonce: string;
  state: string;
}

export type UpstreamResult<T> = { outcome: 'done'; value: T } | { outcome: 'failed'; failure: UpstreamFailure };

export interface UpstreamSignIn {
  /** The address at the provider to which the browser goes. */
  begin(connection: Connection, request: UpstreamRequest): Promise<UpstreamResult<string>>;
  /** Where in our pages the answer to this state belongs; null for one that is none of ours. Whether the browser there is the one that began it is asked by `take`. */
  placeOfState(state: string): string | null;
  /**
   * What was begun here with this answer's state; null when it was not, is over, was taken up before, or the answer came
   * in as another connection's.
   */
  take(answer: UpstreamAnswer, at: UpstreamPlace): Promise<UpstreamTransaction | null>;
  /** Who the provider says it is. `answer`: the parameters of its answer. */
  finish(
    connection: Connection,
    transaction: UpstreamTransaction,
    answer: URLSearchParams,
  ): Promise<UpstreamResult<UpstreamPerson>>;
}

export interface UpstreamSignInDeps {
  issuer: string;
  clients: UpstreamClients;
  transactions: OneTimeRecords;
  log: Logger;
  limits: { transactionSeconds: number; answerSeconds: number };
}

const stateForm = /^([\w-]{1,64})\.[\w-]{43}$/;

function placeOfState(state: string): string | null {
  return stateForm.exec(state)?.[1] ?? null;
}

export function upstreamSignIn(deps: UpstreamSignInDeps): UpstreamSignIn {
  async function inTime<T>(connection: Connection, work: () => Promise<T>): Promise<UpstreamResult<T>> {
    try {
      return { outcome: 'done', value: await within(deps.limits.answerSeconds, work()) };
    } catch (error) {
      return { outcome: 'failed', failure: failureOf(deps, connection, error) };
    }
  }

  return {
    placeOfState,
    begin: (connection, { place, browserId, loginHint, isFresh = false }) =>
      inTime(connection, async () => {
        const { upstream, tenantId, id: connectionId } = connection;
        const configuration = await deps.clients.clientOf(connection);
        requireHttps(configuration.serverMetadata().authorization_endpoint);
        const [verifier, nonce] = [randomSecret(), randomSecret()];
        const state = `${place}.${randomSecret()}`;
        const challenge = await client.calculatePKCECodeChallenge(verifier);
        const parameters: Record<string, string> = {
          ...{ redirect_uri: redirectUriOf(deps.issuer, connection), scope: upstream.scopes.join(' '), state },
          code_challenge: challenge,
          code_challenge_method: 'S256',
          ...(upstream.protocol === 'oidc' ? { nonce } : {}),
          ...(upstream.protocol === 'oidc' && isFresh ? { prompt: 'login' } : {}),
          ...(upstream.responseMode === 'form_post' ? { response_mode: 'form_post' } : {}),
          ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        };
        const url = await asAnswered(() => client.buildAuthorizationUrl(configuration, parameters));
        const text = JSON.stringify({ tenantId, connectionId, verifier, nonce, state } satisfies UpstreamTransaction);
        const ttlSeconds = deps.limits.transactionSeconds;
        await deps.transactions.put(state, { binding: [place, browserId, connectionId], text, ttlSeconds });
        return url.href;
      }),
    async take({ state, connectionId }, { place, browserId }) {
      if (placeOfState(state) !== place) return null;
      const text = await deps.transactions.take(state, [place, browserId, connectionId]);
      return text === null ? null : (JSON.parse(text) as UpstreamTransaction);
    },
    finish: (connection, transaction, answer) =>
      inTime(connection, async () => {
        const configuration = await deps.clients.clientOf(connection);
        const url = new URL(`${redirectUriOf(deps.issuer, connection)}?${answer.toString()}`);
        return connection.upstream.protocol === 'oidc'
          ? finishOidc(connection, configuration, { transaction, url })
          : finishOAuth2(connection, configuration, { transaction, url });
      }),
  };
}

/** Of a document of the provider: anything may stand there. */
function requireHttps(address: unknown): void {
  if (typeof address === 'string' && address.startsWith('https://') && URL.canParse(address)) return;
  throw new UpstreamFailed('invalid', 'its authorization endpoint is no https address');
}

interface Answered {
  transaction: UpstreamTransaction;
  url: URL;
}

async function finishOidc(
  connection: Connection,
  configuration: client.Configuration,
  { transaction, url }: Answered,
): Promise<UpstreamPerson> {
  const { upstream } = connection;
  const checks = {
    ...{ pkceCodeVerifier: transaction.verifier, expectedState: transaction.state },
    ...{ expectedNonce: transaction.nonce, idTokenExpected: true },
  };
  const tokens = await asAnswered(() => client.authorizationCodeGrant(configuration, url, checks));
  const idToken = tokens.claims();
  if (!idToken) throw new UpstreamFailed('invalid', 'no ID token');
  const accessToken = tokens.access_token;
  requireSoundIdToken(idToken, { clientId: upstream.clientId, algorithm: upstream.idTokenAlgorithm, accessToken });
  const documents: Claims[] = [idToken];
  const { email, emailVerified, name } = upstream.claims;
  const looked = [email, emailVerified, name, ...(connection.roleMapping ? [connection.roleMapping.claim] : [])];
  if (looked.some((claim) => !(claim in idToken)) && configuration.serverMetadata().userinfo_endpoint !== undefined)
    documents.push(await asAnswered(() => client.fetchUserInfo(configuration, accessToken, idToken.sub)));
  return readPerson(connection, {
    documents,
    issuer: idToken.iss,
    typedName: typedNameIn(url.searchParams.get('user')),
  });
}

async function finishOAuth2(
  connection: Connection,
  configuration: client.Configuration,
  { transaction, url }: Answered,
): Promise<UpstreamPerson> {
  const { upstream } = connection;
  const checks = { pkceCodeVerifier: transaction.verifier, expectedState: transaction.state };
  const { access_token: token } = await asAnswered(() => client.authorizationCodeGrant(configuration, url, checks));
  const person = await resourceAt(configuration, token, upstream.userinfoEndpoint ?? '');
  if (typeof person !== 'object' || person === null || Array.isArray(person))
    throw new UpstreamFailed('invalid', 'the answer of userinfo is no object');
  const claims: Record<string, unknown> = { ...person };
  if (upstream.emailsEndpoint !== null) {
    const { email, verified } = primaryAddress(await resourceAt(configuration, token, upstream.emailsEndpoint));
    Object.assign(claims, { [upstream.claims.email]: email, [upstream.claims.emailVerified]: verified });
  }
  return readPerson(connection, { documents: [claims], issuer: upstream.issuer });
}

async function resourceAt(configuration: client.Configuration, token: string, address: string): Promise<unknown> {
  const headers = new Headers({ Accept: 'application/json' });
  const answer = await asAnswered(() =>
    client.fetchProtectedResource(configuration, token, new URL(address), 'GET', null, headers),
  );
  if (answer.status !== 200) throw new UpstreamFailed('invalid', `a resource answered ${answer.status}`);
  return answer.json().catch((cause: unknown) => {
    throw new UpstreamFailed('invalid', 'a resource is no JSON', cause);
  });
}

/** The one address that the person has made their first; what else is in the list is not looked at. */
function primaryAddress(list: unknown): { email?: unknown; verified?: unknown } {
  const entries: unknown[] = Array.isArray(list) ? list : [];
  const found = entries.find((entry) => (entry as { primary?: unknown } | null)?.primary === true);
  return found ?? {};
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ProviderUnavailable(`no end within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6: what of them the person can do something about; others are mistakes. */
const failuresOfAnswers: ReadonlyMap<unknown, UpstreamFailure> = new Map([
  ...(['access_denied', 'login_required', 'interaction_required', 'consent_required'] as const).map(
    (code) => [code, 'denied'] as const,
  ),
  ...(['server_error', 'temporarily_unavailable'] as const).map((code) => [code, 'unavailable'] as const),
]);

/** Of ours, which whoever runs the server finds in the log (RFC 6749 §4.1.2.1 and §5.2). */
const mistakes: ReadonlySet<unknown> = new Set([
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type'],
  ...['unsupported_response_type', 'invalid_scope'],
]);

/** Every way in which a provider can fail, as one of three. What is no failure of it is thrown as it is. */
function failureOf({ log }: UpstreamSignInDeps, { id, tenantId }: Connection, error: unknown): UpstreamFailure {
  const causes = [...causesOf(error)];
  const known = causes.find((each) => each instanceof UpstreamFailed);
  const isUnavailable = causes.some((each) => each instanceof ProviderUnavailable);
  const isAnswer = error instanceof client.AuthorizationResponseError;
  const isRefusal = error instanceof client.ResponseBodyError || error instanceof client.WWWAuthenticateChallengeError;
  if (!known && !isUnavailable && !isAnswer && !isRefusal && !(error instanceof client.ClientError)) throw error;
  // whoever sent the answer chose what it says: of its words those alone are looked at that everybody knows
  const { error: code } = error as { error?: unknown };
  const ofAnswer = isAnswer ? failuresOfAnswers.get(code) : undefined;
  const failure = known?.failure ?? (isUnavailable ? 'unavailable' : (ofAnswer ?? 'invalid'));
  // what a parser says may quote what it read
  const reasons = causes.map((cause) => (cause instanceof SyntaxError ? cause.name : cause.message));
  const told = ofAnswer === undefined && !mistakes.has(code) ? {} : { answer: code };
  log.info({ connectionId: id, tenantId, failure, reasons, ...told }, 'a provider gave nobody');
  return failure;
}
