export type Locals = Record<string, unknown>;

const common = { lang: 'en', styleUrl: '/assets/style.css', requestId: '01JZ8Q4M7N2V5XK9TB6RWD3HCE' };
const user = { name: 'Ada Lovelace', email: 'ada@example.com' };
const app = { action: '/interaction/1', csrf: 'token', clientName: 'Acme Console' };

/** Every page with values for all its locals. A key ending in `?` marks the local of that name as one that may be null. */
export const pages = {
  'sign-in/login': {
    ...common,
    ...app,
    title: 'Sign in',
    cancelAction: '/interaction/1/cancel',
    login: 'ada@example.com',
    error: null,
    tenantName: 'Acme Inc',
    'tenantName?': true,
  },
  'sign-in/pick-tenant': {
    ...common,
    ...app,
    title: 'Choose where to go',
    cancelAction: '/interaction/1/cancel',
    error: null,
    user,
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
    'clientUri?': true,
    policyUri: 'https://app.example.com/privacy',
    'policyUri?': true,
    tosUri: 'https://app.example.com/terms',
    'tosUri?': true,
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
    'clientName?': true,
    user,
    'user?': true,
  },
  'sign-in/signed-out': {
    ...common,
    title: 'Signed out',
    clientName: 'Acme Console',
    'clientName?': true,
    clientUri: 'https://app.example.com/',
    'clientUri?': true,
  },
  'sign-in/front': {
    ...common,
    title: 'Sign-in service',
    issuer: 'https://id.example.com',
    discoveryUrl: 'https://id.example.com/.well-known/openid-configuration',
  },
  'sign-in/continue': {
    ...common,
    action: '/interaction/1/continue',
    title: 'Continue',
    fields: [
      { name: 'code', value: 'opaque' },
      { name: 'state', value: 'opaque' },
    ],
    buttonLabel: 'Continue to Acme Console',
    heading: 'One more step',
    message: 'Press the button to go on to Acme Console.',
  },
  'errors/error': {
    ...common,
    title: 'Request not valid',
    status: 400,
    heading: 'This request cannot be used',
    message: 'The return address is not registered.',
    code: 'invalid_redirect_uri',
    'code?': true,
    hint: 'Go back to the app and start again.',
    'hint?': true,
    returnUrl: 'https://app.example.com/',
    'returnUrl?': true,
    returnLabel: 'Return to Acme Console',
    'returnLabel?': true,
  },
} satisfies Record<string, Locals> as Record<string, Locals> as Record<PageName, Locals>;

export type PageName =
  | 'sign-in/login'
  | 'sign-in/pick-tenant'
  | 'sign-in/consent'
  | 'sign-in/sign-out'
  | 'sign-in/signed-out'
  | 'sign-in/front'
  | 'sign-in/continue'
  | 'errors/error';

/** A copy in which each string, at any depth, is what `replace` says; null, numbers and flags stay unless it is null. */
export function fill(locals: Locals, replace: (key: string, value: string) => string | null): Locals {
  const copy = (key: string, value: unknown): unknown => {
    if (typeof value === 'string') return replace(key, value);
    if (Array.isArray(value)) return value.map((item) => copy(key, item));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copy(name, item)]));
  };
  return copy('', locals) as Locals;
}
