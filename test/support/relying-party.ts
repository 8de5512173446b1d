import * as client from 'openid-client';
import { ada, redirectUri, webSecret } from './contract-seed.js';
import { browser, type Browser, type Page } from './browser.js';

export interface RelyingParty {
  configuration: client.Configuration;
  /** An authorization request of this client, and what is needed to take its answer. */
  begin(parameters?: Record<string, string>): Promise<{
    url: string;
    finish(callback: string, options?: client.AuthorizationCodeGrantOptions): Promise<Tokens>;
  }>;
}

export type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;

/** A standard client that knows nothing but the issuer and its own registration. `send` is its way to the server. */
export async function relyingParty(
  issuer: string,
  clientId = 'web',
  secret: string | client.ClientAuth | null = webSecret,
  send = fetch,
): Promise<RelyingParty> {
  const proof = secret ?? client.None();
  const authentication = typeof proof === 'string' ? client.ClientSecretBasic(proof) : proof;
  const configuration = await client.discovery(new URL(issuer), clientId, undefined, authentication, {
    execute: [client.allowInsecureRequests],
    [client.customFetch]: send as client.CustomFetch,
  });
  return {
    configuration,
    async begin(parameters = {}) {
      const verifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const nonce = client.randomNonce();
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: 'openid profile email tenant',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        ...parameters,
      });
      return {
        url: url.href,
        finish: (callback, options) =>
          client.authorizationCodeGrant(
            configuration,
            new URL(callback),
            {
              pkceCodeVerifier: verifier,
              expectedState: state,
              expectedNonce: nonce,
              idTokenExpected: true,
            },
            undefined,
            options,
          ),
      };
    },
  };
}

export interface Visit {
  browser: Browser;
  page: Page;
}

/** Opens an authorization request and types address and password; ends where the server leads then. */
export async function signIn(issuer: string, url: string, person = ada, visitor = browser(issuer)): Promise<Visit> {
  const login = await visitor.get(url);
  return { browser: visitor, page: await visitor.submit(login, { login: person.email, password: person.password }) };
}
