import type { Branding, TenantSettings } from './tenant.js';

/** As for everybody. */
export const noBranding: Branding = Object.freeze({
  ...{ displayName: null, logo: null, primaryColor: null, primaryColorDark: null, supportUri: null },
});

/** As the platform has it. */
const unsetPolicies = {
  emailCodes: 'allowed',
  password: { minimumLength: null, history: null },
  signInAttempts: {
    ...{ tries: null, windowSeconds: null, firstWaitSeconds: null, longestWaitSeconds: null, consecutive: null },
  },
  session: { idleSeconds: null, absoluteSeconds: null },
  requiredProfile: [],
  terms: null,
};

/** What was stored before there were all of today's settings: the others are not set. */
export function withAllSettings<T extends Pick<TenantSettings, 'policies' | 'branding'>>(stored: T): T {
  const password = { ...unsetPolicies.password, ...stored.policies.password };
  return {
    ...stored,
    policies: { ...unsetPolicies, ...stored.policies, password },
    branding: { ...noBranding, ...stored.branding },
  };
}
