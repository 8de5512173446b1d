/** Everything OpenID Connect of the demo: a standard client that knows the issuer and its own client id, nothing else. */
import { decodeJwt, type JWTPayload } from 'jose';
import * as client from 'openid-client';

export interface RelyingPartyOptions {
  issuer: string;
  /** Where the demo itself answers, without a slash at the end. */
  address: string;
}

/** What has to be remembered between leaving for the sign-in page and coming back from it. */
export interface PendingSignIn {
  nonce: string;
  codeVerifier: string;
}

export interface SignedIn {
  idToken: string;
  idTokenClaims: Record<string, unknown>;
  accessToken: string;
  /** Null when the access token is opaque to us, which every client has to be prepared for. */
  accessTokenClaims: JWTPayload | null;
  refreshToken: string | undefined;
  userInfo: Record<string, unknown>;
}

export interface RelyingParty {
  /** Where to send the browser, and what to remember under `state` until it is back. */
  beginSignIn(choice: { tenant?: string; prompt?: string }): Promise<{
    location: string;
    state: string;
    pending: PendingSignIn;
  }>;
  /** Takes the answer that came back to the redirect URI. Throws when anything about it is not as it was asked for. */
  finishSignIn(callback: URL, state: string, pending: PendingSignIn): Promise<SignedIn>;
  /** New tokens for the refresh token, which is used up by this: the answer holds the next one. */
  refresh(signedIn: SignedIn): Promise<SignedIn>;
  /** Where to send the browser so that the session at the sign-in server ends too. */
  signOutLocation(signedIn: SignedIn): Promise<string>;
}

const clientId = 'demo';
const scope = 'openid profile email tenant projects:read projects:write';

/**
 * Reads the discovery document: endpoints, keys and features follow from the issuer.
 *
 * An app in production does this once and keeps the answer. The demo asks each time, so that it can say at once when
 * the server is not running.
 */
export async function discover(issuer: string): Promise<client.Configuration> {
  const localhost = new URL(issuer).protocol === 'http:' ? [client.allowInsecureRequests] : [];
  // a public client: it has no secret, PKCE ties the code to the browser session that asked for it
  return client.discovery(new URL(issuer), clientId, undefined, client.None(), {
    // tokens from the token endpoint are trusted because of TLS; without TLS their signature has to speak for them
    execute: [...localhost, client.enableNonRepudiationChecks],
  });
}

export function createRelyingParty({ issuer, address }: RelyingPartyOptions): RelyingParty {
  return {
    async beginSignIn({ tenant, prompt }) {
      const configuration = await discover(issuer);
      const state = client.randomState(); // ties the answer to this browser
      const nonce = client.randomNonce(); // ties the ID token to this sign-in
      const codeVerifier = client.randomPKCECodeVerifier(); // ties the code to this request
      const location = client.buildAuthorizationUrl(configuration, {
        redirect_uri: `${address}/callback`,
        scope,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...(tenant ? { tenant } : {}), // without it the server asks, where there is something to choose
        ...(prompt ? { prompt } : {}),
      });
      return { location: location.href, state, pending: { nonce, codeVerifier } };
    },

    async finishSignIn(callback, state, { nonce, codeVerifier }) {
      const configuration = await discover(issuer);
      const tokens = await client.authorizationCodeGrant(configuration, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      return present(configuration, tokens);
    },

    async refresh(before) {
      const configuration = await discover(issuer);
      const tokens = await client.refreshTokenGrant(configuration, before.refreshToken ?? '');
      return present(configuration, tokens, before);
    },

    async signOutLocation({ idToken }) {
      const configuration = await discover(issuer);
      const location = client.buildEndSessionUrl(configuration, {
        id_token_hint: idToken, // says who and which app, so the server need not ask that
        post_logout_redirect_uri: `${address}/`,
      });
      return location.href;
    },
  };
}

async function present(
  configuration: client.Configuration,
  tokens: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers,
  before?: SignedIn,
): Promise<SignedIn> {
  // a refresh may come without a new ID token or refresh token; then the earlier ones stay good
  const idTokenClaims = tokens.claims() ?? before?.idTokenClaims ?? {};
  return {
    idToken: tokens.id_token ?? before?.idToken ?? '',
    idTokenClaims,
    accessToken: tokens.access_token,
    accessTokenClaims: peek(tokens.access_token),
    refreshToken: tokens.refresh_token ?? before?.refreshToken,
    userInfo: await client.fetchUserInfo(configuration, tokens.access_token, String(idTokenClaims['sub'])),
  };
}

/** An access token is meant for the API alone: an app never decides by what is in it. Here it is shown, to learn from. */
function peek(accessToken: string): JWTPayload | null {
  try {
    return decodeJwt(accessToken);
  } catch {
    return null;
  }
}
