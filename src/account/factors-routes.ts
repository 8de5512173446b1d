import type Router from '@koa/router';
import { z } from 'zod';
import type { Factor, Freshness } from '../credentials/index.js';
import { AppError } from '../kernel/errors.js';
import type { MessageKey, Said } from '../kernel/message.js';
import { nameCharacters, somethingVisible } from '../kernel/patterns.js';
import { momentsFor } from '../platform/i18n/moments.js';
import type { AccountDeps } from './account-deps.js';
import { goTo, type Portal, type Visit } from './portal-routes.js';
import { places } from './places.js';

const oneForm = z.strictObject({ factor: z.string().max(64) });
const renameForm = oneForm.extend({ name: z.string().max(200) });
const noMembers = z.strictObject({});
const fresh = { fresh: true } as const;

/** What a person has, and what is done with it there. */
export function factorsRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  const { factors } = deps;
  const show = (visit: Visit, error?: Said): Promise<void> => showFactors(deps, portal, visit, error);

  router.get(
    places.factors,
    portal.page('factors', (visit) => show(visit)),
  );
  router.post(
    `${places.factors}/rename`,
    portal.form('factors', renameForm, async (visit, { factor, name: typed }) => {
      const name = typed.trim();
      if (!isName(name)) {
        visit.ctx.status = 422;
        return show(visit, 'factors.bad_name');
      }
      await factors.renameFactor(visit.session.user, factor, name);
      goTo(visit.ctx, 'factors', 'factor-renamed');
    }),
  );
  router.post(
    `${places.factors}/remove`,
    portal.form(
      'factors',
      oneForm,
      async (visit, { factor }) => {
        await factors.removeFactor(visit.session.user, freshnessOf(visit), factor);
        goTo(visit.ctx, 'factors', 'factor-removed');
      },
      fresh,
    ),
  );
  router.post(
    `${places.factors}/email`,
    portal.form(
      'factors',
      noMembers,
      async (visit) => {
        const { ctx, session } = visit;
        const added = await orRefusal(factors.allowEmailCodes(session.user, freshnessOf(visit)));
        if (added instanceof AppError) return show(visit, refused(visit, added));
        goTo(ctx, 'factors', 'factor-added');
      },
      fresh,
    ),
  );
  router.post(
    `${places.factors}/recovery-codes`,
    portal.form(
      'factors',
      noMembers,
      async (visit) => {
        const { session } = visit;
        const codes = await orRefusal(factors.makeRecoveryCodes(session.user, freshnessOf(visit)));
        if (codes instanceof AppError) return show(visit, refused(visit, codes));
        showRecoveryCodes(portal, visit, codes);
      },
      fresh,
    ),
  );
}

/** Takes rights away alone, so it asks for no fresh proof. */
export function trustedBrowsersRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  router.post(
    `${places.factors}/forget-browsers`,
    portal.form('factors', noMembers, async ({ ctx, session }) => {
      await deps.factors.forgetTrustedDevices(session.user);
      goTo(ctx, 'factors', 'browsers-forgotten');
    }),
  );
}

/** How the use cases want to know it. */
export function freshnessOf({ session, reader }: Visit): Freshness {
  const { authenticatedAt, acr, amr } = session;
  return { provenAt: authenticatedAt, level: acr ?? undefined, amr, language: reader.language };
}

/** Once: nobody sees them again. */
export function showRecoveryCodes(portal: Portal, visit: Visit, codes: readonly string[]): void {
  const page = { place: 'factors', view: 'recovery-codes', title: 'recovery_codes.title' } as const;
  portal.render(visit, page, { codes });
}

export async function showFactors(
  deps: AccountDeps,
  portal: Portal,
  visit: Visit,
  error: Said | null = null,
): Promise<void> {
  const { user } = visit.session;
  const found = await deps.factors.listFactors(user.id);
  const kinds = found.map(({ kind }) => kind);
  const moment = momentsFor(visit.reader);
  const present = ({ id, kind, name, createdAt, lastUsedAt }: Factor): object => ({
    ...{ id, name, kindLabel: `factor_kinds.${kind}` satisfies MessageKey, mayRename: kind === 'passkey' },
    ...{ createdAt: moment(createdAt), lastUsedAt: lastUsedAt && moment(lastUsedAt) },
  });
  const emailRefused = await deps.factors.refusesEmailCodes(user.id);
  const hasCodes = deps.assurance.reachesSecondLevel(kinds);
  portal.render(
    visit,
    { place: 'factors', view: 'factors', title: 'portal.factors' },
    {
      ...{ error, factors: found.map(present), hasCodes },
      codesLeft: hasCodes ? await deps.factors.countRecoveryCodes(user.id) : 0,
      ...{ mayAddApp: !kinds.includes('totp'), emailRefused },
      mayAddEmail: user.emailVerified && !kinds.includes('email') && !emailRefused,
    },
  );
}

/** What the person can do something about is told on the page; all else is an error like any other. */
export async function orRefusal<T>(change: Promise<T>): Promise<T | AppError> {
  try {
    return await change;
  } catch (error) {
    if (error instanceof AppError && error.status === 409) return error;
    throw error;
  }
}

export function refused({ ctx }: Visit, error: AppError): Said {
  ctx.status = error.status;
  return error;
}

function isName(name: string): boolean {
  return [...name].length <= 60 && somethingVisible.test(name) && nameCharacters.test(name);
}
