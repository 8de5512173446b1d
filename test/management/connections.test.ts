// Upstream providers by the API: who may set what up, and what never comes back.
import { expect } from 'chai';
import { tenantIdOf } from '../support/administered.js';
import { twoServers } from '../support/second-server.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import type { Answer } from '../http/requests.js';
import { apiOf, roleSeed, type Api } from './api.js';

const wanted = { name: 'Corporate', issuer: 'https://login.example.com', clientId: 'us', clientSecret: 'b3tween-us' };

describe('connections by the management API', () => {
  let running: RunningApp;
  let admin: Api;
  let base: string;
  beforeEach(async () => {
    running = await startApp({ seed: roleSeed });
    admin = await apiOf(running, 'acme-admin');
    base = `/tenants/${await tenantIdOf(running, 'acme')}/connections`;
  });
  afterEach(closeApps);

  const create = (body: object, api = admin, path = base): Promise<Answer> => api.call('POST', path, { body });
  const pointersOf = ({ json }: Answer): unknown[] =>
    ((json['errors'] ?? []) as { pointer: string }[]).map(({ pointer }) => pointer);

  it('a secret goes in and never comes out, nor stands readable in the database', async () => {
    const made = await create(wanted);
    expect(made.status, made.text).to.equal(201);
    expect(made.json).to.include({ name: 'Corporate', protocol: 'oidc', authoritative: false, status: 'enabled' });
    const id = String(made.json['id']);
    expect(made.json['redirectUri']).to.equal(`${running.issuer}/connections/callback/${id}`);
    const path = `${base}/${id}`;
    const answers = [made, await admin.call('GET', path), await admin.call('GET', base)];
    answers.push(await admin.call('PATCH', path, { body: { clientSecret: 'an0ther-one', name: 'Renamed' } }));
    for (const { text } of answers) expect(text).not.to.match(/b3tween-us|an0ther-one/);
    const stored = JSON.stringify(await running.database.collection('connections').find({}).toArray());
    expect(stored).not.to.match(/b3tween-us|an0ther-one/);
  });

  it('with private_key_jwt the key is made here, and its public half is shown', async () => {
    const { clientSecret: _secret, ...rest } = wanted;
    const made = await create({ ...rest, authentication: 'private_key_jwt' });
    expect(made.status, made.text).to.equal(201);
    const { keys } = made.json['jwks'] as { keys: Record<string, unknown>[] };
    expect(keys).to.have.length(1);
    expect(keys[0]).to.include({ kty: 'EC', use: 'sig', alg: 'ES256' }).and.not.have.property('d');
    expect(pointersOf(await create({ ...wanted, authentication: 'private_key_jwt' }))).to.deep.equal(['/clientSecret']);
  });

  it('says how long a sign-in by it lasts, within what policies of sessions allow', async () => {
    const made = await create({ ...wanted, sessionSeconds: 900 });
    expect(made.json).to.include({ sessionSeconds: 900 });
    const path = `${base}/${String(made.json['id'])}`;
    expect((await admin.call('PATCH', path, { body: { name: 'Renamed' } })).json).to.include({ sessionSeconds: 900 });
    expect((await admin.call('PATCH', path, { body: { sessionSeconds: null } })).json).to.include({
      sessionSeconds: null,
    });
    for (const sessionSeconds of [299, 43_201, '900', 300.5])
      expect(pointersOf(await create({ ...wanted, sessionSeconds })), String(sessionSeconds)).to.deep.equal([
        '/sessionSeconds',
      ]);
  });

  it('which provider it is stays, and its secret is changed with its kind', async () => {
    const path = `${base}/${String((await create(wanted)).json['id'])}`;
    for (const [name, value] of Object.entries({
      issuer: 'https://evil.example.com',
      protocol: 'oauth2',
      tokenEndpoint: 'https://evil.example.com/token',
      claims: { subject: 'email' },
    })) {
      const answer = await admin.call('PATCH', path, { body: { [name]: value } });
      expect([answer.status, pointersOf(answer)[0]], name).to.deep.equal([
        ...[400, name === 'claims' ? '/claims/subject' : `/${name}`],
      ]);
    }
    const byKey = await admin.call('PATCH', path, { body: { authentication: 'private_key_jwt' } });
    expect(byKey.json['jwks']).not.to.equal(null);
    const bySecret = await admin.call('PATCH', path, { body: { authentication: 'client_secret_post' } });
    expect(pointersOf(bySecret)).to.deep.equal(['/clientSecret']);
  });

  it('sec-001 what a provider is believed about operators alone say, and change afterwards', async () => {
    expect((await create({ ...wanted, authoritative: true })).status).to.equal(403);
    const path = `${base}/${String((await create(wanted)).json['id'])}`;
    expect((await admin.call('PATCH', path, { body: { authoritative: true } })).status).to.equal(403);
    const operator = await apiOf(running, 'platform-owner');
    expect((await operator.call('PATCH', path, { body: { authoritative: true } })).status).to.equal(200);
    for (const body of [{ clientId: 'another' }, { makesAccounts: true }, { claims: { email: 'upn' } }])
      expect((await admin.call('PATCH', path, { body })).status, JSON.stringify(body)).to.equal(403);
    expect((await admin.call('PATCH', path, { body: { name: 'Another', status: 'disabled' } })).status).to.equal(200);
    expect((await admin.call('DELETE', path)).status).to.equal(403);
  });

  it('sec-072 a provider gives no roles that whoever sets it up could not give', async () => {
    const mapping = (role: string) => ({
      roleMapping: { claim: 'groups', values: [{ value: 'staff', role }], syncs: true },
    });
    expect((await create({ ...wanted, ...mapping('editor') })).status).to.equal(201);
    expect((await create({ ...wanted, ...mapping('owner') })).status).to.equal(400);
    expect((await create({ ...wanted, ...mapping('nothing') })).status).to.equal(400);
  });

  it('sec-018 what a person is called everywhere is not for the provider of a tenant to say', async () => {
    expect(pointersOf(await create({ ...wanted, syncsProfile: true }))).to.deep.equal(['/syncsProfile']);
    const path = `${base}/${String((await create(wanted)).json['id'])}`;
    const changed = await admin.call('PATCH', path, { body: { syncsProfile: true } });
    expect([changed.status, ...pointersOf(changed)]).to.deep.equal([400, '/syncsProfile']);
    const seeded = { ...wanted, key: 'seeded', tenant: 'acme', syncsProfile: true };
    const refusal = await running.app.seeding.applySeed({ connections: [seeded] }).then(
      () => 'none',
      (error: unknown) => String(error),
    );
    expect(refusal).to.contain('syncsProfile');
  });

  it('a tenant whose plan has none makes none, and a key is there once', async () => {
    const globex = `/tenants/${await tenantIdOf(running, 'globex')}/connections`;
    const refused = await create(wanted, await apiOf(running, 'globex-owner'), globex);
    expect([refused.status, refused.json['code']]).to.deep.equal([409, 'connection.not_in_plan']);
    expect((await create({ ...wanted, key: 'corporate' })).status).to.equal(201);
    const again = await create({ ...wanted, key: 'corporate' });
    expect([again.status, again.json['code']]).to.deep.equal([409, 'connection.key_taken']);
  });

  it('is seeded once, and a second time changes nothing', async () => {
    const connections = [{ ...wanted, key: 'seeded', tenant: 'acme', status: 'disabled' as const }];
    expect(await running.app.seeding.applySeed({ connections })).to.include({ created: 1 });
    expect(await running.app.seeding.applySeed({ connections })).to.include({ created: 0, updated: 0, unchanged: 1 });
    const changed = connections.map((connection) => ({ ...connection, clientSecret: 'another' }));
    expect(await running.app.seeding.applySeed({ connections: changed })).to.include({ updated: 1 });
  });

  it('has the id that a seed gives it, and keeps it; that of another one, of whichever tenant, is refused', async () => {
    const id = `con_${'1'.repeat(32)}`;
    const seeded = { ...wanted, key: 'seeded', tenant: 'acme', id };
    const seed = (...connections: (typeof seeded)[]): Promise<string> =>
      running.app.seeding.applySeed({ connections }).then(({ created }) => `${created} created`, String);
    expect(await seed(seeded, { ...seeded, key: 'other' })).to.contain('connections.1.id is there twice');
    expect(await seed(seeded)).to.equal('1 created');
    expect((await admin.call('GET', `${base}/${id}`)).json).to.include({ id, key: 'seeded' });
    expect(await seed(seeded)).to.equal('0 created');
    expect(await seed({ ...seeded, id: `con_${'2'.repeat(32)}` })).to.contain(`is another one than it has: ${id}`);
    expect(await seed({ ...seeded, key: 'other' })).to.contain('connections.0.id is that of another connection');
    await running.app.seeding.firstStart({
      email: 'op@example.com',
      password: 'the operator has this one',
      mfa: 'optional',
    });
    const { tenant: _acme, ...ofPlatform } = seeded;
    expect(await seed(ofPlatform as typeof seeded)).to.contain('is that of another connection');
    expect(await seed({ ...seeded, id: 'con_1' })).to.contain('must be con_ and 32 digits');
  });

  it('its end is the end of who people are by it', async () => {
    const { json } = await create(wanted);
    const path = `${base}/${String(json['id'])}`;
    const tenantId = await tenantIdOf(running, 'acme');
    const { id: userId } = await running.app.administration.getUserByEmail('ada@example.com');
    const identity = { tenantId, connectionId: String(json['id']), issuer: wanted.issuer, subject: 's', email: null };
    expect(await running.app.accounts.linkIdentity({ ...identity, userId })).to.equal('linked');
    expect((await admin.call('DELETE', path)).status).to.equal(204);
    expect(await running.database.collection('identities').countDocuments()).to.equal(0);
  });
});

describe('the test of a connection', function () {
  this.timeout(60_000);
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  afterEach(closeApps);

  async function checksOf(connection: object): Promise<Record<string, boolean>> {
    const { main, connectionId } = await twoServers({ seed: roleSeed, connection: { ...connection, tenant: 'acme' } });
    const owner = await apiOf(main, 'acme-owner');
    const path = `/tenants/${await tenantIdOf(main, 'acme')}/connections/${connectionId}/test`;
    const { json } = await owner.call('POST', path);
    const checks = json['checks'] as { check: string; passes: boolean }[];
    return Object.fromEntries(checks.map(({ check, passes }) => [check, passes]));
  }

  it('says of each step whether it works', async () => {
    expect(await checksOf({})).to.deep.equal({
      ...{ discovery: true, endpoints: true, id_token_algorithm: true, response_mode: true, pkce: true },
      credentials: true,
    });
  });

  it('tells a wrong secret', async () => {
    expect(await checksOf({ clientSecret: 'a wrong one' })).to.include({ discovery: true, credentials: false });
  });
});
