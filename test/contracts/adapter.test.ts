import { expect } from 'chai';
import { createExpiringMap } from '../../src/platform/cache/expiring.js';
import { randomBytes } from 'node:crypto';
import { errors, type Adapter } from 'oidc-provider';
import { createAdapterFactory, ensureProtocolIndexes } from '../../src/oidc/adapter/index.js';
import { revokedTokens } from '../../src/oidc/adapter/revoked-tokens.js';
import { createEndings } from '../../src/oidc/adapter/endings.js';
import { storageRules } from '../../src/oidc/adapter/storage-rules.js';
import { keyedHash } from '../../src/platform/crypto/keyed-hash.js';
import { openSealing } from '../../src/platform/crypto/sealing.js';
import { browserIds } from '../../src/platform/http/browser-id.js';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';
import { inTransactionOf } from '../../src/platform/mongo/transactions.js';
import type { User } from '../../src/users/index.js';
import { freshDatabaseUri } from '../support/database.js';

const inAnHour = Math.floor(Date.now() / 1000) + 3600;
const models = Object.keys(storageRules);
const consumable = models.filter((model) => storageRules[model]?.consumedBy !== undefined);

describe('the adapter of the OIDC library', () => {
  let database: Database;
  let adapterOf: (model: string) => Adapter;
  let now: Date;
  const events: string[] = [];

  beforeEach(async () => {
    database = await openDatabase(await freshDatabaseUri());
    now = new Date();
    events.length = 0;
    await ensureProtocolIndexes(database);
    const base = {
      database,
      inTransaction: inTransactionOf(database),
      recordEvent: async (_tx: unknown, { type }: { type: string }) => void events.push(type),
      now: () => now,
    };
    const factory = createAdapterFactory({
      ...base,
      hash: keyedHash(randomBytes(32), 'test'),
      sealing: await openSealing([{ kid: 'one', bytes: randomBytes(32) }]),
      endings: createEndings({
        ...base,
        queueLogouts: async () => undefined,
        remains: [],
      }),
      clients: {} as Adapter,
      recentReads: createExpiringMap(2),
      revoked: revokedTokens({ database, cacheSeconds: 2 }),
      devicePollSeconds: 5,
      ...{
        findIdentity: async () => null,
        findConnection: async () => null,
        findDomain: async () => null,
        isWayIn: () => true,
      },
      confirmSignIn: async () => ({ user: {} as User, isFirst: true }),
      ...{ issuer: 'https://id.example.com', queueMail: async () => undefined },
      verifyAccessToken: async () => null,
      browserIds: browserIds({ https: false }),
    });
    adapterOf = (model) => factory(model);
  });
  afterEach(() => database.close());

  const payloadOf = (model: string, id: string): Record<string, unknown> => ({
    kind: model,
    jti: id,
    exp: inAnHour,
    accountId: 'usr_1',
    clientId: 'web',
    grantId: 'grant-1',
    ...(model === 'Session' ? { uid: 'uid-1' } : {}),
    ...(model === 'Grant' ? { tenantId: 'ten_1', sessionUid: 'uid-1', offline: false } : {}),
    resources: { 'https://api.example.com/a.b': 'x' },
  });

  async function dump(): Promise<string> {
    const collections = await Promise.all(
      Object.values(storageRules).map(({ collection }) => database.collection(collection).find({}).toArray()),
    );
    return JSON.stringify(collections);
  }

  it('keeps a rule for every model but Client and ReplayDetection', () => {
    expect(models).to.have.length(13);
  });

  for (const model of models) {
    it(`${model}: comes back as it was saved, and what is a credential is not stored readable`, async () => {
      const id = `credential-${randomBytes(16).toString('hex')}`;
      const adapter = adapterOf(model);
      await adapter.upsert(id, payloadOf(model, id), 3600);
      expect(await adapter.find(id)).to.deep.equal(payloadOf(model, id));
      expect(await adapter.find(`${id}x`)).to.equal(undefined);
      if (model !== 'Grant') expect((await dump()).includes(id)).to.equal(false);
    });

    it(`${model}: is gone after its end, whatever the TTL monitor does`, async () => {
      const adapter = adapterOf(model);
      await adapter.upsert('id', payloadOf(model, 'id'), 10);
      now = new Date(now.getTime() + 71_000);
      expect(await adapter.find('id')).to.equal(undefined);
    });
  }

  for (const model of consumable) {
    it(`sec-054 sec-055 ${model}: of 20 parallel uses one wins, and the loser ends the grant`, async () => {
      await adapterOf('Grant').upsert('grant-1', payloadOf('Grant', 'grant-1'), 3600);
      const adapter = adapterOf(model);
      await adapter.upsert('id', payloadOf(model, 'id'), 60);
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => adapter.consume('id')));
      expect(results.filter((result) => result.status === 'fulfilled')).to.have.length(1);
      const refused = results
        .filter((result) => result.status === 'rejected')
        .map((result) => result.reason as unknown);
      const expected = model === 'PushedAuthorizationRequest' ? errors.InvalidRequestUri : errors.InvalidGrant;
      expect(refused.every((error) => error instanceof expected)).to.equal(true);
      const grant = await adapterOf('Grant').find('grant-1');
      expect(grant === undefined).to.equal(model !== 'PushedAuthorizationRequest');
      expect((await adapter.find('id'))?.consumed).to.be.a('number');
    });
  }

  it('sec-061 ReplayDetection: of 20 parallel proofs with one id one is taken', async () => {
    const adapter = adapterOf('ReplayDetection');
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => adapter.upsert('jti', { kind: 'ReplayDetection', jti: 'jti', iss: 'web' }, 60)),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).to.have.length(1);
  });

  it('Interaction: of 20 parallel ends one wins, and nothing brings it back', async () => {
    const adapter = adapterOf('Interaction');
    await adapter.upsert('id', payloadOf('Interaction', 'id'), 60);
    const ends = await Promise.allSettled(Array.from({ length: 20 }, () => adapter.destroy('id')));
    expect(ends.filter((end) => end.status === 'fulfilled')).to.have.length(1);
    const revival = await Promise.allSettled([adapter.upsert('id', payloadOf('Interaction', 'id'), 60)]);
    expect(revival[0]?.status).to.equal('rejected');
    expect(await adapter.find('id')).to.equal(undefined);
  });

  it('Session: a new identifier takes the place of the old one in one write', async () => {
    const adapter = adapterOf('Session');
    await adapter.upsert('old', { ...payloadOf('Session', 'old'), uid: 'uid-1' }, 60);
    await adapter.upsert('new', { ...payloadOf('Session', 'new'), uid: 'uid-1' }, 60);
    expect(await adapter.find('old')).to.equal(undefined);
    expect(await adapter.find('new')).to.include({ uid: 'uid-1', jti: 'new' });
    expect(await adapter.findByUid('uid-1')).to.include({ accountId: 'usr_1' });
  });

  it('sec-032 Session: its end takes its grants along, but not those for offline access, and is final', async () => {
    const session = adapterOf('Session');
    const grant = adapterOf('Grant');
    await session.upsert('id', { ...payloadOf('Session', 'id'), uid: 'uid-1' }, 60);
    await grant.upsert('online', payloadOf('Grant', 'online'), 3600);
    await grant.upsert('offline', { ...payloadOf('Grant', 'offline'), offline: true }, 3600);
    await grant.upsert('other', { ...payloadOf('Grant', 'other'), sessionUid: 'uid-2' }, 3600);
    await session.destroy('id');
    expect(await session.find('id')).to.equal(undefined);
    expect(await grant.find('online')).to.equal(undefined);
    expect(await grant.find('offline')).to.include({ offline: true });
    expect(await grant.find('other')).to.include({ sessionUid: 'uid-2' });
    expect(events.filter((type) => type !== 'grant.created')).to.deep.equal(['grant.revoked', 'session.ended']);
    expect(events.filter((type) => type === 'grant.created')).to.have.length(3);
    const revivals = await Promise.allSettled([
      session.upsert('id', { ...payloadOf('Session', 'id'), uid: 'uid-1' }, 60),
      grant.upsert('online', payloadOf('Grant', 'online'), 60),
    ]);
    expect(revivals.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
  });

  it('sec-032 Grant: none is made in a session that has ended, also at the same moment', async () => {
    const session = adapterOf('Session');
    const grant = adapterOf('Grant');
    for (let round = 0; round < 10; round++) {
      const uid = `uid-${round}`;
      await session.upsert(`id-${round}`, { ...payloadOf('Session', `id-${round}`), uid }, 60);
      const [made] = await Promise.allSettled([
        grant.upsert(`grant-${round}`, { ...payloadOf('Grant', `grant-${round}`), sessionUid: uid }, 3600),
        session.destroy(`id-${round}`),
      ]);
      expect(await grant.find(`grant-${round}`), made.status).to.equal(undefined);
    }
    const late = await Promise.allSettled([
      grant.upsert('late', { ...payloadOf('Grant', 'late'), sessionUid: 'uid-0' }, 3600),
    ]);
    expect(late[0]?.status).to.equal('rejected');
  });

  it('DeviceCode: is found by its user code, with its own identifier', async () => {
    const adapter = adapterOf('DeviceCode');
    await adapter.upsert('device', { ...payloadOf('DeviceCode', 'device'), userCode: 'ABCDEFGH' }, 60);
    expect(await adapter.findByUserCode('ABCDEFGH')).to.include({ jti: 'device', userCode: 'ABCDEFGH' });
    expect(await adapter.findByUserCode('ABCDEFGX')).to.equal(undefined);
    expect(await dump()).not.to.contain('ABCDEFGH');
  });

  it('DeviceCode: of parallel decisions one stands, and no later write undoes it or its use', async () => {
    const adapter = adapterOf('DeviceCode');
    const pending = { kind: 'DeviceCode', jti: 'id', exp: inAnHour, clientId: 'web', userCode: 'ABCDEFGH' };
    const approved = { ...pending, accountId: 'usr_1', grantId: 'grant-1' };
    const denied = { ...pending, error: 'access_denied' };
    await adapter.upsert('id', pending, 60);
    await adapter.upsert('id', { ...pending, error: 'server_error' }, 60);
    expect(await adapter.find('id'), 'a mishap on the way is no decision').to.deep.equal(pending);
    const writes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => adapter.upsert('id', index % 2 === 0 ? approved : denied, 60)),
    );
    expect(writes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect(events).to.have.length(1);
    const decided = await adapter.find('id');
    expect(decided).to.deep.equal(events[0] === 'device.approved' ? approved : denied);

    await adapter.consume('id');
    const late = [approved, denied, { ...pending, inFlight: true }].map((payload) => adapter.upsert('id', payload, 60));
    expect((await Promise.allSettled(late)).map(({ status }) => status)).to.deep.equal(Array(3).fill('rejected'));
    const used = await adapter.find('id');
    expect(used?.consumed).to.be.a('number');
    expect({ ...used, consumed: undefined }).to.deep.equal({ ...decided, consumed: undefined });
  });

  it('a sealed row that is moved to another place does not open there', async () => {
    const adapter = adapterOf('Interaction');
    await adapter.upsert('mine', payloadOf('Interaction', 'mine'), 60);
    await adapter.upsert('theirs', payloadOf('Interaction', 'theirs'), 60);
    const rows = await database.collection('oidc_interactions').find({}).toArray();
    await database
      .collection('oidc_interactions')
      .updateOne({ payload: rows[0]?.['payload'] as string }, { $set: { payload: rows[1]?.['payload'] as string } });
    const results = await Promise.allSettled([adapter.find('mine'), adapter.find('theirs')]);
    expect(results.filter((result) => result.status === 'rejected')).to.have.length(1);
  });

  it('an unreachable database is a 503, never a false success', async () => {
    await database.close();
    const attempts = await Promise.allSettled([
      adapterOf('RefreshToken').destroy('id'),
      adapterOf('AccessToken').find('id'),
      adapterOf('Session').destroy('id'),
    ]);
    for (const attempt of attempts) {
      const error = attempt.status === 'rejected' ? (attempt.reason as errors.OIDCProviderError) : undefined;
      expect(error).to.be.instanceOf(errors.TemporarilyUnavailable);
      expect(error?.status).to.equal(503);
    }
  });
});
