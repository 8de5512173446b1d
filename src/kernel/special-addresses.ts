import { BlockList, isIP } from 'node:net';

type Network = readonly [network: string, prefix: number];

/** All of IPv4 that is not public: the special-purpose registry of IANA (RFC 6890), multicast, and what is kept back. */
const specialIpv4: readonly Network[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/**
 * The one network from which public IPv6 addresses are given. Outside of it lie loopback, link-local, ULA, site-local,
 * multicast, and IPv4 in all its disguises: mapped, compatible, NAT64.
 */
const publicIpv6: Network = ['2000::', 3];

/** What is special within it: IETF assignments with Teredo and ORCHID, documentation, 6to4, AS112. */
const specialIpv6: readonly Network[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

const special = { ipv4: blockListOf('ipv4', specialIpv4), ipv6: blockListOf('ipv6', specialIpv6) };
const given = blockListOf('ipv6', [publicIpv6]);

/** Whether this is the address of a host on the public internet. What is no address, or names a zone, is not. */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !special.ipv4.check(address, 'ipv4');
  return family === 6 && given.check(address, 'ipv6') && !special.ipv6.check(address, 'ipv6');
}

function blockListOf(family: 'ipv4' | 'ipv6', networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
}
