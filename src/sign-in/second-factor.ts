import { equalSecrets } from '../kernel/secret.js';
import type { CodeMethod, Proof } from '../credentials/index.js';
import type { BrowserExchange, Interaction, UpstreamLogin } from '../oidc/index.js';
import type { User } from '../users/index.js';
import type { SignInDeps } from './sign-in-deps.js';

/** Somebody who has to prove more than they have so far. */
export interface PersonAsked {
  user: User;
  proofs: readonly Proof[];
  /** Not signed in yet: the person's own factors are asked for. Otherwise what tenant, client or request ask for. */
  isHalfDone: boolean;
  /** When they signed in; null: they have not yet. */
  signedInAt: Date | null;
  /** As their first factor has bound it. */
  boundTenantId?: string | undefined;
  sessionSeconds?: number | undefined;
  upstream?: UpstreamLogin | undefined;
  required: Parameters<SignInDeps['assurance']['isLoginFinished']>[0];
}

/** With what they can. */
export interface Ways {
  codes: readonly CodeMethod[];
  passkey: boolean;
  /**
   * They have nothing that would do, so they set something up: here, or, where a tenant's own provider has vouched for
   * them, after another sign-in. What is set up opens the whole account, and that provider opens its tenant alone.
   */
  mustEnrol: 'here' | 'elsewhere' | null;
}

/** Null where nobody is asked: no password was given in this browser, or it or the factors have changed since. */
export async function personAsked(
  deps: SignInDeps,
  interaction: Interaction,
  { exchange, browserId }: { exchange: BrowserExchange; browserId: string | undefined },
): Promise<PersonAsked | null> {
  const { prompt, halfDone, userId, amr } = interaction;
  const { passwordProof, federatedProof } = deps.assurance;
  if (prompt === 'second_factor') {
    const user = await deps.findUserById(userId ?? '');
    const proofs = [...(amr.includes('pwd') ? [passwordProof] : []), ...(amr.includes('fed') ? [federatedProof] : [])];
    const required = { enrolled: user?.factorKinds ?? [], level: 'aal2' as const };
    if (user?.status !== 'active') return null;
    const { at: signedInAt, boundTenantId } = await deps.interactions.currentSignIn(exchange);
    return { user, proofs, isHalfDone: false, signedInAt, boundTenantId: boundTenantId ?? undefined, required };
  }
  if (prompt !== 'login' || !halfDone || !equalSecrets(halfDone.browserId, browserId ?? '')) return null;
  const user = await deps.findUserById(halfDone.userId);
  if (user?.status !== 'active') return null;
  const isUnchanged =
    (user.credentialsChangedAt?.toISOString() ?? null) === halfDone.credentialsChangedAt &&
    (user.factorsChangedAt?.toISOString() ?? null) === halfDone.factorsChangedAt;
  const required = { enrolled: await deps.factors.kindsThatCount(user), level: 'aal1' as const };
  const proofs = [halfDone.method === 'pwd' ? passwordProof : federatedProof];
  const { boundTenantId, sessionSeconds, upstream } = halfDone;
  const bounds = { boundTenantId, sessionSeconds, upstream };
  return isUnchanged ? { user, proofs, isHalfDone: true, signedInAt: null, ...bounds, required } : null;
}

export async function waysOf(deps: SignInDeps, { user, required, boundTenantId }: PersonAsked): Promise<Ways> {
  const { enrolled, level } = required;
  const canSecondLevel = deps.assurance.reachesSecondLevel(enrolled);
  if (level === 'aal2' && !canSecondLevel)
    return { codes: [], passkey: false, mustEnrol: boundTenantId === undefined ? 'here' : 'elsewhere' };
  const codes: CodeMethod[] = [];
  if (enrolled.includes('totp')) codes.push('totp');
  if (canSecondLevel && (await deps.factors.countRecoveryCodes(user.id)) > 0) codes.push('recovery_code');
  if (enrolled.includes('email') && level === 'aal1') codes.push('email_code');
  return { codes, passkey: enrolled.includes('passkey'), mustEnrol: null };
}
