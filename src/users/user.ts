/** Standard claims about a person (OpenID Connect Core §5.1) that we keep; the address stands apart. */
export interface Profile {
  name?: string;
  givenName?: string;
  familyName?: string;
  locale?: string;
  zoneinfo?: string;
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
  createdAt: Date;
  updatedAt: Date;
}
