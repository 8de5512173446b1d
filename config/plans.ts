/** What a tenant pays for. `features` are the entitlements that tokens carry. */
export interface Plan {
  key: string;
  name: string;
  features: readonly string[];
  /** How many of each a tenant may have; null: any number. */
  limits: { members: number | null; serviceAccounts: number | null };
}

export const plans: readonly Plan[] = Object.freeze([
  { key: 'free', name: 'Free', features: [], limits: { members: 5, serviceAccounts: 1 } },
  { key: 'team', name: 'Team', features: ['api_keys', 'invitations'], limits: { members: 100, serviceAccounts: 25 } },
  {
    key: 'enterprise',
    name: 'Enterprise',
    features: ['api_keys', 'invitations', 'connections', 'ip_allowlist', 'mfa_policy', 'audit_export'],
    limits: { members: null, serviceAccounts: null },
  },
]);
