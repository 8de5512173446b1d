import { newId } from '../kernel/ids.js';
import type { Message } from '../kernel/message.js';
import { somethingVisible } from '../kernel/patterns.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import { mayHavePassword, type AccountsDeps } from './accounts-deps.js';

export interface NewAccount {
  /** Canonical form; whoever makes the account has read mail to it. */
  email: string;
  name: string;
  password: string;
  /** Tenants that they are about to join. */
  tenantIds?: readonly string[];
}

export type AccountResult =
  | { outcome: 'made'; user: User }
  /** Somebody has an account with this address: they sign in as always. */
  | { outcome: 'known' }
  /** What allowed it was used up meanwhile. */
  | { outcome: 'over' }
  | { outcome: 'refused'; why: Message };

/** What else belongs to the transaction. */
export interface Around {
  /** False: it is not allowed any more, and nothing is done. */
  before?(tx: Tx): Promise<boolean>;
  after?(tx: Tx, userId: string): Promise<void>;
}

/**
 * Made by somebody who never showed that the address is theirs, and of no tenant: whoever reads its mail takes it over.
 * One that somebody has made a member is theirs, whatever was forgotten about its address.
 */
export async function isUnproven(
  deps: Pick<AccountsDeps, 'listMembershipsOfUser'>,
  { id, emailVerified, status }: Pick<User, 'id' | 'emailVerified' | 'status'>,
  tx?: Tx,
): Promise<boolean> {
  if (emailVerified || status !== 'active') return false;
  return (await deps.listMembershipsOfUser(id, tx)).length === 0;
}

/** An account with a proven address, for whoever has none. */
export async function makeAccount(
  deps: AccountsDeps,
  { email, name, password, tenantIds }: NewAccount,
  around: Around = {},
): Promise<AccountResult> {
  if (!somethingVisible.test(name)) return { outcome: 'refused', why: { key: 'sign_up.no_name' } };
  if (!(await mayHavePassword(deps, email))) return { outcome: 'refused', why: { key: 'sign_up.elsewhere' } };
  const rules = await deps.credentials.passwordRulesFor({ email, name, tenantIds });
  const problem = await rules.problemOf(password);
  if (problem) return { outcome: 'refused', why: problem.said };
  const hash = await deps.credentials.hashPassword(password);
  const stored = await storeAccount(deps, { email, name: name.trim(), hash }, around);
  if (stored === 'known' || stored === 'over') return { outcome: stored };
  // as they are now: with the instant from which their password counts
  const user = await deps.users.findUserById(stored.id);
  return user ? { outcome: 'made', user } : { outcome: 'known' };
}

/**
 * An account that nobody has proven becomes theirs with nothing of what was there: neither password nor sessions nor
 * profile are of the person who reads the mail.
 */
async function storeAccount(
  deps: AccountsDeps,
  { email, name, hash }: { email: string; name: string; hash: string },
  around: Around,
): Promise<{ id: string } | 'known' | 'over'> {
  const at = deps.now();
  const proven = { emailVerified: true, profile: { name }, updatedAt: at };
  const known = await deps.users.findUserByEmail(email);
  if (known && !(await isUnproven(deps, known))) return 'known';
  const id = known?.id ?? newId('usr');
  const actor = { kind: 'user', userId: id } as const;
  try {
    return await deps.inTransaction(async (tx) => {
      if (around.before && !(await around.before(tx))) return 'over';
      const before = await deps.users.findUserById(id, tx);
      if (before && (before.email !== email || !(await isUnproven(deps, before, tx)))) return 'known';
      if (before) {
        await deps.credentials.forgetCredentials(tx, id);
        await deps.links.forgetLinksOf(tx, id);
        await deps.users.updateUser(tx, actor, before, proven);
      } else {
        await deps.users.createUser(tx, actor, { id, email, status: 'active', createdAt: at, ...proven });
      }
      await deps.credentials.setPasswordHash(tx, actor, id, hash);
      await around.after?.(tx, id);
      return { id };
    });
  } catch (error) {
    if (isDuplicateKey(error)) return 'known';
    throw error;
  }
}
