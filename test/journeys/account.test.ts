// What people do with their own account, page by page: who they are, and how they prove it.
import { expect } from 'chai';
import { authorizeUrl, cookieOf, post } from '../http/requests.js';
import { browser } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { csrfOf, openPortal, postForm, type PortalVisit } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { closeApps } from '../support/start-app.js';
import { consultant } from '../support/two-tenants.js';
import { solo, newPassword, openGround, type AccountGround } from './account-ground.js';

/** A form that was refused, and says so. */
const wrong = { status: 422, alert: /role="alert"/ };

describe('the account portal', function () {
  this.timeout(30_000);
  let ground: AccountGround;
  beforeEach(async () => {
    ground = await openGround();
  });
  afterEach(closeApps);

  describe('who comes there', () => {
    it('signs in first, whoever they are in which tenants, and comes back to the page they wanted', async () => {
      for (const person of [ada, consultant, solo]) {
        const { page } = await openPortal(ground.issuer, { path: '/account/sessions', person });
        expect(page.url).to.equal(`${ground.issuer}/account/sessions`);
        expect(page.html).to.contain('<h1>Sessions</h1>');
      }
      expect(await ground.running.database.collection('oidc_grants').countDocuments()).to.equal(0);
    });

    it('needs no sign-in of their own when they are signed in at an app', async () => {
      const { browser: visitor } = await signIn(ground.issuer, authorizeUrl(ground.issuer));
      expect((await visitor.get('/account')).html).to.contain('Ada Lovelace');
    });

    it('what the client of the portal is given is of no use', async () => {
      const begun = await browser(ground.issuer).request('/account');
      const url = new URL(begun.headers.get('location') ?? '', ground.issuer);
      const visitor = browser(ground.issuer);
      const login = await visitor.get(url.href);
      const sent = await visitor.request(/action="([^"]+)"/.exec(login.html)?.[1] ?? '', {
        ...{ method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
        body: new URLSearchParams({ csrf: csrfOf(login), login: ada.email, password: ada.password }).toString(),
      });
      const back = await visitor.request(sent.headers.get('location') ?? '');
      const code = new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? '';
      expect(code).not.to.equal('');
      const members = { grant_type: 'authorization_code', client_id: 'gatehouse-account', code };
      const asked = { ...members, redirect_uri: `${ground.issuer}/account/return`, code_verifier: 'x'.repeat(43) };
      expect((await post(ground.issuer, 'token', asked)).json['error']).to.equal('invalid_grant');
    });

    it('sec-033 is brought to pages of ours alone, whatever the request says', async () => {
      for (const state of ['//evil.example', 'https://evil.example', '/account/../x', 'constructor', '__proto__', '']) {
        const answer = await browser(ground.issuer).request(
          `/account/return?code=x&state=${encodeURIComponent(state)}`,
        );
        expect(answer.headers.get('location'), state).to.equal('/account');
      }
      const sessions = await browser(ground.issuer).request('/account/return?code=x&state=sessions');
      expect(sessions.headers.get('location')).to.equal('/account/sessions');
    });

    it('is shown nothing when they give up the sign-in', async () => {
      const visitor = browser(ground.issuer);
      const page = await visitor.submit(await visitor.get('/account'), { cancel: 'yes' });
      expect(page.html).to.contain('Not signed in');
    });

    it('signs in once more when the session is idle for too long, or too old', async () => {
      const { visitor } = await openPortal(ground.issuer);
      ground.later(50 * 60);
      expect((await visitor.get('/account')).url, 'after 50 minutes').to.equal(`${ground.issuer}/account`);
      ground.later(50 * 60);
      expect((await visitor.get('/account')).url, 'after another 50').to.equal(`${ground.issuer}/account`);
      ground.later(61 * 60);
      expect((await visitor.get('/account')).url, 'idle for an hour').to.contain('/sign-in/');
      const { visitor: other } = await openPortal(ground.issuer);
      for (let hour = 0; hour < 15; hour++) {
        ground.later(50 * 60);
        const { url } = await other.get('/account');
        expect(url.includes('/sign-in/'), `${(hour + 1) * 50} minutes`).to.equal((hour + 1) * 50 > 12 * 60);
        if (url.includes('/sign-in/')) return;
      }
    });

    it('sec-028 has a new session after each sign-in: what was planted or copied before opens nothing', async () => {
      const { visitor } = await openPortal(ground.issuer);
      const before = visitor.cookieHeader('/account');
      ground.later(601);
      await openPortal(ground.issuer, { path: '/account/password', visitor });
      const copied = await browser(ground.issuer).request('/account', { headers: { Cookie: before } });
      expect(copied.headers.get('location')).to.contain('/oauth2/authorize');
      expect((await visitor.get('/account')).url).to.equal(`${ground.issuer}/account`);
    });
  });

  describe('profile', () => {
    const filled = {
      name: ' Ada King ',
      given_name: 'Ada',
      family_name: 'King',
      locale: 'en-GB',
      zoneinfo: 'Europe/London',
    };

    it('is saved, and taken away where it is left empty', async () => {
      const { visitor, page } = await openPortal(ground.issuer, { path: '/account/profile' });
      const saved = await visitor.submit(page, filled);
      expect(saved.html).to.contain('Your profile is saved').and.contain('value="Ada King"');
      const { profile } = await ground.running.app.administration.getUserByEmail(ada.email);
      const { given_name: givenName, family_name: familyName, locale, zoneinfo } = filled;
      expect(profile).to.deep.equal({ name: 'Ada King', givenName, familyName, locale, zoneinfo });
      await visitor.submit(saved, { ...filled, family_name: '', zoneinfo: '' });
      expect((await ground.running.app.administration.getUserByEmail(ada.email)).profile).not.to.have.any.keys(
        'familyName',
        'zoneinfo',
      );
    });

    it('refuses what is none, says what, and keeps what was typed', async () => {
      const { visitor, page } = await openPortal(ground.issuer, { path: '/account/profile' });
      const bad = [
        ...[{ locale: 'not a language' }, { zoneinfo: 'Middle/Earth' }, { name: 'turned\u202Earound' }],
        { name: 'line\r\nBcc: x' },
      ];
      for (const change of bad) {
        const answer = await visitor.submit(page, { ...filled, ...change });
        expect(answer.status, JSON.stringify(change)).to.equal(wrong.status);
        expect(answer.html).to.match(wrong.alert).and.contain('value="King"');
      }
      expect((await ground.running.app.administration.getUserByEmail(ada.email)).profile.name).to.equal('Ada Lovelace');
    });
  });

  describe('password', () => {
    const open = (): Promise<PortalVisit> => openPortal(ground.issuer, { path: '/account/password' });

    it('sec-032 a new one ends every other session and what they opened, and keeps this one', async () => {
      const elsewhere = await signIn(ground.issuer, authorizeUrl(ground.issuer));
      const tokensElsewhere = await ground.tokensIn(elsewhere.browser);
      const offlineElsewhere = await ground.tokensIn(elsewhere.browser, 'openid offline_access');
      const { visitor, page } = await open();
      const own = await ground.tokensIn(visitor);
      const before = cookieOf(visitor, 'sid').value;
      const done = await visitor.submit(page, { password: ada.password, new_password: newPassword });
      expect(done.html).to.contain('You have a new password');
      expect(cookieOf(visitor, 'sid').value, 'a new identifier').not.to.equal(before);
      expect(await ground.refusesRefresh(tokensElsewhere), 'tokens of another session').to.equal(true);
      expect(await ground.refusesRefresh(offlineElsewhere), 'offline tokens of another session').to.equal(true);
      expect((await elsewhere.browser.get('/account')).url).to.contain('/sign-in/');
      expect(await ground.refusesRefresh(own), 'tokens of this one').to.equal(false);
      expect((await visitor.get('/account')).url).to.equal(`${ground.issuer}/account`);
      const again = await signIn(ground.issuer, authorizeUrl(ground.issuer), { ...ada, password: newPassword });
      expect(again.page.url).to.contain('code=');
      const former = await signIn(ground.issuer, authorizeUrl(ground.issuer));
      expect(former.page.html).to.match(wrong.alert);
    });

    it('the former cookie of the session is worth nothing afterwards', async () => {
      const { visitor, page } = await open();
      const before = visitor.cookieHeader('/account');
      await visitor.submit(page, { password: ada.password, new_password: newPassword });
      const copied = await browser(ground.issuer).request('/account', { headers: { Cookie: before } });
      expect(copied.headers.get('location')).to.contain('/oauth2/authorize');
    });

    it('sec-048 the browser in which it is done stays a known one', async () => {
      const { visitor, page } = await open();
      const before = cookieOf(visitor, 'device').value;
      await visitor.submit(page, { password: ada.password, new_password: newPassword });
      expect(cookieOf(visitor, 'device').value).not.to.equal(before);
      const stranger = browser(ground.issuer);
      const guess = { ...ada, password: 'not the right password' };
      for (let tries = 0; tries < 6; tries++) await signIn(ground.issuer, authorizeUrl(ground.issuer), guess, stranger);
      const again = authorizeUrl(ground.issuer, { prompt: 'login' });
      const right = { ...ada, password: newPassword };
      expect((await signIn(ground.issuer, again, right, stranger)).page.status).to.equal(429);
      expect((await signIn(ground.issuer, again, right, visitor)).page.url).to.contain('code=');
    });

    it('is refused without the present one, and by the rules for passwords', async () => {
      const { visitor, page } = await open();
      const bad = [
        [{ password: 'not hers at all', new_password: newPassword }, 'not your present password'],
        [{ password: ada.password, new_password: 'too short' }, 'at least 15 characters'],
        [{ password: ada.password, new_password: 'x'.repeat(129) }, '128 characters at most'],
      ] as const;
      for (const [members, message] of bad) {
        const answer = await visitor.submit(page, members);
        expect(answer.status, message).to.equal(wrong.status);
        expect(answer.html).to.contain(message);
      }
      expect((await signIn(ground.issuer, authorizeUrl(ground.issuer))).page.url).to.contain('code=');
    });

    it('sec-043 tries at the present one are counted with those at the sign-in, and a right one is not looked at then', async () => {
      const { visitor, page } = await open();
      for (let tries = 0; tries < 5; tries++)
        await visitor.submit(page, { password: `wrong ${tries}`, new_password: newPassword });
      const blocked = await visitor.submit(page, { password: ada.password, new_password: newPassword });
      expect([blocked.status, /Try again in 1 minute/.test(blocked.html)]).to.deep.equal([429, true]);
      expect(blocked.headers.get('retry-after')).to.match(/^\d+$/);
      const { page: again } = await signIn(
        ground.issuer,
        authorizeUrl(ground.issuer, { prompt: 'login' }),
        ada,
        visitor,
      );
      expect(again.status, 'the same browser at the sign-in').to.equal(429);
    });

    it('wants that the person has proven within ten minutes who they are, for the page and for the form', async () => {
      const { visitor, page } = await open();
      ground.later(601);
      expect((await visitor.get('/account/password')).url).to.contain('/sign-in/');
      const members = { csrf: csrfOf(page), password: ada.password, new_password: newPassword };
      const refused = await postForm({ visitor }, '/account/password', members);
      expect(refused.headers.get('location')).to.contain('/oauth2/authorize').and.contain('prompt=login');
      const { page: again } = await openPortal(ground.issuer, { path: '/account/password', visitor });
      expect((await visitor.submit(again, { password: ada.password, new_password: newPassword })).html).to.contain(
        'You have a new password',
      );
    });
  });
});
