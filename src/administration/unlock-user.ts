import type { Authority } from '../kernel/actor.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireNotAbove, requireNotSelf, userOf } from './govern-users.js';

/** For who has to wait, or was stopped, after too many wrong passwords and codes: all of that is forgotten. */
export async function unlockUser(deps: AdministrationDeps, by: Authority, userId: string): Promise<void> {
  requireNotSelf(by, userId); // a stolen token must not get more guesses at what it lacks
  await deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    await requireNotAbove(deps, by, user);
    await deps.credentials.endWaits(tx, userId);
    await deps.factors.endWaits(tx, userId);
    await deps.recordEvent(tx, { type: 'user.unlocked', tenantId: null, actor: by.actor, subjectId: userId });
  });
}
