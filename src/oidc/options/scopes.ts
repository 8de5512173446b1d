/** OpenID scopes that the server knows; `tenant` opens the tenant claims. */
export const oidcScopes = ['openid', 'profile', 'email', 'tenant'] as const;

/** Those and the one that asks for a grant which outlives the session. */
export const knownScopes: readonly string[] = [...oidcScopes, 'offline_access'];
