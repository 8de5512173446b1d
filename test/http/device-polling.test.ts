import { expect } from 'chai';
import { mock } from 'node:test';
import { webSecret } from '../support/contract-seed.js';
import { connect, deviceGrant, startDevice, type WaitingDevice } from '../support/device.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { kioskSecret, seedWithTwoTenants } from '../support/two-tenants.js';
import { expectOAuthError, post, send } from './requests.js';

const kiosk = ['kiosk', kioskSecret] as const;

describe('the endpoints of a device', () => {
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

  const askFor = (members: Record<string, string>, credentials?: readonly [string, string]): ReturnType<typeof send> =>
    post(issuer, 'device_authorization', members, credentials);
  const errorOf = async (device: WaitingDevice): Promise<unknown> => {
    const { status, json } = await device.ask();
    expect(status, JSON.stringify(json)).to.equal(400);
    return json['error'];
  };
  const pass = (seconds: number): void => mock.timers.tick(seconds * 1000);

  it('discovery tells where to begin and that codes can be redeemed', async () => {
    const { json } = await send(`${issuer}/.well-known/openid-configuration`);
    expect(json['device_authorization_endpoint']).to.equal(`${issuer}/oauth2/device_authorization`);
    expect(json['grant_types_supported']).to.include(deviceGrant);
  });

  it('the grant is off for a client that does not name it, at both endpoints', async () => {
    const web = ['web', webSecret] as const;
    expectOAuthError(await askFor({ scope: 'openid' }, web), 400, 'invalid_request');
    const { response } = await startDevice(issuer);
    const redeem = { grant_type: deviceGrant, device_code: response.device_code };
    expectOAuthError(await post(issuer, 'token', redeem, web), 400, 'invalid_request');
  });

  it('a client authenticates, and asks for what it may have in a tenant that can be one', async () => {
    expectOAuthError(await askFor({ client_id: 'kiosk' }), 401, 'invalid_client');
    expectOAuthError(await askFor({}, ['kiosk', webSecret]), 401, 'invalid_client');
    expectOAuthError(await askFor({ client_id: 'nobody' }), 401, 'invalid_client');
    for (const tenant of ['Not A Slug', '{"$ne":null}', '../acme']) {
      expectOAuthError(await askFor({ tenant }, kiosk), 400, 'invalid_request', tenant);
    }
    expectOAuthError(await askFor({ resource: 'https://api.example.com/other' }, kiosk), 400, 'invalid_target');
  });

  it('a client that cannot do PKCE needs no nonce here', async () => {
    const clients = (seedWithTwoTenants.clients ?? []).filter(({ client_id: id }) => id === 'kiosk');
    await running.app.seeding.applySeed({ clients: clients.map((one) => ({ ...one, requirePkce: false })) });
    expect((await askFor({ scope: 'openid' }, kiosk)).status).to.equal(200);
  });

  it('a poll before its time is told to slow down, and has to wait five seconds longer each time', async () => {
    mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const device = await startDevice(issuer);
    expect(await errorOf(device)).to.equal('authorization_pending');
    pass(4.9);
    expect(await errorOf(device)).to.equal('slow_down'); // in ten seconds from here
    pass(9.9);
    expect(await errorOf(device)).to.equal('slow_down'); // in fifteen
    pass(15);
    expect(await errorOf(device)).to.equal('authorization_pending');
    pass(14.9);
    expect(await errorOf(device)).to.equal('slow_down');
  });

  it('of polls at the same moment one is told that it is pending', async () => {
    for (let round = 0; round < 10; round++) {
      const device = await startDevice(issuer);
      const answers = await Promise.all(Array.from({ length: 10 }, () => errorOf(device)));
      expect(answers.filter((error) => error === 'authorization_pending')).to.have.length(1);
      expect(answers.filter((error) => error === 'slow_down')).to.have.length(9);
    }
  });

  it('a hasty device has its tokens as soon as the person has connected it', async () => {
    const device = await startDevice(issuer);
    for (let polls = 0; polls < 4; polls++) await device.ask();
    await connect(issuer, device);
    expect((await device.ask()).status).to.equal(200);
  });

  it('an expired code says so, whether or not it was connected', async () => {
    mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const [connected, waiting] = [await startDevice(issuer), await startDevice(issuer)];
    await connect(issuer, connected);
    pass(599);
    expect(await errorOf(waiting)).to.equal('authorization_pending');
    pass(2);
    expect(await errorOf(waiting)).to.equal('expired_token');
    expect(await errorOf(connected)).to.equal('expired_token');
  });

  it('sec-057 another client cannot use the code, nor make its device slow down', async () => {
    const device = await startDevice(issuer);
    const theft = { grant_type: deviceGrant, device_code: device.response.device_code };
    const steal = (): ReturnType<typeof post> => post(issuer, 'token', theft, kiosk);
    expectOAuthError(await steal(), 400, 'invalid_grant');
    expectOAuthError(await steal(), 400, 'invalid_grant');
    expect(await errorOf(device)).to.equal('authorization_pending');
    await connect(issuer, device);
    expectOAuthError(await steal(), 400, 'invalid_grant');
    expect((await device.ask()).status).to.equal(200);
  });

  it('sec-054 of fifty redemptions at once one wins, and what it gave is of no use afterwards', async () => {
    const device = await startDevice(issuer, { scope: 'openid offline_access' });
    await connect(issuer, device);
    const answers = await Promise.all(Array.from({ length: 50 }, () => device.ask()));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).to.have.length(1);
    const lost = answers.filter(({ status, json }) => status === 400 && json['error'] === 'invalid_grant');
    expect(lost).to.have.length(49);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(won[0]?.json['refresh_token']) };
    expectOAuthError(
      await post(issuer, 'token', { ...refresh, client_id: 'television' }),
      400,
      'invalid_grant',
      'the family is dead',
    );
  });

  it('codes that are no codes are refused as unknown ones', async () => {
    for (const code of ['x', '{"$ne":null}', '__proto__', 'x'.repeat(2000)]) {
      const members = { grant_type: deviceGrant, device_code: code, client_id: 'television' };
      expectOAuthError(await post(issuer, 'token', members), 400, 'invalid_grant', code.slice(0, 20));
    }
    const operator: [string, string][] = [
      ['grant_type', deviceGrant],
      ['client_id', 'television'],
      ['device_code[$ne]', 'x'],
    ];
    expectOAuthError(await post(issuer, 'token', operator), 400, 'invalid_request');
  });
});
