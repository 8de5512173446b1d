import type { Clock } from '../../kernel/time.js';
import type { Sealing } from '../../platform/crypto/sealing.js';
import type { Database } from '../../platform/mongo/open-database.js';
import type { ProtocolRecord } from './protocol-records.js';
import { openDevice, type SessionDevice } from './session-device.js';

/** A browser in which a person is signed in. */
export interface SessionOfUser {
  id: string;
  signedInAt: Date;
  expiresAt: Date;
  /** When it was last used, to the minute, and with what. */
  lastSeenAt: Date;
  device: SessionDevice | null;
}

export interface SessionsOf {
  listSessionsOf(userId: string): Promise<SessionOfUser[]>;
  /** Those in which the person has used this tenant. */
  listSessionsIn(tenantId: string, userId: string): Promise<SessionOfUser[]>;
}

/** Of one person: whoever has more has stopped counting them. */
const most = 200;

export function sessionsOf({
  database,
  sealing,
  now,
}: {
  database: Database;
  sealing: Sealing;
  now: Clock;
}): SessionsOf {
  const sessions = database.collection<ProtocolRecord>('oidc_sessions');
  const grants = database.collection<ProtocolRecord>('oidc_grants');
  const live = (): object => ({ endedAt: { $exists: false }, expiresAt: { $gt: now() } });

  async function list(filter: object): Promise<SessionOfUser[]> {
    const projection = { _id: 1, loginTs: 1, expiresAt: 1, seenAt: 1, device: 1 } as const;
    const found = await sessions.find({ ...filter, ...live() }, { projection, limit: most }).toArray();
    const presented = await Promise.all(found.map(present));
    return presented.toSorted((left, right) => right.signedInAt.getTime() - left.signedInAt.getTime());
  }

  async function present({
    _id: id,
    loginTs = 0,
    expiresAt = now(),
    ...record
  }: ProtocolRecord): Promise<SessionOfUser> {
    const signedInAt = new Date(loginTs * 1000);
    const device = record.device === undefined ? null : await openDevice(sealing, id, record.device);
    return { id, signedInAt, expiresAt, lastSeenAt: record.seenAt ?? signedInAt, device };
  }

  return {
    listSessionsOf: (userId) => list({ accountId: userId }),
    async listSessionsIn(tenantId, userId) {
      const projection = { sessionUid: 1 } as const;
      const held = await grants
        .find({ tenantId, accountId: userId, ...live() }, { projection, limit: 10 * most })
        .toArray();
      const ids = [...new Set(held.flatMap(({ sessionUid }) => sessionUid ?? []))].slice(0, most);
      return ids.length === 0 ? [] : list({ _id: { $in: ids }, accountId: userId });
    },
  };
}
