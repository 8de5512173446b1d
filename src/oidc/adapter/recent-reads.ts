import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import type { OnChange } from '../../events/index.js';
import { createExpiringMap, type ExpiringMap } from '../../platform/cache/expiring.js';

/** What was read for endpoints that only tell. */
export type RecentReads = ExpiringMap<AdapterPayload | undefined | void>;

export interface RecentReadsDeps {
  cacheSeconds: number;
  onChange: OnChange;
}

export function createRecentReads({ cacheSeconds, onChange }: RecentReadsDeps): RecentReads {
  const recent: RecentReads = createExpiringMap(cacheSeconds);
  onChange(/^(grant|session|access_token)\./, recent.forgetAll);
  return recent;
}

/** Neither issues anything nor decides what is used once, so an answer may be as old as any decision about rights. */
const telling: ReadonlySet<string | undefined> = new Set(['introspection', 'userinfo']);

/**
 * An API asks about the same token at every request it gets. At introspection and userinfo a token and its grant are as
 * of at most two seconds ago; every other endpoint reads afresh, and what this process ends it forgets at once.
 */
export function readRecently(model: string, adapter: Adapter, recent: RecentReads): Adapter {
  return {
    ...adapter,
    find(id) {
      const route = Provider.ctx?.oidc.route;
      if (!telling.has(route)) return adapter.find(id);
      // userinfo sees a token otherwise than introspection does
      return recent.get(`${route}\0${model}\0${id}`, async () => adapter.find(id));
    },
    async destroy(id) {
      await adapter.destroy(id);
      recent.forgetAll();
    },
  };
}
