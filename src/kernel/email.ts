import { domainToASCII } from 'node:url';

const maximumLength = 254;
const localPart = /^[^\s@"(),:;<>[\]\\\p{C}]{1,64}$/u;
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
  const domain = domainToASCII(rawDomain);
  const labels = domain.split('.');
  if (!localPart.test(local) || local.startsWith('.') || local.endsWith('.') || local.includes('..')) return null;
  if (labels.length < 2 || !labels.every((label) => domainLabel.test(label))) return null;
  const address = `${local}@${domain}`;
  return address.length <= maximumLength ? address : null;
}
