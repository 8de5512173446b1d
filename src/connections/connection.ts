import type { PublicJwk } from '../kernel/public-keys.js';

export const connectionStatuses = ['enabled', 'disabled'] as const;
/** `link-only`: people who have signed in otherwise can link it, and nobody signs in with it. */
export const connectionModes = ['login', 'link-only'] as const;
export const connectionProtocols = ['oidc', 'oauth2'] as const;
/**
 * How we prove to the provider who we are. `private_key_jwt`: with a key that is made here and whose public half the
 * provider is told. `secret_jwt_by_key`: with a short-lived secret that is signed by a key of the provider's (Apple).
 */
export const upstreamAuthentications = [
  ...(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'secret_jwt_by_key'] as const),
] as const;
export const upstreamAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export const responseModes = ['query', 'form_post'] as const;

/** Names of the provider's claims (of its ID token, its userinfo, or what else it answers) by what they are here. */
export interface ClaimNames {
  subject: string;
  email: string;
  emailVerified: string;
  name: string;
  givenName: string;
  familyName: string;
  locale: string;
  zoneinfo: string;
}

/** How a provider is spoken to. */
export interface Upstream {
  protocol: (typeof connectionProtocols)[number];
  /** OpenID Connect: of its discovery document. OAuth 2.0: what its accounts are told apart by from those of others. */
  issuer: string;
  /** OAuth 2.0 alone; with OpenID Connect they come of the discovery document. */
  authorizationEndpoint: string | null;
  tokenEndpoint: string | null;
  userinfoEndpoint: string | null;
  /** OAuth 2.0 alone: lists the addresses of a person with `email`, `primary` and `verified`, as GitHub does. */
  emailsEndpoint: string | null;
  clientId: string;
  authentication: (typeof upstreamAuthentications)[number];
  /** With `secret_jwt_by_key`: who signs, and with which of their keys. */
  signer: { teamId: string; keyId: string } | null;
  scopes: string[];
  responseMode: (typeof responseModes)[number];
  /** The one algorithm by which its ID tokens are signed. */
  idTokenAlgorithm: (typeof upstreamAlgorithms)[number];
  claims: ClaimNames;
}

/** Which roles in its tenant the provider gives, by the values of one of its claims. */
export interface RoleMapping {
  claim: string;
  values: { value: string; role: string }[];
  /** At each sign-in; otherwise those of a new member alone. */
  syncs: boolean;
}

/** An upstream identity provider. Those of the platform's own tenant are of the whole platform. */
export interface Connection {
  id: string;
  tenantId: string;
  /** Its name in seed files, unique in its tenant. */
  key: string;
  /** What people read on its button. */
  name: string;
  status: (typeof connectionStatuses)[number];
  mode: (typeof connectionModes)[number];
  /** Apps on the way into which it is offered; empty: all that its tenant reaches. */
  clientIds: string[];
  upstream: Upstream;
  /** Whether its word that an address is somebody's is enough to find or make their account. Operators alone say so. */
  isAuthoritative: boolean;
  /** Whether whoever it vouches for and who has no account gets one. */
  makesAccounts: boolean;
  /** Names and the like follow the provider at each sign-in. */
  syncsProfile: boolean;
  /** Values of the provider's `acr` and `amr` that count for a second factor; none: it always counts for one. */
  secondLevel: { acr: string[]; amr: string[] };
  /** How long a sign-in by it lasts at most, and with it what is bound to its session; null: as long as others. */
  sessionSeconds: number | null;
  roleMapping: RoleMapping | null;
  /** With `private_key_jwt`: what the provider verifies us by. */
  publicKey: PublicJwk | null;
  createdAt: Date;
  updatedAt: Date;
}

/** What a provider says of a person, after everything about it was verified. */
export interface UpstreamPerson {
  issuer: string;
  subject: string;
  /** Canonical form; null when it told none, or one that is no address. */
  email: string | null;
  /** True when the provider says so in the same document, as JSON `true`. */
  isEmailVerified: boolean;
  profile: { name?: string; givenName?: string; familyName?: string; locale?: string; zoneinfo?: string };
  /** Its ID token says that they proved a second factor in a way that the connection trusts. */
  hasSecondLevel: boolean;
  /** How they did, of what the connection trusts and by names that are known everywhere (RFC 8176). */
  methods: readonly string[];
  /** Every claim, for rules that a connection has beyond these. */
  claims: Readonly<Record<string, unknown>>;
}

/** Whether what it says of an address is believed. A verified domain of its tenant would be another reason. */
export function vouchesFor(
  { isAuthoritative }: Connection,
  { email, isEmailVerified }: Pick<UpstreamPerson, 'email' | 'isEmailVerified'>,
): boolean {
  return isAuthoritative && isEmailVerified && email !== null;
}

/** Keys of the roles that the provider gives somebody; empty: it says nothing about it. */
export function mappedRoles({ roleMapping }: Connection, { claims }: UpstreamPerson): string[] {
  if (!roleMapping) return [];
  const told: unknown[] = [claims[roleMapping.claim] ?? []].flat();
  return [...new Set(roleMapping.values.filter(({ value }) => told.includes(value)).map(({ role }) => role))];
}

/** Whether anybody signs in with it at all. */
export function isWayIn({ status, mode }: Pick<Connection, 'status' | 'mode'>): boolean {
  return status === 'enabled' && mode === 'login';
}

/** Whether people may sign in with it on the way into this app. That its tenant is reached there is asked elsewhere. */
export function isOfferedTo(connection: Connection, clientId: string): boolean {
  const { clientIds } = connection;
  return isWayIn(connection) && (clientIds.length === 0 || clientIds.includes(clientId));
}
