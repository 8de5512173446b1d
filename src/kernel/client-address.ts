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

/** The eight groups of an IPv6 address in any of its forms (RFC 4291 §2.2). */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const before = groupsIn(head);
  if (tail === undefined) return before;
  const after = groupsIn(tail);
  while (before.length + after.length < 8) before.push(0);
  return [...before, ...after];
}

function groupsIn(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16);
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
