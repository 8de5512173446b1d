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
  end_session: '/oauth2/logout',
} as const satisfies Configuration['routes'];

/** Every path that is the library's, with the methods it answers. Whatever is not here never reaches it. */
export const protocolRoutes: readonly { path: RegExp; methods: readonly string[]; postable?: true }[] = [
  { path: /^\/\.well-known\/(openid-configuration|oauth-authorization-server)$/, methods: ['GET', 'HEAD', 'OPTIONS'] },
  { path: /^\/oauth2\/jwks$/, methods: ['GET', 'HEAD', 'OPTIONS'] },
  { path: /^\/oauth2\/authorize$/, methods: ['GET'], postable: true },
  { path: /^\/oauth2\/authorize\/[\w-]{1,64}$/, methods: ['GET'] },
  { path: /^\/oauth2\/(token|introspect|revoke|par)$/, methods: ['POST', 'OPTIONS'] },
  { path: /^\/oauth2\/userinfo$/, methods: ['GET', 'POST', 'OPTIONS'] },
  { path: /^\/oauth2\/logout$/, methods: ['GET'], postable: true },
  { path: /^\/oauth2\/logout\/confirm$/, methods: ['POST'] },
  { path: /^\/oauth2\/logout\/success$/, methods: ['GET'] },
];
