import type Router from '@koa/router';
import { z } from 'zod';
import { AppError } from '../kernel/errors.js';
import type { Said } from '../kernel/message.js';
import type { AccountDeps } from './account-deps.js';
import { presentWait } from '../kernel/present-wait.js';
import { changePassword } from './change-password.js';
import { goTo, type Portal, type Visit } from './portal-routes.js';
import { places } from './places.js';

const passwordForm = z.strictObject({ password: z.string().max(1024), new_password: z.string().max(1024) });

export function passwordRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  async function show(visit: Visit, error: Said | null = null): Promise<void> {
    const { id: userId, email, profile } = visit.session.user;
    const { minimumLength } = await deps.credentials.passwordRulesFor({ userId, email, name: profile.name });
    portal.render(visit, { place: 'password', view: 'password', title: 'portal.password' }, { error, minimumLength });
  }
  function refuse(visit: Visit, status: number, error: Said): Promise<void> {
    visit.ctx.status = status;
    return show(visit, error);
  }

  router.get(
    places.password,
    portal.page('password', (visit) => show(visit), { fresh: true }),
  );
  router.post(
    places.password,
    portal.form(
      'password',
      passwordForm,
      async (visit, { password: current, new_password: wanted }) => {
        const { ctx, session } = visit;
        const { language } = visit.reader;
        const change = { user: session.user, sessionUid: session.uid, current, wanted, language };
        try {
          const result = await changePassword(deps, {
            ...change,
            address: ctx.ip,
            device: deps.cookies.read(ctx, 'device'),
          });
          if (result.outcome === 'wrong') return await refuse(visit, 422, 'password.wrong');
          if (result.outcome === 'blocked') {
            const { message, retryAfterSeconds } = presentWait(result.wait, deps.now());
            ctx.set('Retry-After', String(retryAfterSeconds));
            return await refuse(visit, 429, message);
          }
          deps.keepSession(ctx, result.identifier);
          const { lifetimeSeconds } = deps.credentials.knownDevices;
          deps.cookies.write(ctx, 'device', { value: result.mark, lifetimeSeconds });
        } catch (error) {
          if (!(error instanceof AppError) || error.status !== 400) throw error;
          return refuse(visit, 422, error);
        }
        goTo(ctx, 'password', 'password-changed');
      },
      { fresh: true },
    ),
  );
}
