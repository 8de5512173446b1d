// What people have beside themselves.
import { expect } from 'chai';
import { totpCode } from '../../src/credentials/totp.js';
import { authorizeUrl, post, redeem, refreshing, type TokenSet } from '../http/requests.js';
import { operator, seatsOf, tenantIdOf } from '../support/administered.js';
import { browser } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { askForRecovery } from '../support/mail-links.js';
import { csrfOf, openPortal, postForm } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { secretOn } from '../support/second-factor.js';
import { closeApps } from '../support/start-app.js';
import { consultant, thirdPartySecret } from '../support/two-tenants.js';
import { solo, openGround, type AccountGround } from './account-ground.js';

describe('the account portal: tenants, invitations, apps and data', function () {
  this.timeout(30_000);
  let ground: AccountGround;
  beforeEach(async () => {
    ground = await openGround();
  });
  afterEach(closeApps);

  describe('tenants', () => {
    it('are listed with roles; a member leaves, and has nothing there any more', async () => {
      const { page, visitor } = await openPortal(ground.issuer, { path: '/account/tenants', person: consultant });
      expect(page.html).to.contain('Acme Inc').and.contain('Globex').and.contain('editor');
      const acme = await tenantIdOf(ground.running, 'acme');
      const seats = (await seatsOf(ground.running, acme))?.['members'] ?? 0;
      const left = await visitor.submit(page, { tenant: acme }, '/leave');
      expect(left.html).to.contain('no member of that tenant').and.not.contain('Acme Inc');
      expect((await seatsOf(ground.running, acme))?.['members']).to.equal(seats - 1);
    });

    it('the last owner stays', async () => {
      const { page, visitor } = await openPortal(ground.issuer, { path: '/account/tenants' });
      const refused = await visitor.submit(page, { tenant: await tenantIdOf(ground.running, 'acme') }, '/leave');
      expect([refused.status, /last owner/.test(refused.html)]).to.deep.equal([422, true]);
    });

    it('a team is made, owned by who made it; ten are the most, and a name that is taken is refused', async () => {
      const { page, visitor } = await openPortal(ground.issuer, { path: '/account/tenants', person: solo });
      const taken = await visitor.submit(page, { name: 'Mine', slug: 'acme' }, '/create');
      expect([taken.status, /value="Mine"/.test(taken.html)]).to.deep.equal([422, true]);
      for (const slug of ['Not A Slug', '', 'admin'])
        expect((await visitor.submit(page, { name: 'Mine', slug }, '/create')).status, slug).to.equal(422);
      const made = await visitor.submit(page, { name: 'Mine', slug: 'mine' }, '/create');
      expect(made.html).to.contain('The team is there').and.contain('<h2>Mine</h2>');
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          visitor.submit(page, { name: `Mine ${index}`, slug: `mine-${index}` }, '/create'),
        ),
      );
      expect(results.filter(({ status }) => status === 200)).to.have.length(9);
      const tenants = await ground.running.database.collection<{ slugs: string[] }>('tenants').find({}).toArray();
      expect(tenants.filter(({ slugs }) => slugs[0]?.startsWith('mine'))).to.have.length(10);
    });
  });

  describe('invitations', () => {
    it('to the proven address are shown, and accepted without their link', async () => {
      const tenantId = await tenantIdOf(ground.running, 'acme');
      const wanted = { email: solo.email, roles: ['editor'] };
      const { id } = await ground.running.app.administration.createInvitation(operator, tenantId, wanted);
      const { page, visitor } = await openPortal(ground.issuer, { path: '/account/invitations', person: solo });
      expect(page.html).to.contain('Acme Inc').and.contain(id);
      const answers = await Promise.all([1, 2, 3].map(() => visitor.submit(page, { invitation: id })));
      expect(answers.filter(({ html }) => html.includes('You are a member now'))).to.have.length(1);
      expect((await visitor.get('/account/tenants')).html).to.contain('Acme Inc');
    });

    it('of somebody else are answered as those that do not exist', async () => {
      const tenantId = await tenantIdOf(ground.running, 'acme');
      const wanted = { email: 'else@example.com', roles: ['editor'] };
      const { id } = await ground.running.app.administration.createInvitation(operator, tenantId, wanted);
      const { page, visitor } = await openPortal(ground.issuer, { path: '/account/profile', person: solo });
      for (const invitation of [id, 'inv_nobodys', ''])
        expect(
          (await postForm({ visitor }, '/account/invitations/accept', { csrf: csrfOf(page), invitation })).status,
        ).to.equal(404);
    });
  });

  it('apps: what was allowed is named, and taken back with all that came of it', async () => {
    const members = { client_id: 'third-party', scope: 'openid profile projects:read' };
    const asked = authorizeUrl(ground.issuer, members);
    const { browser: visitor, page: question } = await signIn(ground.issuer, asked);
    const back = await visitor.submit(question, { decision: 'accept' });
    const code = new URL(back.url).searchParams.get('code') ?? '';
    const third = ['third-party', thirdPartySecret] as const;
    const tokens = (await redeem(ground.issuer, code, {}, third)).json as unknown as TokenSet;
    const page = await visitor.get('/account/apps');
    expect(page.html).to.contain('Third Party').and.contain('See your name and language').and.contain('Projects API');
    const tenant = await tenantIdOf(ground.running, 'acme');
    const revoked = await visitor.submit(page, { client: 'third-party' }, '/revoke');
    expect(revoked.html).to.contain('The app has no access any more').and.contain('You have allowed none');
    expect((await post(ground.issuer, 'token', refreshing(tokens), third)).json['error']).to.equal('invalid_grant');
    expect((await visitor.get(asked)).html, 'asked anew').to.contain('consent-accept');
    const again = await postForm({ visitor }, '/account/apps/revoke', {
      csrf: csrfOf(page),
      tenant,
      client: 'third-party',
    });
    expect(again.status, 'a second time').to.equal(404);
    const types = (await ground.running.database.collection('events').find({ subjectId: 'third-party' }).toArray()).map(
      ({ type }) => String(type),
    );
    expect(types).to.include('consent.revoked');
  });

  it('data: all that is kept, as a file, and nothing that proves who they are', async () => {
    const { administration } = ground.running.app;
    await askForRecovery(browser(ground.issuer), ada.email);
    await administration.unlockUser(operator, await ground.idOf(ada.email));
    const { visitor, page } = await openPortal(ground.issuer, { path: '/account/data' });
    const seen = await visitor.get('/account/activity');
    expect(seen.html)
      .to.contain('Somebody asked for a link to a new password')
      .and.contain('try to sign in again at once');
    const form = await visitor.get('/account/factors/app');
    const secret = secretOn(form);
    await visitor.submit(form, { code: totpCode(secret, ground.now()) }, '/factors/app');
    const file = await visitor.submit(page, {}, '/data');
    expect(file.headers.get('content-disposition')).to.equal('attachment; filename="gatehouse-account.json"');
    expect(file.headers.get('content-type')).to.contain('application/json');
    const data = JSON.parse(file.html) as Record<string, unknown>;
    expect(data['account']).to.include({ email: ada.email, name: 'Ada Lovelace', emailVerified: true });
    expect(data['memberships']).to.have.nested.property('[0].tenant.slug', 'acme');
    expect(data['sessions']).to.have.length(1);
    const types = (data['events'] as { type: string }[]).map(({ type }) => type);
    expect(types).to.include.members(['user.signed_in', 'user.recovery_requested', 'user.unlocked']);
    expect((data['factors'] as { kind: string }[]).map(({ kind }) => kind)).to.deep.equal(['totp']);
    expect(file.html)
      .not.to.match(/argon2|tokenHash|idHash|\$sealed|csrf/)
      .and.not.contain(secret);
    ground.later(601);
    expect((await visitor.get('/account/data')).url, 'ten minutes later').to.contain('/sign-in/');
  });
});
