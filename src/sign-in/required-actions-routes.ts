import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { AppError } from '../kernel/errors.js';
import type { MessageKey, Said } from '../kernel/message.js';
import { oneSpelling } from '../platform/http/http-errors.js';
import type { RequiredActions } from '../required-actions/index.js';
import {
  bindingOf,
  common,
  exchangeOf,
  open,
  pageOf,
  presentUser,
  seeOther,
  wrongStep,
  type OpenInteraction,
} from './parts-of-routes.js';
import type { SignInDeps } from './sign-in-deps.js';

const version = z.string().max(40).optional();
const termsForm = z.strictObject({ platform_version: version, tenant_version: version, accept: z.literal('yes') });

type Member = RequiredActions['profile'][number];

interface Field {
  field: string;
  label: MessageKey;
  autocomplete: string;
  hint: MessageKey | null;
  /** Said of what cannot be taken. */
  bad: MessageKey;
}

/** How each member of a profile stands in the form. */
const fields: Readonly<Record<Member, Field>> = {
  name: { field: 'name', label: 'profile.name', autocomplete: 'name', hint: null, bad: 'profile.bad_name' },
  givenName: {
    ...{ field: 'given_name', label: 'profile.given_name', autocomplete: 'given-name', hint: null },
    bad: 'profile.bad_given_name',
  },
  familyName: {
    ...{ field: 'family_name', label: 'profile.family_name', autocomplete: 'family-name', hint: null },
    bad: 'profile.bad_family_name',
  },
  locale: {
    ...{ field: 'locale', label: 'profile.locale', autocomplete: 'language', hint: 'complete_profile.locale_hint' },
    bad: 'profile.bad_locale',
  },
};

/** What is wrong with a profile, and with which member where that is known. */
interface ProfileProblem {
  error: Said;
  wrong?: Member | undefined;
}

/** What a person has to do before they get into the tenant: accept its terms and the platform's, say who they are. */
export function requiredActionsRoutes(deps: SignInDeps): Router {
  const router = new Router(oneSpelling);
  router.post('/sign-in/:uid/terms', (ctx) => submitTerms(deps, ctx));
  router.post('/sign-in/:uid/profile', (ctx) => submitProfile(deps, ctx));
  return router;
}

async function submitTerms(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'terms');
  const form = await deps.forms.read(ctx, bindingOf(interaction), termsForm);
  const seen = { platform: form.platform_version, tenant: form.tenant_version };
  const { userId, tenantId } = placeOf(interaction);
  if (!(await deps.requiredActions.acceptTerms(userId, tenantId, seen))) {
    ctx.status = 409;
    return showTerms(deps, ctx, interaction, 'accept_terms.changed');
  }
  const accepted = { tenantId, version: seen.tenant ?? null };
  seeOther(ctx, await deps.interactions.termsAccepted(exchangeOf(ctx), accepted));
}

async function submitProfile(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'profile');
  const { profile: missing } = await dueIn(deps, interaction);
  const schema = z.strictObject(
    Object.fromEntries(missing.map((member) => [fields[member].field, z.string().max(200)])),
  );
  const form: Record<string, string> = await deps.forms.read(ctx, bindingOf(interaction), schema);
  const problem = await saveProfile(deps, interaction, { missing, form });
  if (problem === null) return seeOther(ctx, await deps.interactions.profileCompleted(exchangeOf(ctx)));
  ctx.status = 422;
  return showProfile(deps, ctx, interaction, { form, ...problem });
}

/** Null: it is saved. */
async function saveProfile(
  deps: SignInDeps,
  interaction: OpenInteraction,
  { missing, form }: { missing: readonly Member[]; form: Record<string, string> },
): Promise<ProfileProblem | null> {
  const typed = missing.map((member) => [member, form[fields[member].field]?.trim() ?? ''] as const);
  const empty = typed.find(([, text]) => text === '')?.[0];
  if (empty)
    return {
      error: { key: 'complete_profile.missing', values: { member: { key: fields[empty].label } } },
      wrong: empty,
    };
  try {
    await deps.changeOwnProfile(placeOf(interaction).userId, { changes: Object.fromEntries(typed) });
    return null;
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 400) throw error;
    const wrong = missing.find((member) => error.fields[0]?.pointer === `/${member}`);
    return { error: wrong ? fields[wrong].bad : error, wrong };
  }
}

export async function showTerms(
  deps: SignInDeps,
  ctx: Context,
  interaction: OpenInteraction,
  error: Said | null,
): Promise<void> {
  const { terms } = await dueIn(deps, interaction);
  const ownerName = interaction.look?.name ?? '';
  deps.pages.render(ctx, pageOf(interaction, 'terms', 'accept_terms.title'), {
    ...common(deps, ctx, interaction, 'terms'),
    ...{ error, user: await presentUser(deps, interaction) },
    terms: terms.map(({ of: owner, version: shown, uri }) => ({
      ...{ owner, version: shown, termsUri: uri, label: termsLabel(owner, ownerName) },
    })),
  });
}

export async function showProfile(
  deps: SignInDeps,
  ctx: Context,
  interaction: OpenInteraction,
  { form, error, wrong }: { form: Record<string, string>; error: Said | null; wrong?: Member | undefined },
): Promise<void> {
  const { profile: missing } = await dueIn(deps, interaction);
  deps.pages.render(ctx, pageOf(interaction, 'profile', 'complete_profile.title'), {
    ...common(deps, ctx, interaction, 'profile'),
    ...{ error, user: await presentUser(deps, interaction) },
    fields: missing.map((member) => {
      const { bad: _bad, ...field } = fields[member];
      return { ...field, value: form[field.field] ?? '', hasFocus: member === (wrong ?? missing[0]) };
    }),
  });
}

function termsLabel(owner: RequiredActions['terms'][number]['of'], tenantName: string): Said {
  return owner === 'platform' ? 'accept_terms.of_platform' : { key: 'accept_terms.of_tenant', values: { tenantName } };
}

async function dueIn(deps: SignInDeps, interaction: OpenInteraction): Promise<RequiredActions> {
  const { userId, tenantId } = placeOf(interaction);
  const due = await deps.requiredActions.findRequiredActionsIn(userId, tenantId);
  if (!due) throw wrongStep();
  return due;
}

/** Both are known from the prompts on that come once the tenant is chosen. */
function placeOf({ userId, tenantId }: OpenInteraction): { userId: string; tenantId: string } {
  if (userId === undefined || tenantId === null) throw wrongStep();
  return { userId, tenantId };
}
