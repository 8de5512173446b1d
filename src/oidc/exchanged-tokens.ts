import type { X509Certificate } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { AccessToken, KoaContextWithOIDC } from 'oidc-provider';
import {
  looksLikeJwt,
  verifiedTokenId,
  type VerifiedState,
  type VerifyAccessToken,
} from './adapter/jwt-access-tokens.js';
import { clientOf, requiredCertificate, takeDpopProof } from './library-internals.js';
import { thumbprintOf, type MutualTlsDeps } from './mutual-tls.js';

export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
export const jwtType = 'urn:ietf:params:oauth:token-type:jwt';

export interface FindTokenDeps {
  verifyAccessToken: VerifyAccessToken;
}

/** A token that was shown for an exchange, opaque or JWT, if it is live. */
export async function findToken<Kind extends 'AccessToken' | 'ClientCredentials'>(
  deps: FindTokenDeps,
  ctx: KoaContextWithOIDC,
  kind: Kind,
  token: string,
): Promise<InstanceType<Provider[Kind]> | undefined> {
  const model = ctx.oidc.provider[kind] as unknown as {
    find(id: string): Promise<InstanceType<Provider[Kind]> | undefined>;
  };
  if (!looksLikeJwt(token)) return model.find(token);
  const verified = await deps.verifyAccessToken(token);
  if (!verified) return undefined;
  (ctx.state as VerifiedState).verifiedAccessToken = verified;
  return model.find(verifiedTokenId(verified));
}

/** What the sender of a request has shown beside tokens: the key of a DPoP proof, the certificate of its connection. */
export interface Holder {
  jkt: string | undefined;
  certificate: X509Certificate | undefined;
}

/** The proof is used up. */
export async function holderOf({ clientCertificates }: MutualTlsDeps, ctx: KoaContextWithOIDC): Promise<Holder> {
  const jkt = await takeDpopProof(ctx);
  return { jkt, certificate: requiredCertificate(ctx) ?? clientCertificates?.presentedBy(ctx.req) };
}

interface Bindings {
  jkt?: string | undefined;
  'x5t#S256'?: string | undefined;
}

export function bindingsOf(token: object): Bindings {
  const { jkt, 'x5t#S256': thumbprint } = token as Bindings;
  return { jkt, 'x5t#S256': thumbprint };
}

/** One that is bound to a key needs a proof of that key, one that is bound to a certificate needs that certificate. */
export function isShownByItsHolder(token: object, { jkt, certificate }: Holder): boolean {
  const bound = bindingsOf(token);
  const isOfCertificate = certificate !== undefined && bound['x5t#S256'] === thumbprintOf(certificate);
  return (bound.jkt === undefined || bound.jkt === jkt) && (bound['x5t#S256'] === undefined || isOfCertificate);
}

/**
 * A key is shown on purpose, so what is given for it is bound to it. A certificate comes with every request of its
 * connection: it counts where the client is registered for that, or where a token that was shown is bound to it.
 */
export function bindToHolder(
  ctx: KoaContextWithOIDC,
  token: AccessToken,
  { holder: { jkt, certificate }, shown }: { holder: Holder; shown: readonly (object | undefined)[] },
): void {
  const isBound = shown.some((each) => each !== undefined && bindingsOf(each)['x5t#S256'] !== undefined);
  if (jkt !== undefined) token.setThumbprint('jkt', jkt);
  if (certificate && (isBound || clientOf(ctx).tlsClientCertificateBoundAccessTokens))
    token.setThumbprint('x5t', certificate);
}
