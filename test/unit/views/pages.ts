import { accountPages, common, optionalOfAccount, user } from './account-pages.js';
import { mailPages, optionalOfMail } from './mail-pages.js';

export type Locals = Record<string, unknown>;

export type PageName =
  | 'sign-in/login'
  | 'sign-in/connection-problem'
  | 'sign-in/pick-tenant'
  | 'sign-in/second-factor'
  | 'sign-in/enrol-factor'
  | 'sign-in/enrol-elsewhere'
  | 'sign-in/recovery-codes'
  | 'sign-in/terms'
  | 'sign-in/profile'
  | 'sign-in/consent'
  | 'sign-in/invitation'
  | 'sign-in/joined'
  | 'sign-in/sign-up'
  | 'sign-in/sign-out'
  | 'sign-in/signed-out'
  | 'sign-in/front'
  | 'sign-in/device-code'
  | 'sign-in/device-confirm'
  | 'sign-in/device-outcome'
  | keyof typeof mailPages
  | keyof typeof accountPages
  | 'errors/error';

const script = { scriptUrl: '/assets/passkeys.js', nonce: 'nonce' };
const passkey = {
  ...script,
  passkey: { action: '/sign-in/1/passkey', options: '{"challenge":"x"}', ticket: 'ticket' },
};
const app = { action: '/interaction/1', csrf: 'token', clientName: 'Acme Console' };

const invitation = { token: 'token', email: 'ada@example.com', tenantName: 'Acme Inc', roles: ['Owner'] };

/** Every page with values for all its locals. */
export const pages: Record<PageName, Locals> = {
  'sign-in/login': {
    ...common,
    ...app,
    title: 'Sign in',
    cancelAction: '/interaction/1/cancel',
    ...passkey,
    login: 'ada@example.com',
    error: null,
    supportUri: 'https://acme.example.com/help',
    linking: { email: 'ada@example.com' },
    ...{
      connections: [{ id: 'con_1', name: 'Acme' }],
      connectionAction: '/sign-in/1/connection',
      noConnection: 'none',
    },
    lead: { domain: 'acme.example', isEnforced: true, name: 'Acme SSO' },
    ...{ homeRealmAction: '/sign-in/1/organisation', offersHomeRealm: true },
    ...{ recoverUrl: '/sign-in/1/recover', signUpUrl: '/sign-in/1/register' },
  },
  'sign-in/connection-problem': {
    ...common,
    title: 'That sign-in did not work',
    ...{ clientName: 'Acme Console', text: 'connection.unavailable', backUrl: '/sign-in/1' },
  },
  'sign-in/pick-tenant': {
    ...common,
    ...app,
    title: 'Choose where to go',
    cancelAction: '/interaction/1/cancel',
    error: null,
    user,
    ...{ pageAddress: '/sign-in/1', isSearchable: true, search: 'a', total: 9, hidden: 1 },
    tenants: [
      { slug: 'ada', name: 'Ada Lovelace', typeLabel: 'tenant_types.personal', roleLabels: [] },
      { slug: 'acme', name: 'Acme Inc', typeLabel: 'tenant_types.enterprise', roleLabels: ['Owner', 'Billing'] },
    ],
  },
  'sign-in/second-factor': {
    ...common,
    ...app,
    ...passkey,
    title: 'Prove that it is you',
    cancelAction: '/interaction/1/cancel',
    sendAction: '/interaction/1/email',
    error: null,
    user,
    ...{ hasTotp: true, hasRecoveryCodes: true, hasEmail: true, emailSent: true, trustDays: 30 },
  },
  'sign-in/enrol-elsewhere': {
    ...common,
    ...app,
    title: 'Set up a second factor',
    ...{ user, cancelAction: '/interaction/1/cancel', accountUrl: '/account/factors' },
  },
  'sign-in/enrol-factor': {
    ...common,
    ...app,
    ...passkey,
    title: 'Set up a second factor',
    cancelAction: '/interaction/1/cancel',
    error: null,
    emailRefused: false,
    user,
    ...{ factorId: 'fac_1', secret: 'ABCD EFGH', qr: { size: 29, path: 'M4 4h1v1h-1z' } },
  },
  'sign-in/recovery-codes': {
    ...common,
    title: 'Keep your recovery codes',
    clientName: 'Acme Console',
    codes: ['abcd-efgh-ijkl-mnop', 'qrst-uvwx-yz23-4567'],
    nextUrl: 'https://id.example.com/oauth2/authorize/1',
  },
  'sign-in/terms': {
    ...common,
    ...app,
    title: 'Accept the terms',
    cancelAction: '/interaction/1/cancel',
    error: null,
    user,
    terms: [
      {
        ...{ owner: 'platform', version: '1', termsUri: 'https://id.example.com/terms' },
        label: 'accept_terms.of_platform',
      },
      {
        ...{ owner: 'tenant', version: '2', termsUri: 'https://acme.example.com/terms' },
        label: { key: 'accept_terms.of_tenant', values: { tenantName: 'Acme Inc' } },
      },
    ],
  },
  'sign-in/profile': {
    ...common,
    ...app,
    title: 'Complete your profile',
    cancelAction: '/interaction/1/cancel',
    error: null,
    user,
    fields: [
      {
        ...{ field: 'name', label: 'profile.name', autocomplete: 'name', hint: null },
        ...{ value: '', hasFocus: true },
      },
      {
        ...{ field: 'locale', label: 'profile.locale', autocomplete: 'language', hint: 'complete_profile.locale_hint' },
        ...{ value: 'en', hasFocus: false },
      },
    ],
  },
  'sign-in/consent': {
    ...common,
    ...app,
    title: 'Allow access',
    clientUri: 'https://app.example.com/',
    policyUri: 'https://app.example.com/privacy',
    tosUri: 'https://app.example.com/terms',
    tenantName: 'Acme Inc',
    user,
    scopes: [{ name: 'email', description: 'scopes.email' }],
    resources: [
      { name: 'Orders', identifier: 'https://orders.example.com/', permissions: ['orders:read', 'orders:write'] },
      { name: 'Files', identifier: 'urn:example:files', permissions: [] },
    ],
    offline: true,
  },
  'sign-in/invitation': {
    ...common,
    ...app,
    title: 'Invitation',
    cancelAction: '/interaction/1/cancel',
    error: null,
    user,
    isTheirs: true,
    invitation,
  },
  'sign-in/joined': { ...common, title: 'You have joined', hasJoined: true },
  'sign-in/sign-up': {
    ...common,
    ...app,
    title: 'Create your account',
    cancelAction: '/interaction/1/cancel',
    error: null,
    name: 'Ada Lovelace',
    minimumLength: 12,
    invitation,
  },
  ...mailPages,
  'sign-in/sign-out': {
    ...common,
    action: '/session/end/confirm',
    title: 'Sign out',
    xsrf: 'token',
    clientName: 'Acme Console',
    user,
  },
  'sign-in/signed-out': {
    stillSignedIn: false,
    ...common,
    title: 'Signed out',
    clientName: 'Acme Console',
    clientUri: 'https://app.example.com/',
  },
  'sign-in/front': {
    ...common,
    title: 'Sign-in service',
    issuer: 'https://id.example.com',
    discoveryUrl: 'https://id.example.com/.well-known/openid-configuration',
  },
  'sign-in/device-code': {
    ...common,
    title: 'Connect a device',
    action: '/device',
    xsrf: 'token',
    userCode: 'BCDF-GHJK',
    error: null,
  },
  'sign-in/device-confirm': {
    ...common,
    title: 'Connect this device?',
    action: '/device',
    xsrf: 'token',
    clientName: 'Acme Television',
    userCode: 'BCDF-GHJK',
    address: '192.0.2.1',
    software: 'AcmeTV/1.0',
    offline: true,
    user,
  },
  'sign-in/device-outcome': {
    ...common,
    title: 'Device connected',
    clientName: 'Acme Television',
    account: { user, place: 'Acme Inc' },
    refusal: null,
  },
  ...accountPages,
  'errors/error': {
    ...common,
    title: 'Request not valid',
    status: 400,
    heading: 'error_page.other',
    message: { code: 'invalid_redirect_uri', message: 'The return address is not registered.' },
    code: 'invalid_redirect_uri',
    hint: 'error_page.start_again',
    returnUrl: 'https://app.example.com/',
    returnLabel: 'Return to Acme Console',
  },
};

/** The locals of each page that may be null. */
export const optional: Record<PageName, string[]> = {
  'sign-in/login': ['error', 'supportUri', 'signUpUrl', 'linking', 'lead'],
  'sign-in/connection-problem': [],
  'sign-in/pick-tenant': ['error'],
  'sign-in/second-factor': ['error', 'passkey'],
  'sign-in/enrol-elsewhere': [],
  'sign-in/enrol-factor': ['error'],
  'sign-in/recovery-codes': [],
  'sign-in/terms': ['error'],
  'sign-in/profile': ['error'],
  'sign-in/consent': ['clientUri', 'policyUri', 'tosUri'],
  'sign-in/invitation': ['error'],
  'sign-in/joined': [],
  'sign-in/sign-up': ['error'],
  ...optionalOfMail,
  'sign-in/sign-out': ['clientName', 'user'],
  'sign-in/signed-out': ['clientName', 'clientUri'],
  'sign-in/front': [],
  'sign-in/device-code': ['error'],
  'sign-in/device-confirm': ['user'],
  'sign-in/device-outcome': ['account', 'refusal'],
  ...optionalOfAccount,
  'errors/error': ['code', 'hint', 'returnUrl', 'returnLabel'],
};

/** A copy in which each string, at any depth, is what `replace` says; the rest stays. */
export function fill(locals: Locals, replace: (key: string, value: string) => string): Locals {
  const copy = (key: string, value: unknown): unknown => {
    if (typeof value === 'string') return replace(key, value);
    if (Array.isArray(value)) return value.map((item) => copy(key, item));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copy(name, item)]));
  };
  return copy('', locals) as Locals;
}
