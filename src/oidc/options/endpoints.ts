import type { Configuration } from 'oidc-provider';

/** Paths of the protocol endpoints; the issuer's origin stands before them. */
export const endpointPaths = {
  authorization: '/oauth2/authorize',
  token: '/oauth2/token',
  userinfo: '/oauth2/userinfo',
  jwks: '/oauth2/jwks',
  introspection: '/oauth2/introspect',
  revocation: '/oauth2/revoke',
  pushed_authorization_request: '/oauth2/par',
  device_authorization: '/oauth2/device_authorization',
  code_verification: '/device',
  end_session: '/oauth2/logout',
} as const satisfies Configuration['routes'];

export interface ProtocolRoute {
  /** `:uid` stands for the id of an interaction. */
  path: string;
  /** Those that the library answers. */
  methods: readonly string[];
  /** A form may be posted, and is sent on as GET. */
  postable?: true;
}

/** Every path that is the library's, with the methods it answers. Whatever is not here never reaches it. */
export const protocolRoutes: readonly ProtocolRoute[] = [
  { path: '/.well-known/openid-configuration', methods: ['GET', 'HEAD', 'OPTIONS'] },
  { path: '/.well-known/oauth-authorization-server', methods: ['GET', 'HEAD', 'OPTIONS'] },
  { path: '/oauth2/jwks', methods: ['GET', 'HEAD', 'OPTIONS'] },
  { path: '/oauth2/authorize', methods: ['GET'], postable: true },
  { path: '/oauth2/authorize/:uid', methods: ['GET'] },
  { path: '/oauth2/token', methods: ['POST', 'OPTIONS'] },
  { path: '/oauth2/introspect', methods: ['POST', 'OPTIONS'] },
  { path: '/oauth2/revoke', methods: ['POST', 'OPTIONS'] },
  { path: '/oauth2/par', methods: ['POST', 'OPTIONS'] },
  { path: '/oauth2/device_authorization', methods: ['POST', 'OPTIONS'] },
  { path: '/oauth2/userinfo', methods: ['GET', 'POST', 'OPTIONS'] },
  { path: '/device', methods: ['GET', 'POST'] },
  { path: '/device/:uid', methods: ['GET'] },
  { path: '/oauth2/logout', methods: ['GET'], postable: true },
  { path: '/oauth2/logout/confirm', methods: ['POST'] },
  { path: '/oauth2/logout/success', methods: ['GET'] },
];

const isPatterned = ({ path }: ProtocolRoute): boolean => path.includes(':uid');
const literal = new Map(protocolRoutes.filter((route) => !isPatterned(route)).map((route) => [route.path, route]));
const patterned = protocolRoutes
  .filter(isPatterned)
  .map((route) => ({ route, pattern: new RegExp(`^${route.path.replace(':uid', String.raw`[\w-]{1,64}`)}$`) }));

export function findProtocolRoute(path: string): ProtocolRoute | undefined {
  return literal.get(path) ?? patterned.find(({ pattern }) => pattern.test(path))?.route;
}
