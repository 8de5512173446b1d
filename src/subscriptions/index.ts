/** What a tenant's plan allows. Owns no data yet: the plan is named on the tenant, plans stand in `config/plans.ts`. */
export interface PlanFeatures {
  key: string;
  features: readonly string[];
  limits: { members: number | null; serviceAccounts: number | null };
}

export interface SubscriptionsModule {
  isPlan(key: string): boolean;
  /** Features of the plan, as tokens carry them; an unknown plan allows none. */
  entitlementsOf(planKey: string): readonly string[];
  /** How many of each a tenant may have; null: any number. An unknown plan allows none. */
  limitsOfPlan(planKey: string): PlanFeatures['limits'];
}

export function subscriptionsModule(deps: { plans: readonly PlanFeatures[] }): SubscriptionsModule {
  const plans = new Map(deps.plans.map((plan) => [plan.key, plan]));
  return {
    isPlan: (key) => plans.has(key),
    entitlementsOf: (planKey) => plans.get(planKey)?.features ?? [],
    limitsOfPlan: (planKey) => plans.get(planKey)?.limits ?? { members: 0, serviceAccounts: 0 },
  };
}
