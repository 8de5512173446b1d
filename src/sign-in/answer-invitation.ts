import { z } from 'zod';
import type { Interaction } from '../oidc/index.js';
import { AppError } from '../kernel/errors.js';
import type { SignInDeps } from './sign-in-deps.js';

export const invitationForm = z.strictObject({ decision: z.enum(['accept', 'decline']) });

/** What the pages show of the invitation that this sign-in is about. */
export interface InvitationShown {
  token: string;
  email: string;
  tenantId: string;
  tenantName: string;
  roles: readonly string[];
  /** Whether somebody has an account with this address that is proven to be theirs. */
  isKnown: boolean;
}

/** Null where the sign-in is about none, or about one that is over: then it ends as any other does. */
export async function invitationOf(
  deps: SignInDeps,
  { invitation: token }: Interaction,
): Promise<InvitationShown | null> {
  if (token === undefined) return null;
  const invitation = await deps.getOpenInvitation(token).catch(orNone);
  if (!invitation) return null;
  const { email, tenantId, roles } = invitation;
  const [tenant, user, names] = await Promise.all([
    deps.findTenantById(tenantId),
    deps.findUserByEmail(email),
    deps.findRolesIn(new Map([[tenantId, roles]])),
  ]);
  if (!tenant) return null;
  const roleNames = (names.get(tenantId) ?? []).map(({ name }) => name);
  return {
    ...{ token, email, tenantId, tenantName: tenant.name, roles: roleNames },
    isKnown: user !== null && !(await deps.accounts.isUnproven(user)),
  };
}

/** The page on which a signed-in person answers; says so where it is meant for another address than theirs. */
export async function answerPage(
  deps: SignInDeps,
  interaction: Interaction,
): Promise<{ invitation: InvitationShown; isTheirs: boolean }> {
  await deps.getOpenInvitation(interaction.invitation ?? ''); // says why when it is over
  const invitation = await invitationOf(deps, interaction);
  if (!invitation) throw interactionWithoutPerson();
  const user = interaction.userId === undefined ? null : await deps.findUserById(interaction.userId);
  return { invitation, isTheirs: user?.emailVerified === true && user.email === invitation.email };
}

/** Gives the tenant into which the person came. */
export async function accept(deps: SignInDeps, interaction: Interaction): Promise<string> {
  const user = await deps.findUserById(interaction.userId ?? '');
  if (!user) throw interactionWithoutPerson();
  return (await deps.acceptInvitation(user, interaction.invitation ?? '')).tenantId;
}

function interactionWithoutPerson(): AppError {
  return new AppError('interaction.no_person', { status: 400, detail: 'Nobody is signed in, or the tenant is gone.' });
}

function orNone(error: unknown): null {
  if (error instanceof AppError && error.status < 500) return null;
  throw error;
}
