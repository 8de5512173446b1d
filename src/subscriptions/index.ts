/** What a tenant's plan allows. Owns no data yet: the plan is named on the tenant, plans stand in `config/plans.ts`. */
export interface PlanFeatures {
  key: string;
  features: readonly string[];
}

export interface SubscriptionsModule {
  isPlan(key: string): boolean;
  /** Features of the plan, as tokens carry them; an unknown plan allows none. */
  entitlementsOf(planKey: string): readonly string[];
}

export function subscriptionsModule(deps: { plans: readonly PlanFeatures[] }): SubscriptionsModule {
  const features = new Map(deps.plans.map((plan) => [plan.key, plan.features]));
  return {
    isPlan: (key) => features.has(key),
    entitlementsOf: (planKey) => features.get(planKey) ?? [],
  };
}
