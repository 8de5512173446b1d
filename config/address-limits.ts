export interface AddressLimit {
  /** What clients read in the RateLimit fields. */
  name: string;
  method: 'GET' | 'POST';
  /** `:name` stands for a part that varies. */
  paths: readonly string[];
  /** Each client address (IPv4 whole, IPv6 by /64), or each client at each address. */
  per: 'address' | 'client';
  /** `failures`: only requests that were answered with 401. */
  counts: 'requests' | 'failures';
  points: number;
  seconds: number;
}

const byClient = { method: 'POST', per: 'client', counts: 'requests', seconds: 1 } as const;
const byAddress = { method: 'POST', per: 'address', counts: 'requests', seconds: 60 } as const;

const clientEndpoints = [
  '/oauth2/par',
  '/oauth2/device_authorization',
  '/oauth2/token',
  '/oauth2/revoke',
  '/oauth2/introspect',
];

const accountForms = [
  ...['/account/profile', '/account/sessions/end', '/account/sessions/end-others', '/account/sessions/end-all'],
  ...['/account/tenants/leave', '/account/tenants/create', '/account/invitations/accept', '/account/apps/revoke'],
  ...['/account/factors/app', '/account/factors/passkey', '/account/factors/email', '/account/factors/rename'],
  ...['/account/factors/remove', '/account/factors/recovery-codes'],
  ...['/account/identities/link', '/account/identities/unlink'],
  ...['/account/data', '/account/delete', '/account/delete/close-tenant', '/account/deletion/:token'],
];

/** How often one source may call. RATE_LIMIT_FACTOR multiplies the points of all. */
export const addressLimits: readonly AddressLimit[] = [
  { ...byAddress, name: 'login', paths: ['/sign-in/:uid/login'], points: 30 },
  { ...byAddress, name: 'sign-up', paths: ['/sign-in/:uid/sign-up', '/sign-up/:token'], points: 10, seconds: 3600 },
  // each sends a mail, or does the work of it
  {
    ...{ ...byAddress, name: 'mail', points: 20, seconds: 3600 },
    paths: ['/recover', '/sign-up', '/sign-in/:uid/register', '/account/email', '/account/email/verify'],
  },
  {
    ...{ ...byAddress, name: 'mail-link', points: 30 },
    paths: ['/recover/:token', '/verify-email/:token', '/change-email/:token', '/undo-email-change/:token'],
  },
  {
    ...{ ...byAddress, name: 'second-factor', points: 60 },
    paths: [
      '/sign-in/:uid/passkey',
      '/sign-in/:uid/second-factor',
      '/sign-in/:uid/second-factor/email',
      '/sign-in/:uid/second-factor/enrol',
      '/sign-in/:uid/second-factor/enrol-passkey',
      '/sign-in/:uid/second-factor/passkey',
    ],
  },
  // a provider may be asked for each
  {
    ...byAddress,
    name: 'provider',
    paths: ['/sign-in/:uid/connection', '/sign-in/:uid/organisation', '/connections/callback/:connectionId'],
    points: 300,
  },
  {
    ...{ ...byAddress, name: 'provider-answer', method: 'GET', points: 300 },
    paths: ['/connections/callback/:connectionId', '/sign-in/:uid/connection', '/account/identities/return'],
  },
  { ...byAddress, name: 'account-password', paths: ['/account/password'], points: 30 },
  { ...byAddress, name: 'account', paths: accountForms, points: 120 },
  { ...byAddress, name: 'device-code', paths: ['/device'], points: 10 },
  { ...byAddress, name: 'sign-out', paths: ['/oauth2/logout/confirm'], points: 30 },
  // each stores an interaction, a code or a session
  {
    ...byAddress,
    name: 'authorization',
    method: 'GET',
    paths: ['/oauth2/authorize', '/oauth2/logout', '/device', '/invitations/:token'],
    points: 600,
  },
  { ...byClient, name: 'pushed-request', paths: ['/oauth2/par'], points: 50 },
  { ...byClient, name: 'device-authorization', paths: ['/oauth2/device_authorization'], points: 50 },
  { ...byClient, name: 'token', paths: ['/oauth2/token'], points: 50 },
  { ...byClient, name: 'revocation', paths: ['/oauth2/revoke'], points: 50 },
  { ...byClient, name: 'introspection', paths: ['/oauth2/introspect'], points: 500 },
  // a client id can be made up, so guesses are counted by the address alone
  {
    ...{ ...byAddress, name: 'client-authentication', counts: 'failures', points: 300 },
    paths: clientEndpoints,
  },
];
