import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { mock } from 'node:test';
import * as client from 'openid-client';
import { browser } from '../support/browser.js';
import { ada, projectsApi } from '../support/contract-seed.js';
import { connect, startDevice, typeCode, type WaitingDevice } from '../support/device.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, kioskSecret, seedWithTwoTenants } from '../support/two-tenants.js';
import { dropCaches } from '../support/drop-caches.js';

const kiosk = ['kiosk', kioskSecret] as const;
const disabled = { $set: { status: 'disabled' } };
const suspended = { $set: { status: 'suspended' } };
const errorOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { error?: string }) => error.error ?? 'no code',
  );

describe('signing in on a device', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;

  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(async () => {
    mock.timers.reset();
    await closeApps();
  });

  const refresh = (device: WaitingDevice, token: string | undefined): Promise<client.TokenEndpointResponse> =>
    client.refreshTokenGrant(device.party.configuration, token ?? '');

  it('a standard client shows a code, waits, and has tokens of the tenant once the person has connected it', async () => {
    const device = await startDevice(issuer);
    expect(device.response).to.include({ verification_uri: `${issuer}/device`, expires_in: 600, interval: 5 });
    expect(device.response.user_code).to.match(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    const waiting = device.poll(); // five seconds apart, as the server says: pending the first time, or there already
    expect((await device.ask()).json['error']).to.equal('authorization_pending');

    const { page } = await connect(issuer, device);
    expect(page.html).to.contain('Your device is connected').and.contain('Acme Television').and.contain('Acme Inc');
    const tokens = await waiting;
    expect(tokens.claims()).to.include({ name: 'Ada Lovelace', tenant_slug: 'acme', acr: 'aal1' });
    const access = decodeJwt(tokens.access_token);
    expect(access).to.include({ aud: projectsApi, client_id: 'television', tenant_slug: 'acme', acr: 'aal1' });
    expect(access['amr']).to.deep.equal(['pwd']);
    expect(access['scope']).to.equal('openid profile tenant projects:read');

    const renewed = await refresh(device, tokens.refresh_token);
    expect(decodeJwt(renewed.access_token)).to.include({ tenant_slug: 'acme', aud: projectsApi });
    const info = await client.fetchUserInfo(device.party.configuration, renewed.access_token, access.sub ?? '');
    expect(info).to.include({ name: 'Ada Lovelace', tenant_slug: 'acme' });
    expect((await device.ask()).json['error'], 'the code is good once').to.equal('invalid_grant');
    expect(await errorOf(refresh(device, renewed.refresh_token)), 'and ends what it gave').to.equal('invalid_grant');
  });

  it('a person with several tenants picks one, or the device has asked for one', async () => {
    const free = await startDevice(issuer);
    const { browser: visitor, page } = await connect(issuer, free, consultant);
    const connected = await visitor.submit(page, { tenant: 'globex' });
    expect(connected.html).to.contain('Your device is connected').and.contain('Globex');
    expect((await free.poll(0.01)).claims()).to.include({ tenant_slug: 'globex' });

    const bound = await startDevice(issuer, { tenant: 'acme' });
    const confirm = await typeCode(visitor, bound.response.user_code);
    expect(confirm.html, 'who is signed in is shown').to.contain(consultant.email);
    expect((await visitor.submit(confirm, { confirm: 'yes' })).html).to.contain('Your device is connected');
    expect((await bound.poll(0.01)).claims()).to.include({ tenant_slug: 'acme' });
  });

  it('foreign, unknown and suspended tenants are refused in the same words, to person and device', async () => {
    await running.database.collection('tenants').updateOne({ slugs: 'globex' }, { $set: { status: 'suspended' } });
    await dropCaches(running);
    await running.app.seeding.applySeed({ tenants: [{ slug: 'initech', name: 'Initech', type: 'team' }] });
    const answers = new Set<string>();
    for (const tenant of ['globex', 'initech', 'nobody', `ten_${'0'.repeat(32)}`]) {
      const device = await startDevice(issuer, { tenant });
      const { page } = await connect(issuer, device, consultant);
      expect(page.html).to.contain('The device was not connected').and.contain('unknown or not open');
      answers.add(JSON.stringify([await device.ask(), page.html.replace(page.headers.get('x-request-id') ?? '', '')]));
    }
    expect([...answers]).to.have.length(1);
    expect([...answers][0]).to.contain('access_denied');
  });

  it('a client of others is allowed in so many words first, and asks no second time', async () => {
    const device = await startDevice(issuer, { scope: 'openid email projects:read' }, kiosk);
    const { browser: visitor, page } = await connect(issuer, device);
    expect(page.html).to.contain('Kiosk').and.contain('projects:read').and.contain('id="consent-accept"');
    expect((await device.ask()).json['error']).to.equal('authorization_pending');
    expect((await visitor.submit(page, { decision: 'accept' })).html).to.contain('Your device is connected');
    const tokens = await device.poll(0.01);
    expect(decodeJwt(tokens.access_token)['scope']).to.equal('openid email projects:read');

    const again = await startDevice(issuer, { scope: 'openid email projects:read' }, kiosk);
    expect((await connect(issuer, again)).page.html).to.contain('Your device is connected');
  });

  it('whoever turns it down, cancels the sign-in or does not agree has denied it', async () => {
    const asked = await startDevice(issuer);
    const visitor = browser(issuer);
    const confirm = await typeCode(visitor, asked.response.user_code);
    expect((await visitor.submit(confirm, { abort: 'yes' })).html).to.contain('You turned it down');

    const cancelled = await startDevice(issuer);
    const login = await visitor.submit(await typeCode(visitor, cancelled.response.user_code), { confirm: 'yes' });
    expect((await visitor.submit(login, { cancel: 'yes' })).html).to.contain('You turned it down');

    const refused = await startDevice(issuer, {}, kiosk);
    const { browser: other, page } = await connect(issuer, refused);
    expect((await other.submit(page, { decision: 'deny' })).html).to.contain('You turned it down');

    for (const device of [asked, cancelled, refused]) {
      expect(await errorOf(device.poll(0.01))).to.equal('access_denied');
      expect((await device.ask()).json['error'], 'once is enough').to.equal('invalid_grant');
    }
    const events = await running.database.collection('events').find({ type: 'device.denied' }).toArray();
    expect(events.map(({ subjectId }) => subjectId as unknown)).to.deep.equal(['television', 'television', 'kiosk']);
  });

  for (const [what, change] of [
    ['a disabled user', ({ database }: RunningApp) => database.collection('users').updateMany({}, disabled)],
    ['a removed membership', ({ database }: RunningApp) => database.collection('memberships').deleteMany({})],
    ['a suspended tenant', ({ database }: RunningApp) => database.collection('tenants').updateMany({}, suspended)],
  ] as const) {
    it(`sec-046 ${what} between connection and redemption: no tokens`, async () => {
      const device = await startDevice(issuer, { scope: 'openid offline_access' });
      expect((await connect(issuer, device)).page.html).to.contain('Your device is connected');
      await change(running);
      await dropCaches(running);
      expect((await device.ask()).json).to.include({ error: 'invalid_grant' });
    });
  }

  it('sec-046 a narrower role between connection and redemption shows in the tokens', async () => {
    const device = await startDevice(issuer, { scope: 'openid projects:read projects:write' });
    await connect(issuer, device);
    await running.database.collection('memberships').updateMany({}, { $set: { roles: ['viewer'] } });
    await dropCaches(running);
    const tokens = await device.poll(0.01);
    expect(decodeJwt(tokens.access_token)).to.include({ scope: 'openid projects:read' });
  });

  it('sec-032 without offline access the device ends with the session that connected it; with it stays', async () => {
    const visitor = browser(issuer);
    const bound = await startDevice(issuer, { scope: 'openid' });
    await connect(issuer, bound, ada, visitor);
    const tokens = await bound.poll(0.01);
    const lasting = await startDevice(issuer, { scope: 'openid offline_access' });
    const question = await typeCode(visitor, lasting.response.user_code);
    expect(question.html).to.contain('stays signed in after you sign out');
    await visitor.submit(question, { confirm: 'yes' });
    const late = await startDevice(issuer, { scope: 'openid' });
    await visitor.submit(await typeCode(visitor, late.response.user_code), { confirm: 'yes' });

    await visitor.submit(await visitor.get('/oauth2/logout'), { logout: 'yes' });
    expect(await errorOf(refresh(bound, tokens.refresh_token))).to.equal('invalid_grant');
    expect((await late.ask()).json['error'], 'connected, not yet redeemed').to.equal('invalid_grant');
    const kept = await lasting.poll(0.01);
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 13 * 3600 * 1000 });
    const renewed = await refresh(lasting, kept.refresh_token);
    expect(renewed).to.have.property('refresh_token');
  });

  it('a sender-constrained device gets tokens for its key', async () => {
    const device = await startDevice(issuer);
    await connect(issuer, device);
    const { configuration } = device.party;
    const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'));
    const response = { ...device.response, interval: 0.01 };
    const tokens = await client.pollDeviceAuthorizationGrant(configuration, response, undefined, { DPoP });
    expect(decodeJwt(tokens.access_token)['cnf']).to.have.property('jkt');
  });

  it('sec-077 neither code nor where the device is stands readable in the database or the log', async () => {
    const waiting = await startDevice(issuer);
    await typeCode(browser(issuer), waiting.response.user_code);
    const connected = await startDevice(issuer);
    await connect(issuer, connected);
    const stored = JSON.stringify(await running.database.collection('oidc_device_codes').find({}).toArray());
    const events = await running.database.collection('events').find({}).toArray();
    expect(events.filter(({ type }) => type === 'device.approved')).to.have.length(1);
    const written = stored + JSON.stringify(events) + running.logLines.join('');
    expect(stored).to.contain('claimedBy');
    for (const { device_code, user_code } of [waiting.response, connected.response]) {
      for (const secret of [device_code, user_code, user_code.replace('-', ''), '127.0.0.1', 'openid-client/']) {
        expect(written.includes(secret), secret).to.equal(false);
      }
    }
  });
});
