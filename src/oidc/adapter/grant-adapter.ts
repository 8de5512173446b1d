import Provider, { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { Database } from '../../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../../platform/mongo/transactions.js';
import {
  protocolRecords,
  type ProtocolRecord,
  type ProtocolRecordDeps,
  type ProtocolRecords,
} from './protocol-records.js';
import type { GrantBinding } from './grant-binding.js';
import type { EndingDeps, Endings, RevocationReason } from './endings.js';
import { writeUnlessEnded } from './record-adapter.js';
import { storageRules, type StorageRule } from './storage-rules.js';

const live = { endedAt: { $exists: false } };

export interface GrantAdapterDeps extends ProtocolRecordDeps, EndingDeps {
  revokeGrant: Endings['revokeGrant'];
}

/** The grant that the poll of a device goes on with (see the device code adapter). */
export interface PollState {
  grantBeforeUse?: AdapterPayload;
}

/**
 * Grants. The grant is the master switch: code, refresh token, opaque access token, introspection and userinfo read it
 * again at every use, so ending it ends all of them at once.
 */
export function grantAdapter(deps: GrantAdapterDeps): Adapter {
  const records = protocolRecords('Grant', storageRules['Grant'] as StorageRule, deps);
  return {
    async upsert(id, payload, expiresIn) {
      const binding = payload as unknown as GrantBinding;
      const {
        accountId,
        clientId,
        tenantId,
        sessionUid,
        offline,
        exchangedFrom,
        boundTenantId,
        connectionId,
        domainId,
      } = binding;
      const changes = {
        payload: await records.encode(id, payload),
        ...{ accountId, clientId, tenantId, sessionUid, offline, createdAt: deps.now() },
        ...(exchangedFrom === undefined ? {} : { exchangedFrom }),
        ...(boundTenantId === undefined ? {} : { boundTenantId }),
        ...(connectionId === undefined ? {} : { connectionId }),
        ...(domainId === undefined ? {} : { domainId }),
        ...records.expiryIn(expiresIn),
      };
      await deps.inTransaction(async (tx) => {
        const { inserted } = await writeUnlessEnded(records, id, changes, tx);
        if (!inserted) return;
        if (exchangedFrom === undefined) await requireLiveSession(deps.database, tx, sessionUid, deps.now());
        else await requireLiveSource(records, tx, exchangedFrom, deps.now());
        const actor = { kind: 'user', userId: accountId } as const;
        await deps.recordEvent(tx, {
          type: 'grant.created',
          tenantId,
          actor,
          subjectId: id,
          data: { clientId, offline },
        });
      });
    },
    async find(id) {
      const { grantBeforeUse } = (Provider.ctx?.state ?? {}) as PollState;
      if (grantBeforeUse?.jti === id) return grantBeforeUse;
      return records.decode(await records.collection.findOne({ _id: id }), id);
    },
    destroy: (id) => deps.revokeGrant(id, reasonOfRequest()),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => undefined,
    revokeByGrantId: async () => undefined,
  };
}

/**
 * A sign-out ends the grants that it finds. One that is made at the same moment meets it at the session: both write its
 * row, so one of the two transactions sees the other. A session that is not stored yet has nobody to sign out.
 */
async function requireLiveSession(database: Database, tx: Tx, sessionUid: string, grantedAt: Date): Promise<void> {
  const sessions = database.collection<ProtocolRecord>('oidc_sessions');
  const session = await sessions.findOneAndUpdate({ _id: sessionUid }, { $set: { grantedAt } }, sessionOf(tx));
  if (session?.endedAt) throw new errors.SessionNotFound('the session ended while the request was under way');
}

/** The same for a grant that comes of another one: whoever ends that one meets it there. */
async function requireLiveSource(
  { collection }: ProtocolRecords,
  tx: Tx,
  grantId: string,
  exchangedAt: Date,
): Promise<void> {
  const { matchedCount } = await collection.updateOne(
    { _id: grantId, ...live },
    { $set: { exchangedAt } },
    sessionOf(tx),
  );
  if (matchedCount === 0) throw new errors.InvalidGrant('the grant ended while the request was under way');
}

/** At the token endpoint the library ends a grant for one reason only: a code or refresh token came a second time. */
function reasonOfRequest(): RevocationReason {
  return Provider.ctx?.oidc.route === 'token' ? 'reuse' : 'revoked';
}
