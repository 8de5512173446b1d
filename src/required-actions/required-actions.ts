import type { Authorization } from '../access/index.js';
import type { ProfileMember, Terms } from '../tenants/index.js';
import type { AcceptedTerms, User } from '../users/index.js';

/** What somebody still has to do before they get into a tenant. */
export interface RequiredActions {
  /** To accept, those of the platform first. */
  terms: DueTerms[];
  /** To say about themselves. */
  profile: ProfileMember[];
}

export interface DueTerms extends Terms {
  /** Whose they are. */
  of: TermsOwner;
}
export type TermsOwner = 'platform' | 'tenant';

/** What is asked of everybody, and of whoever comes into one tenant. */
export interface Asked {
  ofEverybody: AskedByOne;
  ofTenant: AskedByOne;
}
export type AskedByOne = Pick<Authorization['asks'], 'terms' | 'requiredProfile'>;

export const noAsks: AskedByOne = { terms: null, requiredProfile: [] };

/** Whether anything is asked at all; if not, nobody has to be looked at. */
export function asksNothing({ ofEverybody, ofTenant }: Asked): boolean {
  return [ofEverybody, ofTenant].every(({ terms, requiredProfile }) => terms === null && requiredProfile.length === 0);
}

/** The one decision what is still to be done. Terms are accepted in one version: another one is accepted anew. */
export function requiredActions(
  { ofEverybody, ofTenant }: Asked,
  { user, acceptedOfTenant }: { user: Pick<User, 'profile' | 'acceptedTerms'>; acceptedOfTenant: AcceptedTerms | null },
): RequiredActions {
  const terms: DueTerms[] = [];
  if (ofEverybody.terms && ofEverybody.terms.version !== user.acceptedTerms?.version)
    terms.push({ of: 'platform', ...ofEverybody.terms });
  if (ofTenant.terms && ofTenant.terms.version !== acceptedOfTenant?.version)
    terms.push({ of: 'tenant', ...ofTenant.terms });
  const asked = new Set([...ofEverybody.requiredProfile, ...ofTenant.requiredProfile]);
  return { terms, profile: [...asked].filter((member) => !user.profile[member]?.trim()) };
}
