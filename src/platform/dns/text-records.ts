import { NODATA, NOTFOUND } from 'node:dns';
import { Resolver } from 'node:dns/promises';

/** All text records (RFC 1035 §3.3.14) of a name, each as one text; none where there is none. Throws where nobody could say. */
export type LookupText = (name: string) => Promise<readonly string[]>;

/** Of everything: questions, answers and those that are asked again. */
const timeoutMs = 5000;

/** `servers` as `address` or `address:port`; none for those of the machine. A question never waits in the threads that hash and sign. */
export function textRecordsBy(servers: readonly string[]): LookupText {
  return async (name) => {
    const resolver = new Resolver({ timeout: 1500, tries: 2 });
    if (servers.length > 0) resolver.setServers([...servers]);
    const timer = setTimeout(() => resolver.cancel(), timeoutMs);
    try {
      return (await resolver.resolveTxt(name)).map((parts) => parts.join(''));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === NOTFOUND || code === NODATA) return [];
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}
