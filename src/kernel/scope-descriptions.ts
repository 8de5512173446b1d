import type { MessageKey } from './message.js';

/** What a person allows with an OpenID scope. */
export const scopeDescriptions: Readonly<Record<string, MessageKey>> = {
  openid: 'scopes.openid',
  profile: 'scopes.profile',
  email: 'scopes.email',
  tenant: 'scopes.tenant',
};
