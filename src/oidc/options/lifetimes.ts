import type { Configuration, KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import { epochSeconds, type Clock } from '../../kernel/time.js';
import type { BoundSession } from '../library-internals.js';

export interface Lifetimes {
  accessTokenSeconds: number;
  idTokenSeconds: number;
  authorizationCodeSeconds: number;
  pushedRequestSeconds: number;
  deviceCodeSeconds: number;
  devicePollSeconds: number;
  interactionSeconds: number;
  refreshTokenSeconds: number;
  grantSeconds: number;
  sessionIdleSeconds: number;
  sessionAbsoluteSeconds: number;
  clientAssertionSeconds: number;
}

/** How long everything lives, in seconds. */
export function lifetimeOptions(lifetimes: Lifetimes, now: Clock): NonNullable<Configuration['ttl']> {
  return {
    AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessTokenSeconds,
    ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessTokenSeconds,
    AuthorizationCode: lifetimes.authorizationCodeSeconds,
    DeviceCode: lifetimes.deviceCodeSeconds,
    IdToken: lifetimes.idTokenSeconds,
    Interaction: lifetimes.interactionSeconds,
    Grant: lifetimes.grantSeconds, // at most; each is made with its own, see `grantLifetime`
    PushedAuthorizationRequest: lifetimes.pushedRequestSeconds,
    // idle time, cut where the absolute lifetime ends
    Session: (_ctx, session) => {
      const age = session.loginTs === undefined ? 0 : epochSeconds(now()) - session.loginTs;
      return Math.max(1, Math.min(lifetimes.sessionIdleSeconds, longestOf(session as BoundSession, lifetimes) - age));
    },
    // a refresh token never outlives its grant, without which it would be refused anyway
    RefreshToken: (ctx: KoaContextWithOIDC, _token: RefreshToken) => {
      const grantEnds = ctx.oidc.entities.Grant?.exp ?? Number.POSITIVE_INFINITY;
      return Math.max(1, Math.min(lifetimes.refreshTokenSeconds, grantEnds - epochSeconds(now())));
    },
  };
}

/** How long after its sign-in a session ends at the latest. */
export function longestOf(session: BoundSession, limits: Pick<Lifetimes, 'sessionAbsoluteSeconds'>): number {
  return Math.min(limits.sessionAbsoluteSeconds, session.sessionSeconds ?? Number.POSITIVE_INFINITY);
}
