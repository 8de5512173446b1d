import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../log/logger.js';

const sayEveryMs = 1000;

/**
 * Counts the requests that have arrived whole and are not answered. The function takes in another one and says whether
 * it comes too many: past some number requests only wait for each other and fill the memory, so these are better told
 * to come back. A body that is still on its way costs next to nothing, and would let slow senders shut out the others.
 */
export function requestsInFlight(
  most: number,
  log: Logger,
): { isTooMany(req: IncomingMessage, res: ServerResponse): boolean } {
  let count = 0;
  let saidAt = -Infinity;

  function begin(res: ServerResponse): void {
    if (res.closed) return;
    count++;
    res.once('close', () => count--);
  }

  return {
    isTooMany(req, res) {
      const isFull = count >= most;
      const hasBody = 'content-length' in req.headers || 'transfer-encoding' in req.headers;
      if (hasBody) req.once('end', () => begin(res));
      else begin(res);
      if (isFull && performance.now() - saidAt > sayEveryMs) {
        saidAt = performance.now();
        log.warn({ inFlight: count }, 'too many requests at once: some are answered with 503');
      }
      return isFull;
    },
  };
}
