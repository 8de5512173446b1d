/** Standard claims about a person (OpenID Connect Core §5.1) that we keep; the address stands apart. */
export interface Profile {
  name?: string;
  givenName?: string;
  familyName?: string;
  locale?: string;
  zoneinfo?: string;
}

/** When an account goes that its person has given up. */
export interface Deletion {
  dueAt: Date;
  /** Keyed hash of what takes it back; null: nothing does. */
  tokenHash: string | null;
}

/** Terms that somebody has accepted, in the version that they read. */
export interface AcceptedTerms {
  version: string;
  uri: string;
  acceptedAt: Date;
}

/** A person; one record across all tenants. */
export interface User {
  id: string;
  /** Canonical form, see `parseEmail`. */
  email: string;
  emailVerified: boolean;
  profile: Profile;
  status: 'active' | 'disabled';
  /** When they last got a new password; sign-ins and known browsers from before it count no more. */
  credentialsChangedAt?: Date;
  /** Kinds of factors that they have beside the password, and since when it is these (credentials). */
  factorKinds?: readonly string[];
  factorsChangedAt?: Date;
  /** Browsers in which they gave a factor before this are strangers (credentials). */
  browsersTrustedSince?: Date;
  /** They have asked to be deleted, and are disabled until then. */
  deletion?: Deletion;
  /** Those of the platform, as they accepted them last. */
  acceptedTerms?: AcceptedTerms;
  createdAt: Date;
  updatedAt: Date;
}
