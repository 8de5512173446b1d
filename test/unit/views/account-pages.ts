export const common = { styleUrl: '/assets/style.css', requestId: '01JZ8Q4M7N2V5XK9TB6RWD3HCE' };
export const user = { name: 'Ada Lovelace', email: 'ada@example.com' };

const moment = { iso: '2026-11-26T20:00:00.000Z', text: '26 November 2026 at 20:00 UTC' };
const portal = {
  ...common,
  nav: [
    { path: '', label: 'portal.overview', isCurrent: true },
    { path: '/profile', label: 'portal.profile', isCurrent: false },
  ],
  ...{ user, csrf: 'token', done: 'done.profile-saved', error: null },
};

/** Pages of the portal, with values for all their locals. */
export const accountPages = {
  'account/overview': {
    ...portal,
    title: 'Your account',
    parts: [{ path: '/profile', label: 'portal.profile', about: 'portal.profile_about' }],
  },
  'account/profile': {
    ...portal,
    title: 'Profile',
    form: { name: 'Ada Lovelace', given_name: 'Ada', family_name: 'Lovelace', locale: 'en', zoneinfo: 'Europe/London' },
  },
  'account/email': { ...portal, title: 'E-mail address', present: 'ada@example.com', isProven: false, email: '' },
  'account/password': { ...portal, title: 'Password', minimumLength: 15 },
  'account/factors': {
    ...portal,
    title: 'Second factors',
    factors: [
      ...[{ id: 'fac_1', name: 'Authenticator app', kindLabel: 'factor_kinds.totp', mayRename: false }],
      ...[{ id: 'fac_2', name: 'Key at work', kindLabel: 'factor_kinds.passkey', mayRename: true }],
    ].map((factor) => ({ ...factor, createdAt: moment, lastUsedAt: moment })),
    ...{ hasCodes: true, codesLeft: 9, mayAddApp: true, mayAddEmail: true, emailRefused: false },
  },
  'account/factor-app': {
    ...portal,
    title: 'Add an authenticator app',
    ...{ factorId: 'fac_1', secret: 'ABCD EFGH', qr: { size: 29, path: 'M4 4h1v1h-1z' } },
  },
  'account/factor-passkey': {
    ...portal,
    title: 'Add a passkey',
    ...{ scriptUrl: '/assets/passkeys.js', nonce: 'nonce' },
    passkey: { action: '/account/factors/passkey', options: '{"challenge":"x"}', ticket: 'ticket' },
  },
  'account/recovery-codes': {
    ...portal,
    title: 'Keep your recovery codes',
    codes: ['abcd-efgh-ijkl-mnop', 'qrst-uvwx-yz23-4567'],
  },
  'account/identities': {
    ...portal,
    title: 'Linked accounts',
    identities: [{ id: 'ide_1', name: 'Acme', email: 'ada@acme.example', linkedAt: moment, lastUsedAt: moment }],
    connections: [{ id: 'con_2', name: 'Another' }],
  },
  'account/terms': {
    ...portal,
    title: 'Terms',
    terms: ['accept_terms.of_platform', { key: 'accept_terms.of_tenant', values: { tenantName: 'Acme Inc' } }].map(
      (label) => ({
        ...{ label, version: '1', termsUri: 'https://acme.example.com/terms', acceptedAt: moment },
      }),
    ),
  },
  'account/sessions': {
    ...portal,
    title: 'Sessions',
    sessions: [
      ...[
        {
          id: 'one',
          isCurrent: true,
          device: { key: 'sessions.browser_on', values: { browser: 'Firefox', system: 'Linux' } },
          address: '192.0.2.1',
        },
      ],
      ...[
        {
          id: 'two',
          isCurrent: false,
          device: { key: 'sessions.browser', values: { browser: 'Safari' } },
          address: '2001:db8::/64',
        },
      ],
    ].map((session) => ({ ...session, signedInAt: moment, lastSeenAt: moment })),
  },
  'account/activity': {
    ...portal,
    title: 'Activity',
    events: [{ label: 'events.user.signed_in', place: 'Acme Console', byOthers: true, at: moment }],
    older: '1.evt_1',
    isFirst: false,
  },
  'account/tenants': {
    ...portal,
    title: 'Tenants',
    tenants: [
      {
        id: 'ten_1',
        slug: 'acme',
        name: 'Acme Inc',
        typeLabel: 'tenant_types.team',
        statusLabel: 'tenant_status.suspended',
        roles: ['Owner'],
        mayLeave: true,
      },
    ],
    mayCreate: true,
    form: { name: 'Acme', slug: 'acme' },
  },
  'account/invitations': {
    ...portal,
    title: 'Invitations',
    isVerified: true,
    invitations: [{ id: 'inv_1', tenantName: 'Acme Inc', roles: ['Owner'], expiresAt: moment }],
  },
  'account/apps': {
    ...portal,
    title: 'Apps',
    apps: [
      {
        ...{ clientId: 'app_1', name: 'Report viewer', tenantId: 'ten_1', tenantName: 'Acme Inc', since: moment },
        permissions: [
          'scopes.openid',
          { key: 'apps.permission_of', values: { permission: 'orders:read', resource: 'Orders' } },
        ],
      },
    ],
  },
  'account/data': { ...portal, title: 'Your data' },
  'account/delete': {
    ...portal,
    title: 'Delete your account',
    tenants: [{ id: 'ten_1', name: 'Acme Inc' }],
    graceDays: 7,
  },
  'account/deleted': { ...common, title: 'Your account is closed', dueAt: moment },
  'account/deletion': {
    ...common,
    title: 'Keep your account',
    action: '/account/deletion/t',
    csrf: 'token',
    dueAt: moment,
  },
  'account/kept': { ...common, title: 'Your account stays' },
  'account/signed-out': { ...common, title: 'Signed out', isChosen: true },
};

/** The locals of each that may be null. */
export const optionalOfAccount: Record<keyof typeof accountPages, string[]> = {
  'account/overview': ['done', 'error'],
  'account/profile': ['done', 'error'],
  'account/email': ['done', 'error'],
  'account/password': ['done', 'error'],
  'account/factors': ['done', 'error'],
  'account/factor-app': ['done', 'error'],
  'account/factor-passkey': ['done', 'error'],
  'account/recovery-codes': [],
  'account/identities': ['done', 'error'],
  'account/terms': ['done', 'error'],
  'account/sessions': ['done', 'error'],
  'account/tenants': ['done', 'error'],
  'account/invitations': ['done', 'error'],
  'account/apps': ['done', 'error'],
  'account/data': ['done', 'error'],
  'account/delete': ['done', 'error'],
  'account/activity': ['done', 'error', 'older'],
  'account/deleted': [],
  'account/deletion': [],
  'account/kept': [],
  'account/signed-out': [],
};
