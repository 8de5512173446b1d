import type { AccessModule } from '../access/index.js';
import type { Clock } from '../kernel/time.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { TenantsModule } from '../tenants/index.js';
import type { UsersModule } from '../users/index.js';

export interface RequiredActionsDeps {
  tenants: Pick<TenantsModule, 'findTenantById' | 'findTenantBySlug'>;
  users: Pick<UsersModule, 'findUserById' | 'acceptPlatformTerms'>;
  memberships: Pick<MembershipsModule, 'findMembership' | 'acceptTenantTerms'>;
  authorizationOf: AccessModule['authorizationOf'];
  platformSlug: string;
  cacheSeconds: number;
  inTransaction: InTransaction;
  now: Clock;
}
