/**
 * What is known of providers that many use. Nobody has tried them against the real ones from here: the tests use
 * stand-ins that publish documents of the same form.
 */
export const connectionPresets = Object.freeze({
  google: {
    issuer: 'https://accounts.google.com',
    authentication: 'client_secret_post',
    scopes: ['openid', 'profile', 'email'],
    idTokenAlgorithm: 'RS256',
  },
  /** The issuer is given: that of one directory. It vouches for no address, so nobody is found or made by theirs. */
  microsoft: {
    authentication: 'client_secret_post',
    scopes: ['openid', 'profile', 'email'],
    idTokenAlgorithm: 'RS256',
    claims: { emailVerified: 'xms_edov' },
  },
  github: {
    protocol: 'oauth2',
    issuer: 'https://github.com',
    authorizationEndpoint: 'https://github.com/login/oauth/authorize',
    tokenEndpoint: 'https://github.com/login/oauth/access_token',
    userinfoEndpoint: 'https://api.github.com/user',
    emailsEndpoint: 'https://api.github.com/user/emails',
    authentication: 'client_secret_post',
    scopes: ['read:user', 'user:email'],
    claims: { subject: 'id' },
  },
  /** For one's own GitLab another issuer is given. */
  gitlab: {
    issuer: 'https://gitlab.com',
    authentication: 'client_secret_post',
    scopes: ['openid', 'profile', 'email'],
    idTokenAlgorithm: 'RS256',
  },
  apple: {
    issuer: 'https://appleid.apple.com',
    authentication: 'secret_jwt_by_key',
    scopes: ['openid', 'email', 'name'],
    responseMode: 'form_post',
    idTokenAlgorithm: 'RS256',
  },
} as const);
