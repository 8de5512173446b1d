import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Authorization } from '../access/index.js';
import type { RequiredActions, RequiredActionsModule } from '../required-actions/index.js';
import { boundTenantOf } from './library-internals.js';
import { inTenant, type ChooseTenant } from './tenant-choice.js';

export interface RequiredActionsPromptDeps extends Pick<RequiredActionsModule, 'findRequiredActions'> {
  chooseTenant: ChooseTenant;
}

/**
 * Terms first, so that nobody tells anything about themselves to who they have not agreed with. Asked at every
 * authorization request, also of who is signed in already; nobody is asked on the way to their own account, where they
 * can leave.
 */
export function requiredActionsPrompts(deps: RequiredActionsPromptDeps): interactionPolicy.Prompt[] {
  const prompt = (name: string, code: string, description: string, isDue: (due: RequiredActions) => boolean) =>
    new interactionPolicy.Prompt(
      { name, requestable: false },
      inTenant(deps.chooseTenant),
      new interactionPolicy.Check(code, description, 'interaction_required', async (ctx) =>
        isDue(await dueIn(deps, ctx)),
      ),
    );
  return [
    prompt('terms', 'terms_not_accepted', 'terms have to be accepted', ({ terms }) => terms.length > 0),
    prompt('profile', 'profile_incomplete', 'the profile has to be completed', ({ profile }) => profile.length > 0),
  ];
}

/** Nobody says who a person is whom a tenant's own provider has vouched for: what they are called counts everywhere. */
export async function dueFor(
  { findRequiredActions }: Pick<RequiredActionsModule, 'findRequiredActions'>,
  { userId, isBound }: { userId: string; isBound: boolean },
  authorization: Authorization,
): Promise<RequiredActions> {
  const due = await findRequiredActions(userId, authorization);
  return isBound ? { ...due, profile: [] } : due;
}

async function dueIn(deps: RequiredActionsPromptDeps, ctx: KoaContextWithOIDC): Promise<RequiredActions> {
  const userId = ctx.oidc.session?.accountId;
  const choice = await deps.chooseTenant(ctx);
  if (userId === undefined || choice.kind !== 'chosen') return { terms: [], profile: [] };
  const { authorization } = choice;
  const due = await dueFor(deps, { userId, isBound: boundTenantOf(ctx) !== undefined }, authorization);
  // another process may have written it down, which this one sees within two seconds
  const accepted = acceptedInFlow(ctx.oidc.result);
  const isAccepted = (of: string, version: string): boolean =>
    of === 'tenant' && accepted?.tenantId === authorization.tenant.id && accepted.version === version;
  return { ...due, terms: due.terms.filter(({ of, version }) => !isAccepted(of, version)) };
}

/** Terms of a tenant that were accepted on the way, as the library keeps it with the interaction. */
function acceptedInFlow(result: unknown): { tenantId?: string; version?: string | null } | undefined {
  return (result as { terms?: { tenantId?: string; version?: string | null } } | undefined)?.terms;
}
