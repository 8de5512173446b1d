import { AppError } from '../kernel/errors.js';
import type { SeatKind, Tenant, TenantTypes } from './tenant.js';

export interface SeatRules {
  tenantTypes: TenantTypes;
  /** What a plan allows; null: any number. */
  limitsOfPlan(planKey: string): Record<SeatKind, number | null>;
}

/** How many of this kind the tenant may have: the least of what its type, its plan and its own limit allow. Null: any. */
export function seatLimit(rules: SeatRules, tenant: Tenant, kind: SeatKind): number | null {
  const type = rules.tenantTypes[tenant.type];
  const ofType = kind === 'members' ? type.maximumMembers : type.serviceAccounts ? null : 0;
  const limits = [ofType, rules.limitsOfPlan(tenant.plan)[kind], tenant.limits[kind]].filter((limit) => limit !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}

const nouns: Record<SeatKind, string> = { members: 'members', serviceAccounts: 'service accounts' };

/** Throws when the tenant has more of this kind than it may, or takes nobody in. The seat counts as taken already. */
export function requireSeat(rules: SeatRules, tenant: Tenant, kind: SeatKind): void {
  if (tenant.status === 'archived' || tenant.status === 'deleted')
    throw new AppError('tenant.closed', { status: 409, detail: 'The tenant is archived and takes nobody in.' });
  const limit = seatLimit(rules, tenant, kind);
  if (limit === null || tenant.seats[kind] <= limit) return;
  throw new AppError('seat.none_left', {
    status: 409,
    detail: `The tenant may have ${limit} ${nouns[kind]}, and has as many.`,
  });
}
