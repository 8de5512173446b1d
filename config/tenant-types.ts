/** What tells the types of tenants apart. Everything that depends on a type reads it here. */
export interface TenantTypeRules {
  name: string;
  /** Where a move up or down goes: higher ones allow more. */
  rank: number;
  /** Of a new tenant that names none. */
  plan: string;
  template: string;
  /** Null: the plan decides. */
  maximumMembers: number | null;
  /** Keys of the built-in roles that its members may hold. */
  builtInRoles: readonly string[];
  customRoles: boolean;
  serviceAccounts: boolean;
  /** Clients that only ever yield tokens of this tenant. */
  clients: boolean;
}

export const tenantTypes = Object.freeze({
  personal: {
    ...{ name: 'Personal', rank: 0, plan: 'free', template: 'personal', maximumMembers: 1 },
    ...{ builtInRoles: ['owner'], customRoles: false, serviceAccounts: false, clients: false },
  },
  team: {
    ...{ name: 'Team', rank: 1, plan: 'team', template: 'team', maximumMembers: null },
    ...{
      builtInRoles: ['owner', 'admin', 'member', 'viewer'],
      customRoles: true,
      serviceAccounts: true,
      clients: true,
    },
  },
  enterprise: {
    ...{ name: 'Enterprise', rank: 2, plan: 'enterprise', template: 'enterprise', maximumMembers: null },
    ...{
      builtInRoles: ['owner', 'admin', 'member', 'viewer'],
      customRoles: true,
      serviceAccounts: true,
      clients: true,
    },
  },
}) satisfies Readonly<Record<string, TenantTypeRules>>;
