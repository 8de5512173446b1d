import { domainToASCII } from 'node:url';

const maximumLength = 254;
const localPart = /^[^\s@"(),:;<>[\]\\\p{C}]{1,64}$/u;
/** What a domain is written with before IDNA (which reads the ideographic full stop as a dot); the URL parser would take more and rewrite it. */
const writtenDomain = /^[\p{L}\p{N}\p{M}.\u3002-]+$/u;
const invisible = /\p{Default_Ignorable_Code_Point}/u;
const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const domainLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * The one spelling of an e-mail address: NFKC, trimmed, lower case, domain in its ASCII form (IDNA).
 * Anything with other than one `@`, quoted local parts, control or invisible characters is null, so that two
 * spellings never name one mailbox and one spelling never names two.
 */
export function parseEmail(input: string): string | null {
  const text = input.normalize('NFKC').trim().toLowerCase();
  const parts = text.split('@');
  if (parts.length !== 2) return null;
  const [local, rawDomain] = parts as [string, string];
  if (invisible.test(text) || !writtenDomain.test(rawDomain)) return null;
  const domain = domainToASCII(rawDomain);
  const labels = domain.split('.');
  if (!localPart.test(local) || local.startsWith('.') || local.endsWith('.') || local.includes('..')) return null;
  if (ipv4.test(domain) || labels.length < 2 || !labels.every((label) => domainLabel.test(label))) return null;
  const address = `${local}@${domain}`;
  return address.length <= maximumLength ? address : null;
}

/** The one spelling of a domain as it stands in addresses; null for everything that could stand in none. */
export function parseDomain(input: string): string | null {
  return domainOf(parseEmail(`a@${input}`) ?? '') || null;
}

/** Of an address in its canonical form. */
export function domainOf(email: string): string {
  return email.slice(email.indexOf('@') + 1);
}

/**
 * A name that somebody typed, for counting alone: beside what `parseEmail` makes equal also without blanks, characters
 * that cannot be seen, and dots at the end. Nobody is signed in by it, so it may take two names for one.
 */
export function foldName(input: string): string {
  const visible = input.normalize('NFKC').replace(/[\p{Default_Ignorable_Code_Point}\p{C}\s]/gu, '');
  const folded = visible
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[.\u3002]+$/, '');
  return parseEmail(folded) ?? folded;
}
