import type { PublicJwk } from '../kernel/public-keys.js';

/**
 * An OAuth client. `application` clients sign people in; a `service_account` client is the OAuth face of a service
 * account and takes its keys from there.
 */
export interface Client {
  clientId: string;
  kind: 'application' | 'service_account';
  /** Owner; null for clients of the platform, through which people reach any tenant of theirs. */
  tenantId: string | null;
  /** Ours: people are not asked for consent. */
  firstParty: boolean;
  /**
   * Whether people may make an account on the way into it, where the platform lets them. Unless it says so: a client of
   * the platform does, one of a tenant does not, since a new account is a member of no tenant but its own.
   */
  signUp?: boolean;
  /** False only for confidential clients that cannot do PKCE; those must send a nonce. */
  requirePkce: boolean;
  /** Identifiers of the resources it may ask tokens for. A service account may ask for any; its roles decide. */
  resources: string[];
  /** Client ids of service accounts that may act for people through it (RFC 8693 `actor_token`). */
  actors: string[];
  /** RFC 7591 `scope`: the most it may be given, of OpenID scopes and permissions; null sets no bound of its own. */
  scope: string | null;
  /** Keyed hashes of its live secrets. */
  secretHashes: string[];
  /** RFC 7591 metadata without `client_id` and `client_secret`. */
  metadata: ClientMetadata;
  createdAt: Date;
}

/** How it proves who it is and to what its tokens are bound (RFC 7523, RFC 8705, RFC 9449), with the names of RFC 7591. */
export interface ClientAuthentication {
  token_endpoint_auth_method: string;
  /** With `private_key_jwt`: the one algorithm it signs with; any that its keys take when absent. */
  token_endpoint_auth_signing_alg?: string;
  /** With `self_signed_tls_client_auth` each key has its certificate (`x5c`). */
  jwks?: { keys: PublicJwk[] };
  /** Where it publishes its keys, in the place of `jwks`. */
  jwks_uri?: string;
  /** With `tls_client_auth` one of these: by what in its certificate it is known (RFC 8705 §2.1.2). */
  tls_client_auth_subject_dn?: string;
  tls_client_auth_san_dns?: string;
  tls_client_auth_san_uri?: string;
  tls_client_auth_san_ip?: string;
  tls_client_auth_san_email?: string;
  /** Its tokens are of use with the certificate alone with which they were asked for (RFC 8705 §3). */
  tls_client_certificate_bound_access_tokens?: boolean;
  /** Its tokens are of use with the key alone with which they were asked for (RFC 9449 §5.2). */
  dpop_bound_access_tokens?: boolean;
}

export interface ClientMetadata extends ClientAuthentication {
  client_name?: string;
  client_uri?: string;
  policy_uri?: string;
  tos_uri?: string;
  redirect_uris?: string[];
  post_logout_redirect_uris?: string[];
  /** Where it is told that a session has ended (OpenID Connect Back-Channel Logout 1.0), and whether it wants to know which. */
  backchannel_logout_uri?: string;
  backchannel_logout_session_required?: boolean;
  grant_types: string[];
  response_types: string[];
  application_type?: 'web' | 'native';
  id_token_signed_response_alg?: string;
  /** What its people have to reach at every sign-in. */
  default_acr_values?: string[];
  subject_type?: 'public';
}
