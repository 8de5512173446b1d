// A body that is held back: who sends it is who they are when it is there.
import { expect } from 'chai';
import { send } from '../http/requests.js';
import { operator as system } from '../support/administered.js';
import { dpopSender } from '../support/dpop-sender.js';
import { eventually } from '../support/eventually.js';
import { halfSentRequest, type HalfSentRequest } from '../support/half-sent-request.js';
import { closeApps } from '../support/start-app.js';
import { apiWith, keyOf } from './api.js';
import { newGround, openStage, signInFor, type Ground, type ManagementStage, type Person } from './ground.js';

describe('a body that comes slowly', function () {
  this.timeout(30_000);
  let stage: ManagementStage;
  let ground: Ground;
  let person: Person;
  let ahead: number;
  beforeEach(async () => {
    ahead = 0;
    stage = await openStage({ now: () => new Date(Date.now() + ahead) });
    ground = await newGround(stage);
    person = await ground.person();
  });
  afterEach(closeApps);

  /** The server has asked who sends it, and waits for the rest. */
  async function begun(headers: Record<string, string>, token: string): Promise<HalfSentRequest> {
    const body = JSON.stringify({ name: 'Another name' });
    const type = { 'Content-Type': 'application/json' };
    const request = { method: 'PATCH', path: '/api/v1/me', headers: { ...type, ...headers }, body };
    const held = await halfSentRequest(stage.issuer, request);
    await held.taken;
    // sent later and answered, by the same process
    expect((await apiWith(stage.issuer, token).call('GET', '/me')).status).to.equal(200);
    return held;
  }

  const nameOf = async (): Promise<string | undefined> =>
    (await stage.running.app.administration.getUserByEmail(person.email)).profile.name;

  const endings: Record<string, () => Promise<unknown>> = {
    'the session has ended': () => stage.running.app.administration.endUserSessions(system, person.userId),
    'the person was disabled': () =>
      stage.running.app.administration.changeUserStatus(system, person.userId, 'disabled'),
    'they are no member any more': () =>
      stage.running.app.administration.removeMember(system, { ...ground, ...person }),
  };
  for (const [what, end] of Object.entries(endings)) {
    it(`sec-032 does nothing when ${what} meanwhile`, async () => {
      const { access_token: token } = await signInFor(ground, person, 'account:read account:write');
      const before = await nameOf();
      const held = await begun({ Authorization: `Bearer ${token}` }, token);
      await end();
      ahead += 3000;
      const answer = await held.finish();
      expect(answer)
        .to.match(/^HTTP\/1\.1 401 /)
        .and.contain('error="invalid_token"');
      expect(await nameOf()).to.equal(before);
    });
  }

  it('is taken from whoever may still act', async () => {
    const { access_token: token } = await signInFor(ground, person, 'account:read account:write');
    const held = await begun({ Authorization: `Bearer ${token}` }, token);
    ahead += 3000;
    expect(await held.finish()).to.match(/^HTTP\/1\.1 200 /);
    expect(await nameOf()).to.equal('Another name');
  });

  it('sec-061 is taken with a proof that was good when it began: it is not asked for again', async () => {
    const sender = await dpopSender();
    const endpoint = `${stage.issuer}/oauth2/token`;
    const basic = Buffer.from(`platform-owner:${keyOf('platform-owner')}`).toString('base64');
    const { json } = await send(endpoint, {
      method: 'POST',
      headers: { Authorization: `Basic ${basic}`, DPoP: await sender.proof({ method: 'POST', url: endpoint }) },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${stage.issuer}/api` }),
    });
    const token = String(json['access_token']);
    const path = `/api/v1/tenants/${ground.tenantId}`;
    const proof = await sender.proof({ method: 'PATCH', url: `${stage.issuer}${path}` }, token);
    const headers = { 'Content-Type': 'application/json', Authorization: `DPoP ${token}`, DPoP: proof };
    const body = JSON.stringify({ name: 'Another name' });
    const held = await halfSentRequest(stage.issuer, { method: 'PATCH', path, headers, body });
    await held.taken;
    await eventually(async () => {
      expect(await stage.running.database.collection('management_proofs').countDocuments()).to.equal(1);
    });
    ahead += 3000;
    expect(await held.finish()).to.match(/^HTTP\/1\.1 200 /);
  });
});
