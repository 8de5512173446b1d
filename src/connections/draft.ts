import type { ConnectionDraft } from '../platform/schemas/connection.js';
import type { Connection } from './connection.js';

/** As seeds and the API give and show it: without what it is known by, and without its secret. */
export function draftOf({ upstream, isAuthoritative: authoritative, ...connection }: Connection): ConnectionDraft {
  const { name, status, mode, clientIds, makesAccounts, syncsProfile, secondLevel, sessionSeconds, roleMapping } =
    connection;
  return {
    ...{ name, status, mode, clientIds, ...upstream },
    ...{ authoritative, makesAccounts, syncsProfile, secondLevel, sessionSeconds, roleMapping },
  };
}

type Own = Pick<Connection, 'id' | 'tenantId' | 'key' | 'publicKey' | 'createdAt' | 'updatedAt'>;

export function connectionFrom(draft: ConnectionDraft, own: Own): Connection {
  const { name, status, mode, clientIds, authoritative, makesAccounts, syncsProfile, ...others } = draft;
  const { secondLevel, sessionSeconds, roleMapping, ...upstream } = others;
  return {
    ...{ ...own, name, status, mode, clientIds, upstream },
    ...{ isAuthoritative: authoritative, makesAccounts, syncsProfile, secondLevel, sessionSeconds, roleMapping },
  };
}
