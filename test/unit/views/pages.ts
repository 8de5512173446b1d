export type Locals = Record<string, unknown>;

export type PageName =
  | 'sign-in/login'
  | 'sign-in/pick-tenant'
  | 'sign-in/consent'
  | 'sign-in/sign-out'
  | 'sign-in/signed-out'
  | 'sign-in/front'
  | 'sign-in/device-code'
  | 'sign-in/device-confirm'
  | 'sign-in/device-outcome'
  | 'errors/error';

const common = { lang: 'en', styleUrl: '/assets/style.css', requestId: '01JZ8Q4M7N2V5XK9TB6RWD3HCE' };
const user = { name: 'Ada Lovelace', email: 'ada@example.com' };
const app = { action: '/interaction/1', csrf: 'token', clientName: 'Acme Console' };

/** Every page with values for all its locals. */
export const pages: Record<PageName, Locals> = {
  'sign-in/login': {
    ...common,
    ...app,
    title: 'Sign in',
    cancelAction: '/interaction/1/cancel',
    login: 'ada@example.com',
    error: null,
    tenantName: 'Acme Inc',
    supportUri: 'https://acme.example.com/help',
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
      { slug: 'ada', name: 'Ada Lovelace', typeLabel: 'Personal', roleLabels: [] },
      { slug: 'acme', name: 'Acme Inc', typeLabel: 'Enterprise', roleLabels: ['Owner', 'Billing'] },
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
    scopes: [{ name: 'email', description: 'See your email address' }],
    resources: [
      { name: 'Orders', identifier: 'https://orders.example.com/', permissions: ['orders:read', 'orders:write'] },
      { name: 'Files', identifier: 'urn:example:files', permissions: [] },
    ],
    offline: true,
  },
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
  'errors/error': {
    ...common,
    title: 'Request not valid',
    status: 400,
    heading: 'This request cannot be used',
    message: 'The return address is not registered.',
    code: 'invalid_redirect_uri',
    hint: 'Go back to the app and start again.',
    returnUrl: 'https://app.example.com/',
    returnLabel: 'Return to Acme Console',
  },
};

/** The locals of each page that may be null. */
export const optional: Record<PageName, string[]> = {
  'sign-in/login': ['error', 'tenantName'],
  'sign-in/pick-tenant': ['error'],
  'sign-in/consent': ['clientUri', 'policyUri', 'tosUri'],
  'sign-in/sign-out': ['clientName', 'user'],
  'sign-in/signed-out': ['clientName', 'clientUri'],
  'sign-in/front': [],
  'sign-in/device-code': ['error'],
  'sign-in/device-confirm': ['user'],
  'sign-in/device-outcome': ['account', 'refusal'],
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
