import { Resolver, lookup } from 'node:dns/promises';

/** All addresses of a host. */
export type ResolveHost = (
  hostname: string,
  how: { isAllowed: boolean; signal: AbortSignal },
) => Promise<readonly string[]>;

/**
 * Hosts that the operator lists as the system knows them, with its hosts file. All others by DNS alone: the system's
 * resolver takes one of the few threads that also hash and sign, for as long as a hostile name server likes.
 */
export const resolveHost: ResolveHost = async (hostname, { isAllowed, signal }) =>
  isAllowed
    ? (await lookup(hostname, { all: true })).map(({ address }) => address)
    : resolveByDns(new Resolver({ timeout: 1000, tries: 2 }), hostname, signal);

/** One of the two kinds of address is enough: many hosts have no other, and some name servers fail over the question. */
export async function resolveByDns(resolver: Resolver, hostname: string, signal: AbortSignal): Promise<string[]> {
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });
  const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  if (ipv4.status === 'rejected' && ipv6.status === 'rejected') throw ipv4.reason;
  return [ipv4, ipv6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}
