import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { epochSeconds, type Clock } from '../kernel/time.js';

/** Headers that bring a key along or name one elsewhere; keys are registered, so none of them has a meaning here. */
const keysOfSender = ['jwk', 'jku', 'x5c', 'x5u', 'x5t', 'x5t#S256', 'crit'];

/**
 * Called for an assertion whose signature, `exp`, `iss`, `sub` and `jti` are right (`assertJwtClientAuthClaimsAndHeader`),
 * before its `jti` is used up. The library also takes an endpoint or a list as audience; with the issuer alone, as a
 * string, an assertion made for another server is of no use here (FAPI 2.0 Security Profile §5.3.2.1).
 */
export function clientAssertionCheck(
  lifetimeSeconds: number,
  now: Clock,
): (ctx: KoaContextWithOIDC, claims: Record<string, unknown>, header: Record<string, unknown>) => void {
  return (ctx, claims, header) => {
    if (claims['aud'] !== ctx.oidc.issuer) {
      throw new errors.InvalidClientAuth('audience (aud) must be the issuer identifier, as a string');
    }
    if (Number(claims['exp']) > epochSeconds(now()) + lifetimeSeconds) {
      throw new errors.InvalidClientAuth(`the assertion must expire within ${lifetimeSeconds} seconds`);
    }
    const foreign = keysOfSender.find((name) => header[name] !== undefined);
    if (foreign !== undefined) throw new errors.InvalidClientAuth(`the header must not hold ${foreign}`);
  };
}
