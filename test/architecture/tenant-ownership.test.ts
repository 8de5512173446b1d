// Every collection belongs to tenants, through the plugin and with an index that leads to them, or stands here with why not.
import { expect } from 'chai';
import { Schema } from 'mongoose';
import { tenantOwned } from '../../src/platform/mongo/tenant-owned.js';
import { totpCode } from '../../src/credentials/totp.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { pngOf } from '../support/pictures.js';
import { factorsOf } from '../support/factors-of.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';

const byId = 'a protocol record, found by an identifier that nobody can guess and used by its own client alone';
const never = 'nothing is stored here: the library has the model, and the feature is off';

const ofNoTenant: Readonly<Record<string, string>> = {
  tenants: 'the tenants themselves',
  users: 'a person is one record across all tenants; memberships say where they belong',
  passwords: 'of a person, found by the id of the user',
  factors: 'of a person, found by the id of the user or by that of a passkey, which is of one person alone',
  recovery_codes: 'of a person, found by the id of the user',
  email_codes: 'of a person, found by the id of the user',
  used_challenges: 'keyed hashes of challenges that were used, found by themselves',
  sign_in_attempts: 'of a person or of an address that nobody has, counted across all tenants',
  action_links: 'of a person, or of an address that nobody has yet, found by the keyed hash of a token',
  action_mail_counts: 'of an address, counted whoever has it, and kept for an hour',
  clients: 'the protocol names a client before any tenant is known; its tenantId bounds what it may do then',
  resources: 'APIs are of the platform, for all tenants alike',
  templates: 'presets of the platform, from which tenants are stamped',
  logos: 'a picture under the digest of its bytes, kept once for all who show it; nothing says whose it is',
  events:
    'only ever written, also for the platform, which is no tenant; an index leads to the tenant for who will read',
  logout_outbox: 'what one app is told of a session, sealed, until it is sent; found by when it is due',
  mail_outbox: 'what goes to one address, sealed, until it is sent; found by when it is due',
  revisions: 'one counter a tenant, found by the id of the tenant, and one for the platform',
  idempotency_keys: 'found by a keyed hash of tenant, operation, caller and key; kept for a day',
  connection_transactions: 'found by a keyed hash of a state, in one browser, for one sign-in, for ten minutes',
  management_proofs: 'keyed hashes of proofs that were used, found by themselves',
  data_keys: 'keys of the installation',
  signing_keys: 'keys of the installation',
  oidc_grants: 'found by id, or by person, client, tenant and session together',
  oidc_sessions: 'a browser is signed in before a tenant is chosen',
  oidc_interactions: byId,
  oidc_authorization_codes: byId,
  oidc_access_tokens: byId,
  oidc_refresh_tokens: byId,
  oidc_client_credentials: byId,
  oidc_device_codes: byId,
  oidc_pushed_requests: byId,
  oidc_replay_detections: 'keyed hashes of what was seen once, found by themselves',
  oidc_revoked_jwts: 'ids of tokens that were revoked, found by themselves',
  oidc_backchannel_requests: never,
  oidc_pre_authorized_codes: never,
  oidc_initial_access_tokens: never,
  oidc_registration_access_tokens: never,
};

function isOwned(schema: Schema): boolean {
  const { plugins } = schema as unknown as { plugins: { fn: unknown }[] };
  return plugins.some(({ fn }) => fn === tenantOwned);
}

/** With more behind it: the tenant alone would be read whole. */
function isLedByTenant(fields: object): boolean {
  const names = Object.keys(fields);
  return names[0] === 'tenantId' && names.length > 1;
}

describe('sec-012 every collection', () => {
  let running: RunningApp;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    // collections of recovery codes and of logos come with the first of them
    const now = (): Date => new Date();
    const factors = await factorsOf(running, now);
    const user = await running.app.administration.getUserByEmail(ada.email);
    const fresh = { provenAt: now(), level: 'aal2', amr: ['pwd', 'otp'] };
    const { factorId, secret } = await factors.beginTotp(user, fresh);
    await factors.confirmTotp(user, fresh, { factorId, code: totpCode(secret, now()) });
    const { slug = '', name = '', type = 'team' } = contractSeed.tenants?.[0] ?? {};
    const logo = { data: pngOf(8, 8).toString('base64'), alt: 'Acme' };
    await running.app.seeding.applySeed({ tenants: [{ slug, name, type, plan: 'enterprise', branding: { logo } }] });
  });
  afterEach(closeApps);

  /** What is wrong with who owns what, one sentence each. */
  async function complaints(): Promise<string[]> {
    const { connection } = running.database;
    const models = Object.values(connection.models);
    const owned = new Map(
      models.filter(({ schema }) => isOwned(schema)).map((model) => [model.collection.name, model]),
    );
    const held = await connection.getClient().db(connection.name).listCollections().toArray();
    const names = new Set([...held.map(({ name }) => name), ...models.map((model) => model.collection.name)]);
    const found: string[] = [];
    for (const name of names) {
      if (owned.has(name) === name in ofNoTenant) found.push(`${name} is of tenants, or of none with a reason`);
    }
    for (const name of Object.keys(ofNoTenant)) if (!names.has(name)) found.push(`${name} is not there`);
    for (const [name, { schema }] of owned) {
      const made = await running.database.collection(name).listIndexes().toArray();
      const declared = schema.indexes().map(([fields]) => fields);
      if (!declared.some(isLedByTenant)) found.push(`${name} declares no compound index led by its tenant`);
      if (!made.some(({ key }) => isLedByTenant(key as object))) found.push(`${name} has no index led by its tenant`);
    }
    return found;
  }

  it('is of tenants, with an index that leads to them, or says why it is not', async () => {
    expect(await complaints()).to.deep.equal([]);
    expect(Object.values(ofNoTenant).filter((reason) => reason.split(' ').length < 3)).to.deep.equal([]);
  });

  it('and a new one that is neither is found', async () => {
    const { connection } = running.database;
    connection.model('Bare', new Schema({}, { collection: 'bare' }));
    const slow = new Schema({}, { collection: 'slow' }).plugin(tenantOwned).index({ tenantId: 1 });
    await connection.model('Slow', slow).createIndexes();
    await running.database.collection('raw').insertOne({ tenantId: 'ten_1' });
    expect(await complaints()).to.have.members([
      'bare is of tenants, or of none with a reason',
      'raw is of tenants, or of none with a reason',
      'slow declares no compound index led by its tenant',
      'slow has no index led by its tenant',
    ]);
  });
});
