import type { EventEmitter } from 'node:events';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type Provider from 'oidc-provider';
import type { Logger } from '../platform/log/logger.js';
import type { SessionState } from './adapter/session-adapter.js';
import { boundsIn, watchLogins, type BoundSession } from './library-internals.js';

/** The library tells of its refusals by one event an endpoint. */
const refusals = [
  'authorization.error',
  'grant.error',
  'userinfo.error',
  'introspection.error',
  'revocation.error',
  'pushed_authorization_request.error',
  'device_authorization.error',
  'code_verification.error',
  'device_resume.error',
  'end_session.error',
  'end_session_confirm.error',
] as const;

/** What the library only tells: errors for the log, and the end of a page. */
export function listenTo(provider: Provider, log: Logger): void {
  const report = (ctx: KoaContextWithOIDC, error: unknown): void => {
    log.error({ requestId: ctx.res.getHeader('X-Request-Id'), err: error }, 'protocol request failed');
  };
  provider.on('server_error', report);
  // a client that went away; the library's types leave out what it inherits from Koa
  (provider as EventEmitter).on('error', (error) => log.debug({ err: error as Error }, 'connection failed'));
  watchLogins(provider, noteLogin);
  provider.on('authorization.success', (ctx) => void ((ctx.state as SessionState).isDone = true));
  for (const event of refusals) {
    (provider as EventEmitter).on(event, (ctx: KoaContextWithOIDC, error: Error) => {
      // of the refusals only those are ours to mend that come from an unreachable database
      if (error instanceof errors.TemporarilyUnavailable) report(ctx, error.cause);
    });
  }
}

/**
 * The result of the login page is carried along to later pages of the flow; only its own end is a sign-in. Noted before
 * the request is looked at any further: the session is saved also when that is refused. What bounds a sign-in goes with it
 * into whichever session it comes.
 */
function noteLogin(ctx: KoaContextWithOIDC, session: BoundSession): void {
  const { prompt, result } = ctx.oidc.entities.Interaction ?? {};
  if (!result?.login) return;
  const login = result.login as BoundSession;
  Object.assign(session, { ...boundsIn(login), sessionSeconds: login.sessionSeconds });
  if (prompt?.name === 'login') (ctx.state as SessionState).login = result.login;
}
