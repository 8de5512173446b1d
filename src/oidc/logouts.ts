import type { Client as LibraryClient } from 'oidc-provider';
import type { Client } from '../clients/index.js';
import type { Clock } from '../kernel/time.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Logger } from '../platform/log/logger.js';
import type { Database } from '../platform/mongo/open-database.js';
import { createQueue, type Queue, type QueueRules } from '../platform/queue/queue.js';
import type { QueueLogouts } from './adapter/endings.js';
import type { SendLogout, SessionIdOf } from './library-internals.js';

/** What one app is told: whose session has ended, by the name that the app knows it by. */
interface Logout {
  clientId: string;
  userId: string;
  sid: string;
}

export interface LogoutDeps {
  database: Database;
  keyRing: KeyRing;
  now: Clock;
  log: Logger;
  logouts: QueueRules;
  findClient(clientId: string): Promise<Client | null>;
}

export interface Logouts extends Pick<Queue<never>, 'deliverDue' | 'start' | 'stop' | 'ensureIndexes'> {
  queueLogouts: QueueLogouts;
  /** The `sid` of a session for one app: no two apps can tell that theirs is the same. */
  sessionIdOf: SessionIdOf;
}

/**
 * OpenID Connect Back-Channel Logout 1.0. The library makes and sends a logout token once, while the person waits; so it
 * is asked to do that from a queue, which is filled in the transaction that ends the session.
 */
export function createLogouts(
  deps: LogoutDeps,
  current: () => { findClient(clientId: string): Promise<LibraryClient | undefined>; sendLogout: SendLogout },
): Logouts {
  const hash = deps.keyRing.hashFor('session-id-of-client');
  const sessionIdOf: SessionIdOf = (sessionUid, clientId) => hash(sessionUid, clientId);
  const queue = createQueue<Logout>({
    ...{ ...deps, sealing: deps.keyRing.sealing, rules: deps.logouts },
    ...{ noun: 'logout', collection: 'logout_outbox', idPrefix: 'lgo', judge },
    async send(_id, { clientId, userId, sid }) {
      const { findClient, sendLogout } = current();
      const client = await findClient(clientId);
      if (client?.backchannelLogoutUri !== undefined) await sendLogout(client, userId, sid);
    },
  });

  return {
    ...queue,
    sessionIdOf,
    async queueLogouts(tx, ended) {
      const takers = new Map<string, boolean>();
      for (const { clientId, userId, sessionUid } of ended) {
        if (!takers.has(clientId))
          takers.set(clientId, (await deps.findClient(clientId))?.metadata.backchannel_logout_uri !== undefined);
        if (takers.get(clientId)) await queue.add(tx, { clientId, userId, sid: sessionIdOf(sessionUid, clientId) });
      }
    },
  };
}

/** An app may be down or refuse because of something that passes, so each is tried again. */
function judge(error: Error & { response?: Response }): { reason: string; isFinal: boolean } {
  return { reason: error.response ? String(error.response.status) : error.name, isFinal: false };
}
