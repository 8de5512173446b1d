import { parseDomain } from '../kernel/email.js';

/** What a domain is good for while it is verified. */
export interface DomainRules {
  /** The connection of the tenant to which people with such an address are led. */
  connectionId: string | null;
  /** They sign in by that connection alone. */
  enforced: boolean;
  /** The owner who may do so otherwise all the same. */
  exceptUserId: string | null;
  /** Keys of the roles with which whoever comes by the connection becomes a member; null: nobody does. */
  joinRoles: string[] | null;
}

/** A part of the e-mail addresses of the world that a tenant says is its own. */
export interface Domain extends DomainRules {
  id: string;
  tenantId: string;
  /** ASCII form (IDNA), lower case. Names itself alone: nothing below it, nothing above. */
  name: string;
  /** What the record holds by which the tenant shows that the name is its own. No secret: it is published. */
  token: string;
  /** While it is verified, which it is for one tenant alone. */
  verifiedAt: Date | null;
  /** By a record, or by the word of who runs the server. */
  verifiedBy: 'record' | 'operator' | null;
  /** When its record was looked for last. */
  checkedAt: Date | null;
  /** Since when a verified one has no record any more. */
  missingSince: Date | null;
  createdAt: Date;
}

/** Of a new one. */
export const unruled: DomainRules = { connectionId: null, enforced: false, exceptUserId: null, joinRoles: null };

const label = '_gatehouse-challenge';
const prefix = 'gatehouse-domain-verification=';

/** The text record that the tenant publishes: where, and what. An underscore keeps it apart from names of hosts (RFC 8552). */
export function challengeOf({ name, token }: Pick<Domain, 'name' | 'token'>): { name: string; value: string } {
  return { name: `${label}.${name}`, value: `${prefix}${token}` };
}

/** RFC 1035 §2.3.4, with the label of the record before it. */
const longestName = 253 - label.length - 1;

/** The one spelling of a domain of e-mail addresses; null for everything that is none. */
export function parseDomainName(input: string): string | null {
  const name = parseDomain(input);
  return name === null || name.length > longestName ? null : name;
}
