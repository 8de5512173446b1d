import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { epochSeconds, secondsAfter, type Clock } from '../kernel/time.js';
import type { SessionState } from './adapter/session-adapter.js';
import type { Authorization } from '../access/index.js';
import { clientOf, type BoundSession } from './library-internals.js';
import { freshEnoughToEnrol, secondFactorPrompt, type SecondFactorPromptDeps } from './second-factor-prompt.js';
import { requiredActionsPrompts, type RequiredActionsPromptDeps } from './required-actions-prompts.js';
import { acceptedTenant, type ChooseTenant } from './tenant-choice.js';

/** Prompts in the order in which a person meets them; each is one page. */
export type PromptName = 'login' | 'invitation' | 'select_tenant' | 'second_factor' | 'terms' | 'profile' | 'consent';

export interface InteractionPolicyDeps extends SecondFactorPromptDeps, RequiredActionsPromptDeps {
  isOpenInvitation(token: string): Promise<boolean>;
  sessionAbsoluteSeconds: number;
}

type SignedInBy = BoundSession & { accountId?: string; loginTs?: number };

export function createInteractionPolicy(deps: InteractionPolicyDeps): interactionPolicy.DefaultPolicy {
  const { Check } = interactionPolicy;
  const policy = interactionPolicy.base();
  // the library would show the login page again and again, whatever was proven there
  for (const reason of ['essential_acrs', 'essential_acr']) policy.get('login')?.checks.remove(reason);

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

  policy.get('login')?.checks.add(
    new Check('connection_session_over', 'the connection wants a newer sign-in', 'login_required', (ctx) => {
      const { accountId, loginTs = 0, sessionSeconds } = (ctx.oidc.session ?? {}) as SignedInBy;
      if (!accountId || ctx.oidc.result?.login || sessionSeconds === undefined) return false;
      return epochSeconds(deps.now()) - loginTs >= sessionSeconds;
    }),
  );

  // Whoever is signed in already gets the login page and so the chance to come as somebody else; who has just signed in
  // is refused below.
  policy.get('login')?.checks.add(
    new Check('tenant_refused', 'the tenant is not open to the signed-in person', 'login_required', async (ctx) => {
      if (ctx.oidc.prompts.has('none') || ctx.oidc.result?.login || !ctx.oidc.account) return false;
      if (unansweredInvitation(ctx) !== undefined) return false; // it may open the tenant
      return (await deps.chooseTenant(ctx)).kind === 'refused';
    }),
  );

  policy.get('login')?.checks.add(freshEnoughToEnrol(deps));
  policy.get('login')?.checks.add(tenantSessionCheck(deps));

  policy.add(invitationPrompt(deps.isOpenInvitation), 1);
  policy.add(tenantPrompt(deps.chooseTenant), 2);
  policy.add(secondFactorPrompt(deps), 3);
  requiredActionsPrompts(deps).forEach((prompt, index) => policy.add(prompt, 4 + index));

  const consent = policy.get('consent');
  const nativeCheck = consent?.checks.get('native_client_prompt');
  if (!consent || !nativeCheck) throw new Error('oidc-provider: the consent prompt has changed');
  // RFC 8252 §8.6 asks for consent because a native app can be impersonated; our own apps are not asked for
  const requestedByLibrary = nativeCheck.check;
  nativeCheck.check = (ctx: KoaContextWithOIDC) => (clientOf(ctx).firstParty ? false : requestedByLibrary(ctx));
  return policy;
}

function tenantPrompt(chooseTenant: ChooseTenant): interactionPolicy.Prompt {
  const check = async (ctx: KoaContextWithOIDC): Promise<boolean> => {
    const choice = await chooseTenant(ctx);
    // foreign, missing and inactive tenants are answered alike: nobody learns which tenants exist
    if (choice.kind === 'refused')
      throw new errors.AccessDenied(
        choice.reason === 'address'
          ? 'the tenant may not be used from this address'
          : 'the tenant is unknown or not open to this person',
      );
    return choice.kind === 'undecided';
  };
  return new interactionPolicy.Prompt(
    { name: 'select_tenant', requestable: true },
    new interactionPolicy.Check('tenant_missing', 'a tenant has to be chosen', 'interaction_required', check),
  );
}

function tenantSessionCheck(deps: { chooseTenant: ChooseTenant; now: Clock }): interactionPolicy.Check {
  const check = async (ctx: KoaContextWithOIDC): Promise<boolean> => {
    if (!ctx.oidc.session?.accountId || ctx.oidc.result?.login) return false;
    const choice = await deps.chooseTenant(ctx);
    return choice.kind === 'chosen' && isOver(ctx, choice.authorization.session, deps.now());
  };
  const reason = 'the tenant wants a newer or livelier session';
  return new interactionPolicy.Check('tenant_session_over', reason, 'login_required', check);
}

/** Measured by the tenant that is entered; what the platform asks of every session is measured elsewhere. */
function isOver(
  ctx: KoaContextWithOIDC,
  { idleSeconds, absoluteSeconds }: Authorization['session'],
  now: Date,
): boolean {
  const { seenAt } = ctx.state as SessionState;
  const isOld = absoluteSeconds !== null && epochSeconds(now) - (ctx.oidc.session?.loginTs ?? 0) > absoluteSeconds;
  const isIdle = idleSeconds !== null && (!seenAt || secondsAfter(seenAt, idleSeconds) < now);
  return isOld || isIdle;
}

/** A page for whoever came by an invitation: until it is answered it may open a tenant that is closed to them. */
function invitationPrompt(isOpenInvitation: (token: string) => Promise<boolean>): interactionPolicy.Prompt {
  const check = async (ctx: KoaContextWithOIDC): Promise<boolean> => {
    const token = unansweredInvitation(ctx);
    if (token === undefined || !ctx.oidc.session?.accountId) return false;
    if (await isOpenInvitation(token)) return true;
    throw new errors.AccessDenied('the invitation was used or revoked, or has expired');
  };
  return new interactionPolicy.Prompt(
    { name: 'invitation', requestable: false },
    new interactionPolicy.Check('invitation_open', 'an invitation waits for an answer', 'interaction_required', check),
  );
}

function unansweredInvitation(ctx: KoaContextWithOIDC): string | undefined {
  if (acceptedTenant(ctx.oidc.result) !== undefined) return undefined;
  return ctx.oidc.params?.['invitation'] as string | undefined;
}
