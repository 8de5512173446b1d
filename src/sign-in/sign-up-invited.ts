import type { AccountResult, AccountsModule } from '../accounts/index.js';
import type { AdministrationModule } from '../administration/index.js';

export interface SignUpInvitedDeps {
  accounts: AccountsModule;
  getOpenInvitation: AdministrationModule['getOpenInvitation'];
}

/**
 * An account for whoever was invited and has none. That they read the mail proves the address, and it is the only one
 * that they can have it with: none of it comes from the form. Throws 404 or 410 when the invitation is over.
 */
export async function signUpInvited(
  deps: SignUpInvitedDeps,
  { token, name, password }: { token: string; name: string; password: string },
): Promise<AccountResult> {
  const { email, tenantId } = await deps.getOpenInvitation(token);
  // hashing takes a while, in which it may have been revoked
  const before = async (): Promise<boolean> => Boolean(await deps.getOpenInvitation(token));
  return deps.accounts.makeAccount({ email, name, password, tenantIds: [tenantId] }, { before });
}
