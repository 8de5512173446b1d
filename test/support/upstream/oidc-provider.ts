import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { exportJWK, SignJWT, type JWK } from 'jose';
import type { Authority } from '../authority.js';
import { startHttpsHost, type HttpsHost } from '../https-host.js';
import { clientOf, formOf, send } from './answers.js';
import { newCodes, type AskedFor, type Parameters } from './codes.js';
import { newKeyPair } from '../key-pair.js';

type Members = Record<string, unknown>;

/** Who signs in at the provider: the claims that it has of them. */
export interface Person extends Members {
  sub: string;
  email?: unknown;
  email_verified?: unknown;
  name?: string;
}

export type EndpointName = 'discovery' | 'keys' | 'token' | 'userinfo';

/**
 * What a test makes wrong, one member each; what is not named is right. A function gets what would be right, and may
 * change it in place or give another.
 */
export interface Mutation {
  discovery?(document: Members): Members | void;
  keys?(keys: JWK[]): JWK[] | void;
  claims?(claims: Members): Members | void;
  header?(header: Members): Members | void;
  /** The ID token as a whole. */
  idToken?(token: string, parts: SignedParts): string | undefined | Promise<string | undefined>;
  token?(answer: Members): Members | void;
  userinfo?(claims: Members): Members | void;
  /** What the browser brings back. */
  callback?(answer: Parameters): Parameters | void;
  /** Takes the place of an endpoint. */
  endpoints?: Partial<Record<EndpointName, RequestListener>>;
}

export interface SignedParts {
  header: Members;
  claims: Members;
  /** As it is published. */
  publicKey: JWK;
  sign(header: Members, claims: Members): Promise<string>;
  /** With a key that is published nowhere. */
  signAsStranger(header: Members, claims: Members): Promise<string>;
}

export interface UpstreamProvider {
  issuer: string;
  host: HttpsHost;
  clientId: string;
  clientSecret: string;
  person: Person;
  mutation: Mutation;
  /** The person agrees: what the browser brings back for this authorization request, after the mutation. */
  agree(authorizationUrl: string): Answer;
  /** From now on another key signs; it is published under another `kid`. */
  rotateKey(): Promise<void>;
}

/** The answer to an authorization request: parameters for the callback, and whether they come in a form. */
export interface Answer {
  redirectUri: string;
  parameters: Parameters;
  isForm: boolean;
}

const clientId = 'gatehouse';
const clientSecret = 'a secret of the stand-in: with signs/+ & blanks';

/** An OpenID Provider (Core 1.0, Discovery 1.0, RFC 9207) that is right in all until a test changes it. */
export async function startUpstreamProvider(authority: Authority): Promise<UpstreamProvider> {
  const host = await startHttpsHost(authority, (req, res) => void serve(state, req, res));
  const issuer = `https://${host.hostAndPort}`;
  const provider: UpstreamProvider = {
    ...{ issuer, host, clientId, clientSecret, mutation: {} },
    person: { sub: 'upstream-1', email: 'grace@corp.example', email_verified: true, name: 'Grace Hopper' },
    agree: (url) => agreed(state, new URL(url)),
    async rotateKey() {
      state.signing = await newKey(`key-${++state.keysMade}`);
    },
  };
  const state: State = {
    ...{ provider, codes: newCodes(), tokens: new Set(), keysMade: 1 },
    ...{ signing: await newKey('key-1'), stranger: await newKey('key-1') },
  };
  return provider;
}

interface Key {
  kid: string;
  privateKey: CryptoKey;
  publicKey: JWK;
}

interface State {
  provider: UpstreamProvider;
  codes: ReturnType<typeof newCodes>;
  /** Access tokens that userinfo takes. */
  tokens: Set<string>;
  signing: Key;
  stranger: Key;
  keysMade: number;
}

async function newKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await newKeyPair('RS256');
  return { kid, privateKey, publicKey: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

function changed<T>(value: T, change: ((value: T) => T | void) | undefined): T {
  return change?.(value) ?? value;
}

function agreed({ provider, codes }: State, { searchParams }: URL): Answer {
  const asked = Object.fromEntries(searchParams);
  const { redirect_uri: redirectUri = '', state = '', response_mode: mode } = asked;
  const right = { code: codes.give(asked), state, iss: provider.issuer };
  return { redirectUri, parameters: changed(right, provider.mutation.callback), isForm: mode === 'form_post' };
}

async function serve(state: State, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { mutation } = state.provider;
  const [path = ''] = (req.url ?? '').split('?');
  const name = endpoints[path];
  if (name === undefined) return send(res, 404, { error: 'not_found' });
  const other = mutation.endpoints?.[name];
  if (other) return other(req, res);
  await answers[name](state, req, res);
}

const endpoints: Readonly<Record<string, EndpointName>> = {
  '/.well-known/openid-configuration': 'discovery',
  '/keys': 'keys',
  '/token': 'token',
  '/userinfo': 'userinfo',
};

type Endpoint = (state: State, req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

const answers: Readonly<Record<EndpointName, Endpoint>> = {
  discovery: ({ provider }, _req, res) =>
    send(res, 200, changed(documentOf(provider.issuer), provider.mutation.discovery)),
  keys: ({ provider, signing }, _req, res) =>
    send(res, 200, { keys: changed([signing.publicKey], provider.mutation.keys) }),
  async token(state, req, res) {
    const { provider, codes } = state;
    const form = await formOf(req);
    const { id, secret } = clientOf(req, form);
    if (id !== clientId || secret !== clientSecret) return send(res, 401, { error: 'invalid_client' });
    const request = codes.take(form);
    if (typeof request === 'string') return send(res, 400, { error: 'invalid_grant', error_description: request });
    const accessToken = `at-${state.tokens.size + 1}-${Math.random().toString(36).slice(2)}`;
    state.tokens.add(accessToken);
    const right = {
      ...{ access_token: accessToken, token_type: 'Bearer', expires_in: 300 },
      id_token: await idTokenFor(state, request, accessToken),
    };
    send(res, 200, changed<Members>(right, provider.mutation.token));
  },
  userinfo({ provider, tokens }, req, res) {
    const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '';
    if (!tokens.has(token)) return send(res, 401, { error: 'invalid_token' });
    send(res, 200, changed<Members>({ ...provider.person }, provider.mutation.userinfo));
  },
};

function documentOf(issuer: string): Members {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
}

async function idTokenFor(state: State, request: AskedFor, accessToken: string): Promise<string | undefined> {
  const { provider, signing, stranger } = state;
  const { mutation, person, issuer } = provider;
  const iat = Math.floor(Date.now() / 1000);
  const nonce = request['nonce'] === undefined ? {} : { nonce: request['nonce'] };
  const half = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
  const right = { iss: issuer, aud: clientId, iat, exp: iat + 300, auth_time: iat, at_hash: half, ...nonce, ...person };
  const claims = changed<Members>(right, mutation.claims);
  const header = changed<Members>({ alg: 'RS256', kid: signing.kid }, mutation.header);
  const parts: SignedParts = {
    ...{ header, claims, publicKey: signing.publicKey },
    sign: (ofHeader, ofClaims) => signed(signing, ofHeader, ofClaims),
    signAsStranger: (ofHeader, ofClaims) => signed(stranger, ofHeader, ofClaims),
  };
  const token = await parts.sign(header, claims);
  return mutation.idToken ? mutation.idToken(token, parts) : token;
}

function signed({ privateKey }: Key, header: Members, claims: Members): Promise<string> {
  return new SignJWT(claims).setProtectedHeader(header as { alg: string }).sign(privateKey);
}
