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
  createdAt: Date;
  updatedAt: Date;
}
