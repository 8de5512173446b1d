import { BlockList, isIP } from 'node:net';

/** Why this is no network of the form `192.0.2.0/24`, `2001:db8::/32` (RFC 4632, RFC 4291 §2.3) or one address; or null. */
export function problemOfNetwork(text: string): string | null {
  const { address, prefix, family } = partsOf(text);
  if (family === 0 || address.includes('%')) return 'must be an IPv4 or IPv6 address or network';
  const longest = family === 4 ? 32 : 128;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > longest) return `must have a prefix length of 0 to ${longest}`;
  return null;
}

/** Whether an address, as the edge pinned it, lies in one of these networks. */
export function addressMatcher(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefix, family } of networks.map(partsOf))
    list.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}

function partsOf(text: string): { address: string; prefix: string; family: number } {
  const [address = '', prefix, ...others] = text.split('/');
  const family = others.length === 0 ? isIP(address) : 0;
  return { address, prefix: prefix ?? (family === 4 ? '32' : '128'), family };
}
