// Where people see where they are signed in and what happened.
import { expect } from 'chai';
import { operator } from '../support/administered.js';
import type { Browser } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { fetchAt } from '../support/fetch-at.js';
import { halfSentRequest } from '../support/half-sent-request.js';
import { csrfOf, openPortal } from '../support/portal.js';
import { closeApps, startApp } from '../support/start-app.js';
import { solo, newPassword, openGround, type AccountGround } from './account-ground.js';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';

describe('the account portal: sessions and activity', function () {
  this.timeout(30_000);
  let ground: AccountGround;
  beforeEach(async () => {
    ground = await openGround();
  });
  afterEach(closeApps);

  describe('sessions', () => {
    it('are listed with device, address and last use, the present one marked; one is ended by itself', async () => {
      const { visitor } = await openPortal(ground.issuer, { visitor: ground.browserAs(firefox) });
      const other = await openPortal(ground.issuer, { visitor: ground.browserAs(phone) });
      const tokens = await ground.tokensIn(other.visitor);
      const page = await visitor.get('/account/sessions');
      expect(page.html).to.match(/Firefox on Linux <span class="mark">This one<\/span>/);
      expect(page.html).to.contain('Safari on iPhone').and.contain('127.0.0.1');
      const ids = [...page.html.matchAll(/name="session" value="([^"]+)"/g)].map(([, id]) => id ?? '');
      expect(ids).to.have.length(2);
      const ended = await visitor.submit(page, { session: ids[1] ?? '' }, '/sessions/end');
      expect(ended.html).to.contain('That session has ended').and.not.contain('Safari on iPhone');
      expect(await ground.refusesRefresh(tokens)).to.equal(true);
      expect((await other.visitor.get('/account')).url).to.contain('/sign-in/');
    });

    it('what is known of a device lies sealed, and is written once a minute at most', async () => {
      const { visitor } = await openPortal(ground.issuer, { visitor: ground.browserAs(firefox) });
      const stored = () => ground.running.database.collection('oidc_sessions').findOne({});
      const before = await stored();
      expect(JSON.stringify(before)).not.to.match(/Firefox|127\.0\.0\.1/);
      ground.later(30);
      await visitor.get('/account');
      expect(await stored(), 'within the minute').to.deep.equal(before);
      ground.later(40);
      await visitor.get('/account');
      expect((await stored())?.['seenAt']).to.be.greaterThan(before?.['seenAt'] as Date);
    });

    it('sec-032 what one process ends, the other one refuses at once, whoever came first', async () => {
      const there = await startApp({
        sharedWith: ground.running,
        now: ground.now,
      });
      const onceMore = (visitor: Browser): Promise<Response> =>
        fetchAt(there.port)(`${ground.issuer}/account`, { headers: { Cookie: visitor.cookieHeader('/account') } });
      const { visitor: first } = await openPortal(ground.issuer);
      expect((await onceMore(first)).status).to.equal(200);
      const id = await ground.idOf(ada.email);
      for (const end of [
        () => ground.running.app.administration.endUserSessions(operator, id),
        () => ground.running.app.administration.setUserPassword(operator, id, { password: ada.password }),
        () => ground.running.app.administration.requirePasswordReset(operator, id),
        () => ground.running.app.administration.changeUserStatus(operator, id, 'disabled'),
      ]) {
        await ground.running.app.administration.setUserPassword(operator, id, { password: ada.password });
        const { visitor } = await openPortal(ground.issuer);
        expect((await onceMore(visitor)).status).to.equal(200);
        await end();
        expect((await onceMore(visitor)).status, String(end)).to.equal(303);
      }
    });

    it('of two who change the password at once in two sessions one is left with theirs', async () => {
      const one = await openPortal(ground.issuer, { path: '/account/password' });
      const other = await openPortal(ground.issuer, { path: '/account/password' });
      await Promise.all(
        [one, other].map(({ visitor, page }, index) =>
          visitor.submit(page, { password: ada.password, new_password: `${newPassword} ${index}` }),
        ),
      );
      const urls = await Promise.all([one, other].map(async ({ visitor }) => (await visitor.get('/account')).url));
      expect(urls.filter((url) => url === `${ground.issuer}/account`)).to.have.length.at.most(1);
    });

    it('sec-032 a form that is held back does nothing once its session has ended', async () => {
      const { visitor, page } = await openPortal(ground.issuer, { path: '/account/profile' });
      const { visitor: other } = await openPortal(ground.issuer);
      const members = { csrf: csrfOf(page), name: 'Somebody else', given_name: '', family_name: '', locale: '' };
      const held = await halfSentRequest(ground.issuer, {
        ...{ method: 'POST', path: '/account/profile' },
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          Cookie: visitor.cookieHeader('/account/profile'),
        },
        body: new URLSearchParams({ ...members, zoneinfo: '' }).toString(),
      });
      await held.taken;
      expect((await visitor.get('/account')).url, 'sent later, and answered').to.equal(`${ground.issuer}/account`);
      await other.submit(await other.get('/account/sessions'), {}, '/end-others');
      expect(await held.finish())
        .to.match(/^HTTP\/1\.1 303 /)
        .and.contain('/oauth2/authorize');
      const { profile } = await ground.running.app.administration.getUserByEmail(ada.email);
      expect(profile.name).not.to.equal('Somebody else');
    });

    it('all others are ended at once, and all with the present one', async () => {
      const others = [await openPortal(ground.issuer), await openPortal(ground.issuer)];
      const { visitor, page } = await openPortal(ground.issuer, { path: '/account/sessions' });
      const left = await visitor.submit(page, {}, '/end-others');
      expect(left.html).to.contain('signed out everywhere else');
      for (const other of others) expect((await other.visitor.get('/account')).url).to.contain('/sign-in/');
      const gone = await visitor.submit(left, {}, '/end-all');
      expect(gone.html).to.contain('You have signed yourself out');
      expect((await visitor.get('/account')).url).to.contain('/sign-in/');
    });
  });

  describe('activity', () => {
    it('tells the newest first, twenty on a page, with who did it', async () => {
      const { visitor } = await openPortal(ground.issuer);
      for (let index = 0; index < 25; index++) {
        ground.later(1);
        await ground.running.app.administration.changeOwnProfile(await ground.idOf(ada.email), {
          changes: { name: `Ada ${index}` },
        });
      }
      ground.later(1);
      await ground.running.app.administration.setUserPassword(operator, await ground.idOf(solo.email), {
        password: newPassword,
      });
      const page = await visitor.get('/account/activity');
      const labels = ({ html }: { html: string }) =>
        [...html.matchAll(/<p class="name">([^<]+)<\/p>/g)].map(([, text]) => text);
      expect(labels(page)).to.have.length(20);
      expect(new Set(labels(page))).to.deep.equal(new Set(['Your profile or address was changed']));
      const older = await visitor.get(/id="older" href="([^"]+)"/.exec(page.html)?.[1] ?? '');
      expect(labels(older).slice(0, 6)).to.deep.equal([
        ...Array.from({ length: 5 }, () => 'Your profile or address was changed'),
        'You signed in',
      ]);
      const { page: ofSolo } = await openPortal(ground.issuer, {
        path: '/account/activity',
        person: { ...solo, password: newPassword },
      });
      expect(ofSolo.html).to.contain('The password was changed').and.contain('by somebody else or by the service');
    });
  });
});
