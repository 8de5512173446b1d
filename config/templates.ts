/** A preset that stamps a new tenant. A version never changes: what should be different is a new version. */
export interface Template {
  key: string;
  version: number;
  name: string;
  type: 'personal' | 'team' | 'enterprise';
  settings: {
    policies: { ipAllowlist: string[]; mfa: 'optional' };
    /** Of the tenant, beside those of its plan. */
    features: string[];
    /** Null: what the plan allows. */
    limits: { members: number | null; serviceAccounts: number | null };
    branding: { supportUri: string | null };
  };
  roles: readonly { key: string; name: string; permissions: readonly string[] }[];
}

const plain: Template['settings'] = {
  policies: { ipAllowlist: [], mfa: 'optional' },
  features: [],
  limits: { members: null, serviceAccounts: null },
  branding: { supportUri: null },
};

export const templates: readonly Template[] = Object.freeze([
  { key: 'personal', version: 1, name: 'Personal', type: 'personal', settings: plain, roles: [] },
  { key: 'team', version: 1, name: 'Team', type: 'team', settings: plain, roles: [] },
  { key: 'enterprise', version: 1, name: 'Enterprise', type: 'enterprise', settings: plain, roles: [] },
]);
