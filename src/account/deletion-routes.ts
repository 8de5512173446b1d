import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { parseEmail } from '../kernel/email.js';
import { notFound } from '../platform/http/http-errors.js';
import { readerOf } from '../kernel/languages.js';
import type { Said } from '../kernel/message.js';
import { inSameLanguage, languageOf, preferLanguages } from '../platform/http/page-language.js';
import { momentsFor } from '../platform/i18n/moments.js';
import type { AccountDeps } from './account-deps.js';
import { goTo, type Portal, type Visit } from './portal-routes.js';
import { places } from './places.js';
import { refusal } from './tenants-routes.js';

const deleteForm = z.strictObject({ confirmation: z.string().max(320) });
const closeForm = z.strictObject({ tenant: z.string().min(1).max(64) });
const noMembers = z.strictObject({});
const tokenPattern = /^[\w-]{43}$/;
const cancelPath = '/account/deletion/:token';

export function deletionRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  async function show(visit: Visit, error: Said | null = null): Promise<void> {
    const owned = await deps.administration.listTenantsOwnedAlone(visit.session.user.id);
    const tenants = owned.map(({ id, name }) => ({ id, name }));
    const graceDays = Math.round(deps.deletionGraceSeconds / 86_400);
    const page = { place: 'deletion', view: 'delete', title: 'deletion.title' } as const;
    portal.render(visit, page, { tenants, graceDays, error });
  }
  const fresh = { fresh: true } as const;

  router.get(
    places.deletion,
    portal.page('deletion', (visit) => show(visit), fresh),
  );
  router.post(
    `${places.deletion}/close-tenant`,
    portal.form(
      'deletion',
      closeForm,
      async (visit, { tenant }) => {
        await deps.administration.closeOwnTenant(visit.session.user.id, tenant);
        goTo(visit.ctx, 'deletion', 'closed');
      },
      fresh,
    ),
  );
  router.post(
    places.deletion,
    portal.form(
      'deletion',
      deleteForm,
      async (visit, { confirmation }) => {
        const { id, email } = visit.session.user;
        if (parseEmail(confirmation) !== email) {
          visit.ctx.status = 422;
          return show(visit, 'deletion.not_yours');
        }
        try {
          const dueAt = await deps.administration.requestDeletion(id, visit.reader.language);
          const at = momentsFor(visit.reader)(dueAt);
          deps.pages.render(visit.ctx, { view: 'account/deleted', title: 'deletion.closed_title' }, { dueAt: at });
        } catch (error) {
          return show(visit, refusal(visit, error));
        }
      },
      fresh,
    ),
  );
  cancelRoutes(router, deps);
}

/** The link in the mail. To open it does nothing: mail scanners do it too. */
function cancelRoutes(router: Router, deps: AccountDeps): void {
  router.get(cancelPath, async (ctx) => {
    const token = tokenOf(ctx);
    const { user, dueAt } = await deps.administration.getDeletion(token);
    preferLanguages(ctx, user.profile.locale);
    const reader = { ...readerOf(user.profile), language: languageOf(ctx) };
    deps.pages.render(
      ctx,
      { view: 'account/deletion', title: 'deletion.keep_page_title' },
      {
        action: inSameLanguage(ctx, `/account/deletion/${token}`),
        csrf: deps.forms.csrfToken(ctx, `deletion:${token}`),
        dueAt: momentsFor(reader)(dueAt),
      },
    );
  });
  router.post(cancelPath, async (ctx) => {
    const token = tokenOf(ctx);
    await deps.forms.read(ctx, `deletion:${token}`, noMembers);
    await deps.administration.cancelDeletion(token);
    deps.pages.render(ctx, { view: 'account/kept', title: 'deletion.stays_title' }, {});
  });
}

function tokenOf(ctx: Context): string {
  const { token } = (ctx as unknown as { params: { token: string } }).params;
  if (!tokenPattern.test(token)) throw notFound();
  return token;
}
