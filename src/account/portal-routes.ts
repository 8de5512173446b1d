import type { Context } from 'koa';
import type { z } from 'zod';
import type { CurrentSession } from '../oidc/index.js';
import type { Reader } from '../kernel/languages.js';
import type { Said } from '../kernel/message.js';
import { secondsAfter } from '../kernel/time.js';
import { languageOf, preferLanguages } from '../platform/http/page-language.js';
import { signInAddress } from './account-client.js';
import type { AccountDeps } from './account-deps.js';
import { doneText, type Done } from './done.js';
import { keptForms, type KeptValues } from './kept-forms-of-routes.js';
import { pathOf, places, sections, type Place } from './places.js';

/** Somebody who is signed in, at a page of their own account. */
export interface Visit {
  ctx: Context;
  session: CurrentSession;
  reader: Reader;
  /** What they had typed here before they had to prove who they are; null: it was not so. */
  kept: KeptValues | null;
}

interface Options {
  /** The person has to have proven a short while ago who they are, with the strongest that they have. */
  fresh?: true;
}

interface FormOptions<Form> extends Options {
  /** What is shown again to who has to prove first who they are: no secrets. */
  keep?: readonly (keyof Form & string)[];
}

export interface Portal {
  /** A page that only who is signed in sees; everybody else signs in first, and comes back to it. */
  page(place: Place, show: (visit: Visit) => Promise<void>, options?: Options): (ctx: Context) => Promise<void>;
  /**
   * A form of such a page. Who is not signed in any more does so, and finds the page as it is then; who has to prove once
   * more who they are finds what they had typed.
   */
  form<Schema extends z.ZodType>(
    place: Place,
    schema: Schema,
    act: (visit: Visit, form: z.output<Schema>) => Promise<void>,
    options?: FormOptions<z.output<Schema>>,
  ): (ctx: Context) => Promise<void>;
  render(visit: Visit, page: { place: Place; view: string; title: Said }, locals: Record<string, unknown>): void;
}

export function createPortal(deps: AccountDeps): Portal {
  const kept = keptForms(deps);
  const isFresh = (session: CurrentSession): boolean => hasProvenStrongest(deps, session);
  const whose = ({ user }: CurrentSession, place: Place) => ({ userId: user.id, place });

  async function openSession(ctx: Context): Promise<CurrentSession | null> {
    const session = await deps.currentSession(ctx);
    preferLanguages(ctx, session?.user.profile.locale);
    return session;
  }

  function visitOf(ctx: Context, session: CurrentSession, before: KeptValues | null): Visit {
    return {
      ctx,
      session,
      kept: before,
      reader: { language: languageOf(ctx), zoneinfo: session.user.profile.zoneinfo },
    };
  }

  /** Of who is signed in the sign-in speaks the language. */
  function toSignIn(ctx: Context, session: CurrentSession | null, place: Place, { fresh }: Options): void {
    const language = session?.user.profile.locale === undefined ? undefined : languageOf(ctx);
    seeOther(ctx, signInAddress(deps.issuer, place, { strongest: fresh === true, language }));
  }

  return {
    page:
      (place, show, options = {}) =>
      async (ctx) => {
        const session = await openSession(ctx);
        if (!opensAccount(session) || (options.fresh && !isFresh(session)))
          return toSignIn(ctx, session, place, options);
        await show(visitOf(ctx, session, await kept.take(ctx, whose(session, place))));
      },
    form:
      (place, schema, act, options = {}) =>
      async (ctx) => {
        // whoever sends slowly does not act in a session that has ended meanwhile
        const received = await deps.forms.receive(ctx);
        const session = await openSession(ctx);
        if (!opensAccount(session)) return toSignIn(ctx, session, place, options);
        const form = received.read(bindingOf(session), schema);
        if (!options.fresh || isFresh(session)) return act(visitOf(ctx, session, null), form);
        await kept.keep(ctx, whose(session, place), valuesOf(form, options.keep ?? []));
        toSignIn(ctx, session, place, options);
      },
    render({ ctx, session, kept: before }, { place, view, title }, locals) {
      deps.pages.render(
        ctx,
        { view: `account/${view}`, title },
        {
          user: { name: session.user.profile.name ?? null, email: session.user.email },
          nav: sections.map(({ place: name, label }) => ({ path: pathOf(name), label, isCurrent: name === place })),
          csrf: deps.forms.csrfToken(ctx, bindingOf(session)),
          done: doneText(before ? 'proven' : ctx.query['done']),
          error: null,
          ...locals,
        },
      );
    },
  };
}

function hasProvenStrongest(deps: AccountDeps, { authenticatedAt, acr, amr, user }: CurrentSession): boolean {
  const isStrongest = deps.assurance.isStrongest(user.factorKinds ?? [], { level: acr ?? undefined, amr });
  return isStrongest && secondsAfter(authenticatedAt, deps.freshSeconds) > deps.now();
}

/**
 * A tenant's provider opens that tenant, and not the account, which may be of others too. Nor does a sign-in open it that
 * has proven less than its person has to wherever they go.
 */
function opensAccount(session: CurrentSession | null): session is CurrentSession {
  return session?.boundTenantId === null && session.isEnough;
}

function valuesOf(form: unknown, names: readonly string[]): KeptValues {
  const typed = form as Record<string, string | undefined>;
  return Object.fromEntries(names.map((name) => [name, typed[name] ?? '']));
}

function bindingOf({ uid }: CurrentSession): string {
  return `account:${uid}`;
}

/** After a form: the page shows what has been done, and is not posted again. */
export function goTo(ctx: Context, place: Place, done: Done): void {
  seeOther(ctx, `${places[place]}?done=${done}`);
}

export function seeOther(ctx: Context, location: string): void {
  ctx.status = 303;
  ctx.set('Location', location);
  ctx.body = '';
}
