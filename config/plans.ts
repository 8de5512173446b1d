/** What a tenant pays for. `features` are the entitlements that tokens carry. */
export interface Plan {
  key: string;
  name: string;
  features: readonly string[];
}

export const plans: readonly Plan[] = Object.freeze([
  { key: 'free', name: 'Free', features: [] },
  { key: 'team', name: 'Team', features: ['api_keys', 'invitations'] },
  {
    key: 'enterprise',
    name: 'Enterprise',
    features: ['api_keys', 'invitations', 'connections', 'ip_allowlist', 'audit_export'],
  },
]);
