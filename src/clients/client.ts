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

export interface ClientMetadata {
  client_name?: string;
  client_uri?: string;
  policy_uri?: string;
  tos_uri?: string;
  redirect_uris?: string[];
  post_logout_redirect_uris?: string[];
  grant_types: string[];
  response_types: string[];
  token_endpoint_auth_method: string;
  /** With `private_key_jwt`: the one algorithm it signs with; any that its keys take when absent. */
  token_endpoint_auth_signing_alg?: string;
  jwks?: { keys: PublicJwk[] };
  application_type?: 'web' | 'native';
  id_token_signed_response_alg?: string;
  subject_type?: 'public';
}
