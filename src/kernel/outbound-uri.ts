import { isIP } from 'node:net';
import { isPublicAddress } from './special-addresses.js';

/** Names that are of one machine or one network, whatever they resolve to (RFC 6761, RFC 6762, RFC 8375). */
const localName = /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/;

/**
 * Why this is no address that we call, or null. Asked when it is registered, to tell early, and again before each call,
 * where the addresses behind the name are looked at too. `isAllowed` knows the hosts that the operator lets through.
 */
export function problemOfOutboundUri(value: string, isAllowed: (hostAndPort: string) => boolean): string | null {
  if (!/^[\x21-\x7e]+$/.test(value) || /[\\#]/.test(value)) return 'must be plain ASCII without blanks, \\ and #';
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url) return 'must be an absolute URI';
  if (url.protocol !== 'https:') return 'must be https';
  if (url.username || url.password) return 'must not name a user';
  if (url.href !== value && url.href !== `${value}/`) return `must be written ${url.href}`;
  return isAllowed(hostAndPort(url)) || mayBePublic(url) ? null : 'must be a host on the public internet';
}

/** As the operator lists it; the port is always there. */
export function hostAndPort({ hostname, port }: URL): string {
  return `${hostname}:${port === '' ? '443' : port}`;
}

/** The IP address that a URL names instead of a host; null for a name. */
export function literalAddress({ hostname }: URL): string | null {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) ? address : null;
}

function mayBePublic(url: URL): boolean {
  const literal = literalAddress(url);
  if (literal !== null) return isPublicAddress(literal);
  const name = url.hostname.replace(/\.$/, '');
  return /[^.]\.[^.]/.test(name) && !localName.test(name);
}
