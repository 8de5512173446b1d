import type { Context } from 'koa';
import { epochSeconds, secondsAfter, type Clock } from '../kernel/time.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import type { BrowserSessions, Proven, StoredSession } from './adapter/browser-sessions.js';
import type { BoundSession } from './library-internals.js';
import { cookieOptions } from './options/cookies.js';
import { levelOfPerson, type LevelOfPersonDeps } from './required-level.js';
import { longestOf } from './options/lifetimes.js';

/** The sign-in of the browser that sends a request, for pages of ours. */
export interface CurrentSession {
  uid: string;
  user: User;
  /** When the person last proved who they are. */
  authenticatedAt: Date;
  acr: string | null;
  amr: readonly string[];
  /** The tenant that alone this sign-in opens, whose own provider vouched for the person. */
  boundTenantId: string | null;
  /** Whether as much was proven as its person has to wherever they go. */
  isEnough: boolean;
}

export interface CurrentSessions {
  /** Null: nobody is signed in, or not any more. */
  currentSession(ctx: Context): Promise<CurrentSession | null>;
  /**
   * Of a session in which the person has changed their password: gives it a new identifier, for `keepSession` once the
   * transaction has gone through. It lives no longer for that, and nothing in it is proven anew. Null: it has ended
   * meanwhile.
   */
  renewSession(tx: Tx, sessionUid: string): Promise<string | null>;
  /** The same for a person who has proven more than before, as with a factor that they have just set up. */
  raiseSession(tx: Tx, sessionUid: string, proven: Proven): Promise<string | null>;
  keepSession(ctx: Context, identifier: string): void;
}

export interface CurrentSessionDeps extends LevelOfPersonDeps {
  issuer: string;
  cookieKeys: readonly string[];
  lifetimes: { sessionIdleSeconds: number; sessionAbsoluteSeconds: number };
  now: Clock;
  findUserById(id: string): Promise<User | null>;
}

/** A use is noted, and the session lives on, no more often than this. */
const touchSeconds = 60;

/**
 * The library's session, read by pages that are not of the library. Everything is asked again at each request: whether
 * it has ended, is too old, or is of a person who may not act or whose credentials have changed.
 */
export function currentSessions(deps: CurrentSessionDeps, sessions: BrowserSessions): CurrentSessions {
  const { sessionIdleSeconds } = deps.lifetimes;
  const { names, long } = cookieOptions(deps.cookieKeys, deps.issuer.startsWith('https:'));
  const cookieName = names.session;

  function give(ctx: Context, id: string, lifetimeSeconds: number): void {
    ctx.cookies.set(cookieName, id, { ...long, overwrite: true, expires: secondsAfter(deps.now(), lifetimeSeconds) });
  }

  async function touch(ctx: Context, id: string, session: StoredSession): Promise<void> {
    const { seenAt } = session.record;
    if (seenAt && secondsAfter(seenAt, touchSeconds) > deps.now()) return;
    const left = longest(session) - ageOf(session);
    const lifetimeSeconds = Math.max(1, Math.min(sessionIdleSeconds, left));
    const sender = { userAgent: ctx.get('User-Agent'), address: ctx.ip };
    // whoever came before has noted as much
    if (await sessions.touch(session, { sender, lifetimeSeconds })) give(ctx, id, lifetimeSeconds);
  }

  const longest = ({ payload }: StoredSession): number => longestOf(payload as BoundSession, deps.lifetimes);
  const ageOf = ({ payload }: StoredSession): number => epochSeconds(deps.now()) - payload.loginTs;

  return {
    async currentSession(ctx) {
      const id = ctx.cookies.get(cookieName, { signed: true });
      const session = id ? await sessions.find(id) : null;
      if (!id || !session || ageOf(session) > longest(session)) return null;
      const { accountId, loginTs, acr, amr } = session.payload;
      const { boundTenantId = null } = session.payload as { boundTenantId?: string };
      const user = await deps.findUserById(accountId);
      if (user?.status !== 'active') return null;
      const asOf = Math.max(loginTs, epochSeconds(session.record.credentialsAsOf ?? new Date(0)));
      if (user.credentialsChangedAt && epochSeconds(user.credentialsChangedAt) > asOf) return null;
      await touch(ctx, id, session);
      const authenticatedAt = new Date(loginTs * 1000);
      const signedIn = { userId: user.id, acr, amr: amr ?? [], enrolled: user.factorKinds ?? [] };
      const isEnough = deps.assurance.reaches(acr, await levelOfPerson(deps, signedIn));
      const how = { acr: acr ?? null, amr: signedIn.amr, isEnough, boundTenantId };
      return { uid: session.payload.uid, user, authenticatedAt, ...how };
    },
    renewSession: sessions.renew,
    raiseSession: sessions.raise,
    keepSession: (ctx, identifier) => give(ctx, identifier, sessionIdleSeconds),
  };
}
