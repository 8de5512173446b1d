// What a person sees and changes of themselves by the API, beside the pages.
import { expect } from 'chai';
import { closeApps } from '../support/start-app.js';
import { apiOfPerson, newGround, openStage, signInFor, type Ground } from './ground.js';

describe('/me and its sessions', () => {
  let ground: Ground;
  beforeEach(async () => {
    ground = await newGround(await openStage());
  });
  afterEach(closeApps);

  it('the profile is changed as a merge patch, for who has seen the present one', async () => {
    const api = await apiOfPerson(ground, 'account:read account:write');
    const changed = await api.call('PATCH', '/me', { body: { name: 'Ada King', locale: 'en-GB' } });
    expect(changed.status, changed.text).to.equal(200);
    expect(changed.json).to.include({ name: 'Ada King', locale: 'en-GB', givenName: null });
    const ETag = changed.headers.get('etag') ?? '';
    const again = await api.call('PATCH', '/me', { body: { locale: null }, headers: { 'If-Match': ETag } });
    expect(again.json).to.include({ name: 'Ada King', locale: null });
    const late = await api.call('PATCH', '/me', { body: { name: 'Late' }, headers: { 'If-Match': ETag } });
    expect(late.status).to.equal(412);
  });

  it('sec-025 nothing else of the account is changed by it', async () => {
    const api = await apiOfPerson(ground, 'account:read account:write');
    const before = (await api.call('GET', '/me')).json;
    for (const [name, value] of Object.entries({
      ...{ email: 'other@example.com', emailVerified: false, status: 'disabled', roles: ['owner'], tenantId: 'ten_x' },
      ...{ id: 'usr_x', password: 'a new long password', passwordHash: 'x', mfaEnabled: false, deleteAfter: null },
      ...{ profile: { name: 'x' }, 'profile.name': 'x', $set: { email: 'x' }, createdAt: '2020-01-01T00:00:00Z' },
      ...{ credentialsChangedAt: '2020-01-01T00:00:00Z', deletion: null, constructor: {}, memberships: [] },
    })) {
      const answer = await api.call('PATCH', '/me', { body: { name: 'Changed', [name]: value } });
      expect(answer.status, name).to.equal(400);
      expect(JSON.stringify(answer.json['errors']), name).to.contain(name);
    }
    expect((await api.call('GET', '/me')).json).to.deep.equal(before);
  });

  it('sessions tell with what and when they were last used, to the person, the tenant and the operators', async () => {
    const person = await ground.person();
    await signInFor(ground, person, 'account:read');
    const own = await apiOfPerson(ground, 'account:read sessions:read');
    const paths = [
      [own, '/me/sessions'],
      [own, `/tenants/${ground.tenantId}/members/${person.userId}/sessions`],
      [ground.operator, `/users/${person.userId}/sessions`],
    ] as const;
    for (const [api, path] of paths) {
      const answer = await api.call('GET', path);
      const items = answer.json['items'] as { lastSeenAt: string; device: { address: string } }[];
      expect(items, path).to.have.length(2);
      for (const { lastSeenAt, device } of items) {
        expect(Date.parse(lastSeenAt), path).to.be.closeTo(Date.now(), 60_000);
        expect(device, path).to.have.all.keys('browser', 'system', 'address');
        expect(device.address, path).to.equal('127.0.0.1');
      }
    }
  });
});
