import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import {
  looksLikeJwt,
  verifiedTokenId,
  type VerifiedState,
  type VerifyAccessToken,
} from './adapter/jwt-access-tokens.js';

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

/** One that is bound to a key needs a proof of that key; one that is bound to a certificate cannot be shown here. */
export function isShownByItsHolder(token: object, proof: string | undefined): boolean {
  const { jkt, 'x5t#S256': certificate } = token as { jkt?: string; 'x5t#S256'?: string };
  return certificate === undefined && (jkt === undefined || jkt === proof);
}
