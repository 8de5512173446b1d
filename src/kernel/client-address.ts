import { isIPv6 } from 'node:net';

/**
 * What counts as one source of requests: an IPv4 address whole, of an IPv6 address the first 64 bits, since whoever has
 * one address of such a network has them all. An IPv4 address written as IPv6 (RFC 4291 §2.5.5.2) is the IPv4 address.
 */
export function addressPrefix(address: string): string {
  const [plain = ''] = address.split('%', 1); // without a zone (RFC 4007)
  if (!isIPv6(plain)) return plain;
  const groups = groupsOf(plain);
  const [high = 0, low = 0] = groups.slice(6);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  }
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

/** The eight groups of an IPv6 address. The URL parser writes every form of it in one way (RFC 5952). */
function groupsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const numbers = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const before = numbers(head);
  if (tail === undefined) return before;
  const after = numbers(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}
