/** A preset that stamps a new tenant. A version never changes: what should be different is a new version. */
export interface Template {
  key: string;
  version: number;
  name: string;
  type: 'personal' | 'team' | 'enterprise';
  settings: {
    policies: {
      ipAllowlist: string[];
      mfa: 'optional' | 'required';
      emailCodes: 'allowed' | 'refused';
      password: { minimumLength: number | null; history: number | null };
      signInAttempts: Record<
        'tries' | 'windowSeconds' | 'firstWaitSeconds' | 'longestWaitSeconds' | 'consecutive',
        number | null
      >;
      session: { idleSeconds: number | null; absoluteSeconds: number | null };
      requiredProfile: ('name' | 'givenName' | 'familyName' | 'locale')[];
      terms: { version: string; uri: string } | null;
    };
    /** Of the tenant, beside those of its plan. */
    features: string[];
    /** Null: what the plan allows. */
    limits: { members: number | null; serviceAccounts: number | null };
    /** A logo is uploaded, so a built-in template has none. */
    branding: {
      displayName: string | null;
      logo: null;
      primaryColor: string | null;
      primaryColorDark: string | null;
      supportUri: string | null;
    };
  };
  roles: readonly { key: string; name: string; permissions: readonly string[] }[];
}

const plain: Template['settings'] = {
  policies: {
    ...{ ipAllowlist: [], mfa: 'optional', emailCodes: 'allowed', password: { minimumLength: null, history: null } },
    signInAttempts: {
      ...{ tries: null, windowSeconds: null, firstWaitSeconds: null, longestWaitSeconds: null, consecutive: null },
    },
    session: { idleSeconds: null, absoluteSeconds: null },
    ...{ requiredProfile: [], terms: null },
  },
  features: [],
  limits: { members: null, serviceAccounts: null },
  branding: { displayName: null, logo: null, primaryColor: null, primaryColorDark: null, supportUri: null },
};

export const templates: readonly Template[] = Object.freeze([
  { key: 'personal', version: 1, name: 'Personal', type: 'personal', settings: plain, roles: [] },
  { key: 'team', version: 1, name: 'Team', type: 'team', settings: plain, roles: [] },
  { key: 'enterprise', version: 1, name: 'Enterprise', type: 'enterprise', settings: plain, roles: [] },
]);
