import type Router from '@koa/router';
import { z } from 'zod';
import type { Said } from '../kernel/message.js';
import type { AccountDeps } from './account-deps.js';
import { goTo, type Portal, type Visit } from './portal-routes.js';
import { places } from './places.js';

const emailForm = z.strictObject({ email: z.string().max(320) });
const nothing = z.strictObject({});

const refusals = {
  no_address: [422, 'email.no_address'],
  same: [422, 'email.same'],
  too_many: [429, 'email.too_many'],
  of_domain: [403, 'email.of_domain'],
} as const;

/** The address with which the person signs in. Another one counts once it is proven by the link that is sent there. */
export function emailRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  async function show(visit: Visit, form: { email: string; error: Said | null }): Promise<void> {
    const { email: present, emailVerified: isProven } = visit.session.user;
    portal.render(visit, { place: 'email', view: 'email', title: 'portal.email' }, { ...form, present, isProven });
  }
  const browserOf = ({ ctx }: Visit): string => deps.browserIds.ensure(ctx);

  router.get(
    places.email,
    portal.page('email', (visit) => show(visit, { email: visit.kept?.['email'] ?? '', error: null }), { fresh: true }),
  );
  router.post(
    places.email,
    portal.form(
      'email',
      emailForm,
      async (visit, { email }) => {
        const { user, authenticatedAt: provenAt } = visit.session;
        const change = {
          userId: user.id,
          browserId: browserOf(visit),
          email,
          provenAt,
          language: visit.reader.language,
        };
        const outcome = await deps.accounts.startEmailChange(change);
        if (outcome === 'sent') return goTo(visit.ctx, 'email', 'email-sent');
        const [status, error] = refusals[outcome];
        visit.ctx.status = status;
        // what is no address may be anything, a password too: it is not shown again
        return show(visit, { email: outcome === 'no_address' ? '' : email, error });
      },
      { fresh: true, keep: ['email'] },
    ),
  );
  router.post(
    '/account/email/verify',
    portal.form(
      'email',
      nothing,
      async (visit) => {
        const { id: userId } = visit.session.user;
        const isSent = await deps.accounts.requestEmailVerification({
          ...{ userId, browserId: browserOf(visit), language: visit.reader.language },
        });
        if (isSent || visit.session.user.emailVerified) return goTo(visit.ctx, 'email', 'email-sent');
        const [status, error] = refusals.too_many;
        visit.ctx.status = status;
        return show(visit, { email: '', error });
      },
      { fresh: true },
    ),
  );
}
