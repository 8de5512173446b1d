import { readerOf } from '../kernel/languages.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import type { AdministrationDeps } from './administration-deps.js';

/** Of what operators do to accounts their people are told by mail, each in their own language. */

export async function tellNewPassword(deps: AdministrationDeps, tx: Tx, { email, profile }: User): Promise<void> {
  const letter = { name: 'password_set', values: { email }, path: '/recover' } as const;
  await deps.queueMail(tx, { to: email, reader: readerOf(profile), ...letter });
}

/** To both addresses; to the former one only if somebody had proven it, since it may be a typing mistake. */
export async function tellNewAddress(deps: AdministrationDeps, tx: Tx, before: User, email: string): Promise<void> {
  const reader = readerOf(before.profile);
  if (before.emailVerified)
    await deps.queueMail(tx, { to: before.email, name: 'email_replaced', reader, values: { email: before.email } });
  await deps.queueMail(tx, { to: email, name: 'email_set', reader, values: { email } });
}
