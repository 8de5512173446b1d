import type { Adapter, AdapterFactory } from 'oidc-provider';
import { ensureOneTimeIndexes } from '../../platform/mongo/one-time-records.js';
import type { Database } from '../../platform/mongo/open-database.js';
import { translated } from '../oauth-errors.js';
import { deviceCodeAdapter } from './device-code-adapter.js';
import type { Endings } from './endings.js';
import { grantAdapter } from './grant-adapter.js';
import { resumedWhereSignedIn, type BrowserBindingDeps } from './browser-binding.js';
import { withJwtAccessTokens, type JwtAccessTokenDeps } from './jwt-access-tokens.js';
import type { ProtocolRecordDeps } from './protocol-records.js';
import { foundByItsClient } from './pushed-requests.js';
import { readRecently, type RecentReads } from './recent-reads.js';
import { recordAdapter } from './record-adapter.js';
import { replayAdapter, replayCollection } from './replay-adapter.js';
import { revokedCollection } from './revoked-tokens.js';
import { sessionAdapter, type SessionAdapterDeps } from './session-adapter.js';
import { storageRules } from './storage-rules.js';

export interface AdapterDeps
  extends
    ProtocolRecordDeps,
    JwtAccessTokenDeps,
    BrowserBindingDeps,
    Pick<
      SessionAdapterDeps,
      'confirmSignIn' | 'findIdentity' | 'findConnection' | 'findDomain' | 'isWayIn' | 'issuer' | 'queueMail'
    > {
  endings: Endings;
  clients: Adapter;
  recentReads: RecentReads;
  devicePollSeconds: number;
}

/** The library's storage: one adapter for each of its 15 models. */
export function createAdapterFactory(deps: AdapterDeps): AdapterFactory {
  const { endings } = deps;
  const common = { ...deps, revokeGrant: endings.revokeGrant, endSession: endings.endSession };

  function build(model: string): Adapter {
    if (model === 'Client') return deps.clients;
    if (model === 'ReplayDetection') return replayAdapter(common);
    const rule = storageRules[model];
    if (!rule) throw new Error(`no storage rule for the model ${model}`);
    if (model === 'Session') return sessionAdapter(common);
    if (model === 'Grant') return readRecently(model, grantAdapter(common), deps.recentReads);
    if (model === 'DeviceCode') return deviceCodeAdapter({ ...common, findGrant: grantAdapter(common).find });
    const stored = recordAdapter(model, rule, common);
    if (model === 'AccessToken' || model === 'ClientCredentials')
      return readRecently(model, withJwtAccessTokens(model, stored, common), deps.recentReads);
    if (model === 'Interaction') return resumedWhereSignedIn(stored, common);
    if (model === 'PushedAuthorizationRequest') return foundByItsClient(stored);
    return stored;
  }

  return (model) => withTranslatedErrors(build(model));
}

function withTranslatedErrors(adapter: Adapter): Adapter {
  return {
    upsert: translated(async (...args) => adapter.upsert(...args)),
    find: translated(async (...args) => adapter.find(...args)),
    findByUid: translated(async (...args) => adapter.findByUid(...args)),
    findByUserCode: translated(async (...args) => adapter.findByUserCode(...args)),
    consume: translated(async (...args) => adapter.consume(...args)),
    destroy: translated(async (...args) => adapter.destroy(...args)),
    revokeByGrantId: translated(async (...args) => adapter.revokeByGrantId(...args)),
  };
}

/** Indexes of all protocol records; made once at start. */
export async function ensureProtocolIndexes(database: Database): Promise<void> {
  for (const rule of Object.values(storageRules)) {
    const collection = database.collection(rule.collection);
    await collection.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
  }
  await ensureOneTimeIndexes(database, replayCollection);
  const unique = { unique: true, sparse: true } as const;
  await database.collection('oidc_sessions').createIndex({ idHash: 1 }, unique);
  await database.collection('oidc_sessions').createIndex({ formerIdHash: 1 }, { sparse: true });
  await database.collection('oidc_sessions').createIndex({ accountId: 1 });
  for (const upstream of ['oidc_sessions', 'oidc_grants'])
    for (const by of ['connectionId', 'domainId'])
      await database.collection(upstream).createIndex({ [by]: 1 }, { sparse: true });
  await database.collection('oidc_device_codes').createIndex({ userCodeHash: 1 }, unique);
  await database.collection('oidc_grants').createIndex({ sessionUid: 1, accountId: 1, clientId: 1, tenantId: 1 });
  await database.collection('oidc_grants').createIndex({ accountId: 1 });
  await database.collection('oidc_grants').createIndex({ tenantId: 1, accountId: 1 });
  await database.collection('oidc_grants').createIndex({ clientId: 1 });
  await database.collection('oidc_grants').createIndex({ exchangedFrom: 1 }, { sparse: true });
  await database.collection(revokedCollection).createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
  await database.collection(revokedCollection).createIndex({ revokedAt: 1 });
}
