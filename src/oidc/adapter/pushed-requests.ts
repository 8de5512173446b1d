import { decodeJwt } from 'jose';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';

/**
 * To everybody but the client that pushed it, a request is as one that does not exist. The library would find it, and
 * refuse it in words that tell that it is there.
 */
export function foundByItsClient(stored: Adapter): Adapter {
  return {
    ...stored,
    async find(id) {
      const pushed = (await stored.find(id)) as AdapterPayload | undefined;
      const asking = Provider.ctx?.oidc.client?.clientId;
      if (!pushed?.request || asking === undefined) return pushed;
      return decodeJwt(pushed.request)['client_id'] === asking ? pushed : undefined;
    },
  };
}
