import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { secondsAfter, type Clock } from '../kernel/time.js';
import { requiredLevel, type RequiredLevelDeps } from './required-level.js';
import { inTenant } from './tenant-choice.js';
import { factorKindsOf } from './user-claims.js';

const { Check, Prompt } = interactionPolicy;

export interface SecondFactorPromptDeps extends RequiredLevelDeps {
  /** How old a sign-in may be in which a first factor is set up. */
  freshSeconds: number;
  now: Clock;
}

/**
 * The page for whoever has signed in with less than this request takes. A person's own factors were asked for before the
 * session got its person; here it is about what is known later, or asked for by this request alone: the tenant, the
 * client, `acr_values`. Who has no factor sets one up there.
 */
export function secondFactorPrompt(deps: SecondFactorPromptDeps): interactionPolicy.Prompt {
  const check = async (ctx: KoaContextWithOIDC): Promise<boolean> => {
    const { session } = ctx.oidc;
    if (!session?.accountId) return false;
    const { must, wish } = await requiredLevel(deps, ctx);
    if (!deps.assurance.reaches(session.acr, must)) return true;
    if (deps.assurance.reaches(session.acr, wish) || ctx.oidc.prompts.has('none')) return false;
    return hasSecondLevel(deps, ctx);
  };
  return new Prompt(
    { name: 'second_factor', requestable: false },
    inTenant(deps.chooseTenant),
    new Check('level_too_low', 'a second factor has to be proven', 'interaction_required', check),
  );
}

/**
 * Whoever is about to set up a first factor has signed in just now, with the code by e-mail if they have chosen those. Who
 * has waited on the way does so again, and so does a session that is older than that choice.
 */
export function freshEnoughToEnrol(deps: SecondFactorPromptDeps): interactionPolicy.Check {
  return new Check('proof_too_old', 'the sign-in is too old to set up a factor', 'login_required', async (ctx) => {
    const { session, account } = ctx.oidc;
    if (!session?.accountId || !account) return false;
    const signedInAt = new Date((session.loginTs ?? 0) * 1000);
    const isAsked = !factorKindsOf(ctx).includes('email') || (session.amr ?? []).includes('otp');
    if (isAsked && secondsAfter(signedInAt, deps.freshSeconds) >= deps.now()) return false;
    const { must } = await requiredLevel(deps, ctx);
    return !deps.assurance.reaches(session.acr, must) && !hasSecondLevel(deps, ctx);
  });
}

function hasSecondLevel({ assurance }: RequiredLevelDeps, ctx: KoaContextWithOIDC): boolean {
  return assurance.reachesSecondLevel(factorKindsOf(ctx));
}
