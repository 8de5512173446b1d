import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { clientOf } from './library-internals.js';
import type { ChooseTenant } from './tenant-choice.js';

/** Prompts in the order in which a person meets them; each is one page. */
export type PromptName = 'login' | 'select_tenant' | 'consent';

export function createInteractionPolicy(deps: {
  chooseTenant: ChooseTenant;
  sessionAbsoluteSeconds: number;
}): interactionPolicy.DefaultPolicy {
  const { Check, Prompt } = interactionPolicy;
  const policy = interactionPolicy.base();

  policy
    .get('login')
    ?.checks.add(
      new Check('account_gone', 'the signed-in account can no longer be used', 'login_required', (ctx) =>
        Boolean(ctx.oidc.session?.accountId && !ctx.oidc.account),
      ),
    );
  policy
    .get('login')
    ?.checks.add(
      new Check('session_too_old', 'the session has reached its absolute lifetime', 'login_required', (ctx) =>
        Boolean(
          ctx.oidc.session?.accountId && !ctx.oidc.result?.login && ctx.oidc.session.past(deps.sessionAbsoluteSeconds),
        ),
      ),
    );

  // Whoever is signed in already gets the login page and so the chance to come as somebody else; who has just signed in
  // is refused below.
  policy.get('login')?.checks.add(
    new Check('tenant_refused', 'the tenant is not open to the signed-in person', 'login_required', async (ctx) => {
      if (ctx.oidc.prompts.has('none') || ctx.oidc.result?.login || !ctx.oidc.account) return false;
      return (await deps.chooseTenant(ctx)).kind === 'refused';
    }),
  );

  policy.add(
    new Prompt(
      { name: 'select_tenant', requestable: true },
      new Check('tenant_missing', 'a tenant has to be chosen', 'interaction_required', async (ctx) => {
        const choice = await deps.chooseTenant(ctx);
        // foreign, missing and inactive tenants are answered alike: nobody learns which tenants exist
        if (choice.kind === 'refused')
          throw new errors.AccessDenied('the tenant is unknown or not open to this person');
        return choice.kind === 'undecided';
      }),
    ),
    1,
  );

  const consent = policy.get('consent');
  const nativeCheck = consent?.checks.get('native_client_prompt');
  if (!consent || !nativeCheck) throw new Error('oidc-provider: the consent prompt has changed');
  // RFC 8252 §8.6 asks for consent because a native app can be impersonated; our own apps are not asked for
  const requestedByLibrary = nativeCheck.check;
  nativeCheck.check = (ctx: KoaContextWithOIDC) => (clientOf(ctx).firstParty ? false : requestedByLibrary(ctx));
  return policy;
}
