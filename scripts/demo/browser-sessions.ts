import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { PendingSignIn, SignedIn } from './relying-party.js';

/** What the demo keeps for one browser. Tokens stay on this side; the browser holds a random identifier and no more. */
export interface BrowserSession {
  /** Sign-ins under way by their `state`: every tab may have one. */
  pending: Map<string, PendingSignIn>;
  signedIn?: SignedIn;
  /** The last answer of the API. */
  apiAnswer?: { status: number; body: unknown };
  /** Said once, on the next page. */
  notice?: string;
}

export interface BrowserSessions {
  /** The session of this browser; a new one where it has none. */
  of(ctx: Context): BrowserSession;
  /** Puts an empty session under a new identifier in the place of the present one. */
  restart(ctx: Context): BrowserSession;
}

const cookieName = 'demo_session'; // cookies of localhost are shared by all its ports, so the name has to be our own
const maximumSessions = 1000;

/** Sessions in memory: they end with the process, which is right for a demo and for nothing else. */
export function createBrowserSessions(): BrowserSessions {
  const sessions = new Map<string, BrowserSession>();

  function open(ctx: Context): BrowserSession {
    const [oldest] = sessions.keys();
    if (oldest !== undefined && sessions.size >= maximumSessions) sessions.delete(oldest);
    const id = randomBytes(32).toString('base64url');
    const session: BrowserSession = { pending: new Map() };
    sessions.set(id, session);
    // lax, not strict: the way back from the sign-in server comes from another site
    ctx.cookies.set(cookieName, id, { httpOnly: true, sameSite: 'lax', overwrite: true });
    return session;
  }

  return {
    of: (ctx) => sessions.get(ctx.cookies.get(cookieName) ?? '') ?? open(ctx),
    restart(ctx) {
      sessions.delete(ctx.cookies.get(cookieName) ?? '');
      return open(ctx);
    },
  };
}
