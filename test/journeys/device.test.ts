import { expect } from 'chai';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { projectsApi } from '../support/contract-seed.js';
import { connect, startDevice } from '../support/device.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';

describe('signing in on a device', () => {
  let running: RunningApp;
  let issuer: string;

  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  it('a standard client shows a code, waits, and has tokens of the tenant once the person has connected it', async () => {
    const device = await startDevice(issuer);
    expect(device.response).to.include({ verification_uri: `${issuer}/device`, expires_in: 600, interval: 5 });
    expect(device.response.user_code).to.match(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect((await device.ask()).json['error']).to.equal('authorization_pending');

    const { page } = await connect(issuer, device);
    expect(page.html).to.contain('Your device is connected').and.contain('Acme Television').and.contain('Acme Inc');
    const tokens = await device.poll(0.01);
    expect(tokens.claims()).to.include({ name: 'Ada Lovelace', tenant_slug: 'acme', acr: 'aal1' });
    const access = decodeJwt(tokens.access_token);
    expect(access).to.include({ aud: projectsApi, client_id: 'television', tenant_slug: 'acme', acr: 'aal1' });
    expect(access['amr']).to.deep.equal(['pwd']);
    expect(access['scope']).to.equal('openid profile tenant projects:read');

    const renewed = await client.refreshTokenGrant(device.party.configuration, tokens.refresh_token ?? '');
    expect(decodeJwt(renewed.access_token)).to.include({ tenant_slug: 'acme', aud: projectsApi });
  });
});
