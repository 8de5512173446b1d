import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { VerificationUnavailable } from './access-refused.js';

export interface IssuerKeysOptions {
  issuer: string;
  keyMaxAgeSeconds: number;
  keyCooldownSeconds: number;
}

const discoveryTimeoutMs = 5000;

/** The issuer's public keys. Found by discovery at the first use; jose keeps them, and looks again for an unknown key. */
export function issuerKeys(options: IssuerKeysOptions): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | undefined;

  function find(): Promise<JWTVerifyGetKey> {
    found ??= findKeys(options).catch((error: unknown) => {
      found = undefined; // the next request tries again
      throw error;
    });
    return found;
  }

  return async (header, token) => {
    try {
      const keys = await find();
      return await keys(header, token);
    } catch (error) {
      if (isAboutTheToken(error)) throw error;
      throw new VerificationUnavailable('the keys of the issuer cannot be had', error);
    }
  };
}

/** Everything else says that the keys could not be fetched, or not be read. */
function isAboutTheToken(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}

async function findKeys({ issuer, keyMaxAgeSeconds, keyCooldownSeconds }: IssuerKeysOptions): Promise<JWTVerifyGetKey> {
  return createRemoteJWKSet(await discoverKeyAddress(issuer), {
    cacheMaxAge: keyMaxAgeSeconds * 1000,
    cooldownDuration: keyCooldownSeconds * 1000,
  });
}

/** https, or plain http that does not leave this machine: what is fetched there decides who is believed. */
export function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}

/** OpenID Connect Discovery §4: whoever answers must call itself by the very name that was asked for. */
async function discoverKeyAddress(issuer: string): Promise<URL> {
  const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    redirect: 'error',
    signal: AbortSignal.timeout(discoveryTimeoutMs),
  });
  if (answer.status !== 200) throw new Error(`the discovery document was answered with ${answer.status}`);
  const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (document?.issuer !== issuer) throw new Error('the discovery document is that of another issuer');
  const address = new URL(String(document.jwks_uri));
  if (!isSafeAddress(address.href)) throw new Error('the discovery document names keys that anybody could replace');
  return address;
}
