import type { Clock } from '../kernel/time.js';
import type { Logger } from '../platform/log/logger.js';

const everyMs = 60_000;
const mostKeys = 100_000;

/**
 * When a key was last used is worth a write a minute for each process and no more, and nobody waits for it: a key that
 * works all day costs what one does that works once a minute.
 */
export function keyUses(deps: {
  now: Clock;
  log: Logger;
  noteUse(tenantId: string, id: string, at: Date): Promise<void>;
}): (tenantId: string, keyId: string) => void {
  const notedAt = new Map<string, number>();
  return (tenantId, keyId) => {
    const at = deps.now();
    if (at.getTime() - (notedAt.get(keyId) ?? 0) < everyMs) return;
    if (notedAt.size >= mostKeys) notedAt.clear();
    notedAt.set(keyId, at.getTime());
    deps.noteUse(tenantId, keyId, at).catch((error: unknown) => {
      notedAt.delete(keyId); // the next use tries again
      deps.log.debug({ err: error as Error, keyId }, 'the use of an API key could not be noted');
    });
  };
}
