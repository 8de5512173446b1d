import { policy } from '../../config/policy.js';
import { factorsModule, type FactorsModule } from '../../src/credentials/index.js';
import { eventsModule } from '../../src/events/index.js';
import { createMembershipStore } from '../../src/memberships/membership-store.js';
import { createDataKeyStore } from '../../src/platform/crypto/data-key-store.js';
import { openKeyRing } from '../../src/platform/crypto/key-ring.js';
import { inTransactionOf } from '../../src/platform/mongo/transactions.js';
import { createTenantStore } from '../../src/tenants/tenant-store.js';
import { usersModule, type User } from '../../src/users/index.js';
import type { Clock } from '../../src/kernel/time.js';
import type { RunningApp } from './start-app.js';

/**
 * The use cases of factors, as the account pages call them, on the database of a running app. `found` happens where a
 * person was just looked up.
 */
export async function factorsOf(
  { issuer, database, masterKeys }: RunningApp,
  now: Clock,
  found: (user: User | null) => Promise<User | null> = async (user) => user,
): Promise<FactorsModule> {
  const keyRing = await openKeyRing(masterKeys, createDataKeyStore(database));
  const { recordEvent } = eventsModule({ database, cacheSeconds: 0, now });
  const users = usersModule({ database, keyRing, recordEvent, now });
  return factorsModule({
    ...{ issuer, database, keyRing, recordEvent, now, limits: policy.factors },
    inTransaction: inTransactionOf(database),
    listMembershipsOfUser: createMembershipStore(database).listOfUser,
    findTenantsByIds: createTenantStore(database).findByIds,
    findUserById: async (id) => found(await users.findUserById(id)),
    setFactors: users.setFactors,
    forgetTrustedBrowsers: users.forgetTrustedBrowsers,
    queueMail: async () => undefined,
  });
}
