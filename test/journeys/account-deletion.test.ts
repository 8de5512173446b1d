// How people leave.
import { expect } from 'chai';
import { authorizeUrl, codeOf, redeem } from '../http/requests.js';
import { newUsers, operator, outcomeOf, seatsOf, tenantIdOf } from '../support/administered.js';
import { browser } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { csrfOf, openPortal, postForm, type PortalVisit } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { closeApps } from '../support/start-app.js';
import { solo, openGround, type AccountGround } from './account-ground.js';

/** A form that was refused, and says so. */
const wrong = { status: 422, alert: /role="alert"/ };

describe('the account portal: deletion', function () {
  this.timeout(30_000);
  let ground: AccountGround;
  beforeEach(async () => {
    ground = await openGround();
  });
  afterEach(closeApps);

  describe('deletion', () => {
    async function ask(person = solo): Promise<PortalVisit & { link: string }> {
      const { visitor, page } = await openPortal(ground.issuer, { path: '/account/delete', person });
      const answer = await visitor.submit(page, { confirmation: ` ${person.email.toUpperCase()} ` });
      expect(answer.html).to.contain('Your account is closed');
      await ground.running.deliverMail();
      const mail = ground.running.mailbox.findLast(({ to }) => to === person.email);
      return { visitor, page, link: /http\S+\/account\/deletion\/[\w-]{43}/.exec(mail?.text ?? '')?.[0] ?? '' };
    }

    it('closes the account at once, and ends it after seven days with its seats', async () => {
      await ground.running.app.administration.addMember(operator, await tenantIdOf(ground.running, 'globex'), {
        ...{ userId: await ground.idOf(solo.email), roles: ['member'] },
      });
      const globex = await tenantIdOf(ground.running, 'globex');
      const seats = (await seatsOf(ground.running, globex))?.['members'] ?? 0;
      const { visitor } = await ask();
      expect((await visitor.get('/account')).url).to.contain('/sign-in/');
      expect((await signIn(ground.issuer, authorizeUrl(ground.issuer), solo)).page.html).to.match(wrong.alert);
      expect((await seatsOf(ground.running, globex))?.['members'], 'kept for the time being').to.equal(seats);
      ground.later(7 * 86_400 - 60);
      expect(await ground.running.app.administration.deleteDueUsers()).to.equal(0);
      ground.later(120);
      expect(await ground.running.app.administration.deleteDueUsers()).to.equal(1);
      expect((await seatsOf(ground.running, globex))?.['members']).to.equal(seats - 1);
      expect(await outcomeOf(ground.running.app.administration.getUserByEmail(solo.email))).to.match(/^404/);
    });

    it('is taken back by the link in the mail, which opening alone does not do, once', async () => {
      const { link } = await ask();
      const reader = browser(ground.issuer);
      const page = await reader.get(link);
      expect((await signIn(ground.issuer, authorizeUrl(ground.issuer), solo)).page.html, 'opened only').to.match(
        wrong.alert,
      );
      const answers = await Promise.all([1, 2, 3].map(() => reader.submit(page, {})));
      expect(answers.filter(({ html }) => html.includes('Your account stays'))).to.have.length(1);
      expect((await openPortal(ground.issuer, { person: solo })).page.html).to.contain(solo.email);
      expect((await reader.get(link)).status, 'afterwards').to.equal(404);
      ground.later(8 * 86_400);
      expect(await ground.running.app.administration.deleteDueUsers()).to.equal(0);
    });

    it('the link of who was kept out by an operator meanwhile brings nobody back', async () => {
      const { link } = await ask();
      await ground.running.app.administration.changeUserStatus(operator, await ground.idOf(solo.email), 'disabled');
      expect((await browser(ground.issuer).get(link)).status).to.equal(404);
      await ground.running.app.administration.changeUserStatus(operator, await ground.idOf(solo.email), 'active');
      expect((await openPortal(ground.issuer, { person: solo })).page.html).to.contain(solo.email);
      ground.later(8 * 86_400);
      expect(await ground.running.app.administration.deleteDueUsers()).to.equal(0);
    });

    it('takes a wrong address for no confirmation', async () => {
      const { visitor, page } = await openPortal(ground.issuer, { path: '/account/delete', person: solo });
      for (const confirmation of ['', 'delete', ada.email])
        expect((await visitor.submit(page, { confirmation })).status, confirmation).to.equal(wrong.status);
      expect((await visitor.get('/account')).url).to.equal(`${ground.issuer}/account`);
    });

    it('names what the person owns alone; it gets another owner or is closed first', async () => {
      const { visitor, page } = await openPortal(ground.issuer, { path: '/account/delete' });
      expect(page.html).to.contain('You are the only owner of').and.contain('Acme Inc');
      const forced = await postForm({ visitor }, '/account/delete', { csrf: csrfOf(page), confirmation: ada.email });
      expect(forced.status).to.equal(422);
      const acme = await tenantIdOf(ground.running, 'acme');
      const foreign = { csrf: csrfOf(page), tenant: await tenantIdOf(ground.running, 'globex') };
      expect((await postForm({ visitor }, '/account/delete/close-tenant', foreign)).status).to.equal(404);
      const closed = await visitor.submit(page, { tenant: acme });
      expect(closed.html).to.contain('The tenant is closed').and.contain('confirmation');
      expect((await ground.running.app.administration.getTenant(acme)).status).to.equal('archived');
    });

    it('a tenant that has lost its other owners meanwhile is archived with the account, and nobody is stuck', async () => {
      const [other = ''] = await newUsers(ground.running, 1);
      const ownerId = await ground.idOf(solo.email);
      const draft = { slug: 'shared', name: 'Shared', type: 'team' as const, ownerId };
      const { id } = await ground.running.app.administration.createTenant(operator, draft);
      await ground.running.app.administration.addMember(operator, id, { userId: other, roles: ['owner'] });
      await ask();
      await ground.running.app.administration.removeMember(operator, { tenantId: id, userId: other });
      ground.later(8 * 86_400);
      expect(await ground.running.app.administration.deleteDueUsers()).to.equal(1);
      expect((await ground.running.app.administration.getTenant(id)).status).to.equal('archived');
    });
  });

  it('nothing of a person is archived who has taken the deletion back in the moment in which it was due', async () => {
    const { administration } = ground.running.app;
    const [other = ''] = await newUsers(ground.running, 1);
    const ownerId = await ground.idOf(solo.email);
    const { id } = await administration.createTenant(operator, { slug: 'kept', name: 'Kept', type: 'team', ownerId });
    await administration.addMember(operator, id, { userId: other, roles: ['owner'] });
    await administration.requestDeletion(ownerId);
    await administration.removeMember(operator, { tenantId: id, userId: other });
    ground.later(8 * 86_400);
    // between the list of those who are due and the deletion it is not due any more
    const deleting = administration.deleteDueUsers(() => {
      ground.later(-3 * 86_400);
      return false;
    });
    expect(await deleting.catch(({ errors }: AggregateError) => errors.length)).to.equal(1);
    expect((await administration.getTenant(id)).status).to.equal('active');
  });

  it('codes that were on their way when their person gave up the account are worth nothing', async () => {
    const code = await codeOf(ground.issuer);
    await ground.running.app.administration.closeOwnTenant(
      await ground.idOf(ada.email),
      await tenantIdOf(ground.running, 'acme'),
    );
    await ground.running.app.administration.requestDeletion(await ground.idOf(ada.email));
    expect((await redeem(ground.issuer, code)).json['error']).to.equal('invalid_grant');
  });
});
