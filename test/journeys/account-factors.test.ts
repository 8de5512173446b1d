// How people see and change with what they prove themselves beside their password.
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { totpCode } from '../../src/credentials/totp.js';
import { authorizeUrl, openSignIn, submitByHand } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ceremonyOn, newAuthenticator } from '../support/authenticator.js';
import { ada } from '../support/contract-seed.js';
import { csrfOf, openPortal, postForm, type PortalVisit } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { recoveryCodesOn, secretOn } from '../support/second-factor.js';
import { closeApps } from '../support/start-app.js';
import { consultant } from '../support/two-tenants.js';
import { newPassword, openGround, type AccountGround } from './account-ground.js';

const factorsOn = ({ html }: Page): string[] =>
  [...html.matchAll(/<button[^>]* name="factor" value="([^"]+)"/g)].map(([, id = '']) => id);

describe('the account portal: second factors', function () {
  this.timeout(30_000);
  let ground: AccountGround;
  beforeEach(async () => {
    ground = await openGround();
  });
  afterEach(closeApps);

  /** Somebody who has just set up an app. */
  interface WithApp {
    visitor: Browser;
    recoveryCodes: string[];
    freshCode(): string;
  }

  async function addApp(): Promise<WithApp> {
    const { visitor, page } = await openPortal(ground.issuer, { path: '/account/factors/app' });
    const secret = secretOn(page);
    const shown = await visitor.submit(page, { code: totpCode(secret, ground.now()) }, '/factors/app');
    const freshCode = (): string => {
      ground.later(30); // each counts once
      return totpCode(secret, ground.now());
    };
    return { visitor, recoveryCodes: recoveryCodesOn(shown), freshCode };
  }

  /** Signs in with password and app, and comes to this page. */
  async function openWithApp({ freshCode }: WithApp, path = '/account/factors', visitor = browser(ground.issuer)) {
    const asked = await openPortal(ground.issuer, { path, visitor });
    const page = await visitor.submit(asked.page, { code: freshCode() });
    return { visitor, page };
  }

  const kinds = async (): Promise<unknown> =>
    (await ground.running.app.administration.getUserByEmail(ada.email)).factorKinds ?? [];

  async function lastMail(): Promise<string | undefined> {
    await ground.running.deliverMail();
    return ground.running.mailbox.findLast(({ to }) => to === ada.email)?.subject;
  }

  /** What a form is answered with that is sent to a new sign-in. */
  async function isSentToSignIn(visit: Pick<PortalVisit, 'visitor'>, path: string, members: Record<string, string>) {
    const answer = await postForm(visit, path, members);
    const location = new URL(answer.headers.get('location') ?? '', ground.issuer);
    expect(answer.status, path).to.equal(303);
    expect(location.pathname, path).to.equal('/oauth2/authorize');
    expect(location.searchParams.get('prompt'), path).to.equal('login');
    expect(location.searchParams.get('acr_values'), path).to.equal('aal2');
  }

  it('an app is added with a first code, and asked for from then on', async () => {
    const { visitor, page } = await openPortal(ground.issuer, { path: '/account/factors' });
    expect(page.html).to.contain('You have none');
    const form = await visitor.get('/account/factors/app');
    expect(form.html).to.match(/<svg class="qr"/);
    const wrong = await visitor.submit(form, { code: '000000' }, '/factors/app');
    expect([wrong.status, secretOn(wrong)], 'the same secret').to.deep.equal([422, secretOn(form)]);
    const code = totpCode(secretOn(form), ground.now());
    const shown = await visitor.submit(wrong, { code }, '/factors/app');
    expect(recoveryCodesOn(shown)).to.have.length(10);
    expect(await lastMail()).to.match(/^A way to sign in was added to your account/);

    const list = await visitor.get('/account/factors');
    expect(list.html).to.contain('Authenticator app').and.contain('You have 10 left');
    expect((await visitor.get('/account/factors/app')).url, 'one at a time').not.to.contain('/factors/app');

    const half = await signIn(ground.issuer, authorizeUrl(ground.issuer));
    expect(half.page.url).to.contain('/second-factor');
    ground.later(30);
    const done = await half.browser.submit(half.page, { code: totpCode(secretOn(form), ground.now()) });
    expect(done.url).to.contain('code=');
  });

  it('new recovery codes are shown once, and the former ones let nobody in', async () => {
    const withApp = await addApp();
    const { visitor, page } = await openWithApp(withApp);
    const shown = await visitor.submit(page, {}, '/factors/recovery-codes');
    const [code = ''] = recoveryCodesOn(shown);
    expect(recoveryCodesOn(shown)).to.have.length(10);
    expect(recoveryCodesOn(await visitor.get('/account/factors'))).to.deep.equal([]);
    const half = await signIn(ground.issuer, authorizeUrl(ground.issuer));
    const former = { method: 'recovery_code', code: withApp.recoveryCodes[0] ?? '' };
    const refused = await half.browser.submit(half.page, former);
    expect(refused.status).to.equal(422);
    expect((await half.browser.submit(refused, { method: 'recovery_code', code })).url).to.contain('code=');
    expect((await visitor.get('/account/factors')).html).to.contain('You have 9 left');
  });

  it('recovery codes are for who has something that they stand in for', async () => {
    const { visitor, page } = await openPortal(ground.issuer, { path: '/account/factors' });
    expect(page.html).not.to.contain('/factors/recovery-codes');
    const answer = await postForm({ visitor }, '/account/factors/recovery-codes', { csrf: csrfOf(page) });
    expect(answer.status).to.equal(409);
    expect(answer.html).to.contain('Recovery codes are for who has another factor');
  });

  it('one that is removed is asked for no more, and its person is told', async () => {
    const { visitor, page } = await openWithApp(await addApp());
    const [factor = ''] = factorsOn(page);
    const removed = await visitor.submit(page, { factor }, '/factors/remove');
    expect(removed.html).to.contain('It is removed').and.contain('You have none');
    expect(await kinds()).to.deep.equal([]);
    expect(await lastMail()).to.match(/^A way to sign in was removed from your account/);
    expect((await signIn(ground.issuer, authorizeUrl(ground.issuer))).page.url).to.contain('code=');
    const activity = await visitor.get('/account/activity');
    expect(activity.html).to.contain('A way to sign in was removed').and.contain('A way to sign in was added');
  });

  it('a passkey is added by the script of the page, and gets a name', async () => {
    const { visitor, page } = await openPortal(ground.issuer, { path: '/account/factors/passkey' });
    const key = newAuthenticator(ground.issuer);
    const { options, ticket } = ceremonyOn(page);
    const answer = { csrf: csrfOf(page), response: key.register(options), ticket };
    const other = await openPortal(ground.issuer, { path: '/account/factors/passkey' });
    const elsewhere = await postForm(other, '/account/factors/passkey', { ...answer, csrf: csrfOf(other.page) });
    expect(elsewhere.status, 'in another session').to.equal(422);
    const shown = await postForm({ visitor }, '/account/factors/passkey', answer);
    expect(recoveryCodesOn(shown)).to.have.length(10);
    expect(await kinds()).to.deep.equal(['passkey']);

    const list = await visitor.get('/account/factors');
    const [factor = ''] = factorsOn(list);
    for (const name of ['', ' ', '\u200B', 'turned\u202Earound', 'x'.repeat(61)]) {
      const refused = await visitor.submit(list, { factor, name }, '/factors/rename');
      expect(refused.status, JSON.stringify(name)).to.equal(422);
      expect(refused.html).to.match(/role="alert"/);
    }
    const renamed = await visitor.submit(list, { factor, name: ' Key <at> work ' }, '/factors/rename');
    expect(renamed.html).to.contain('The new name is saved').and.contain('value="Key &lt;at&gt; work"');
  });

  async function withMailedCode({ visitor, page }: PortalVisit): Promise<PortalVisit> {
    const sent = await visitor.submit(page, { send: 'yes' }, '/second-factor/email');
    await ground.running.deliverMail();
    const code = /\b\d{6}\b/.exec(ground.running.mailbox.at(-1)?.subject ?? '')?.[0] ?? '';
    return { visitor, page: await visitor.submit(sent, { method: 'email_code', code }) };
  }

  it('codes by e-mail are allowed by who wants them', async () => {
    const { visitor, page } = await openPortal(ground.issuer, { path: '/account/factors' });
    const done = await visitor.submit(page, {}, '/factors/email');
    expect(done.html).to.contain('Codes by e-mail').and.not.contain('/factors/email');
    expect(await kinds()).to.deep.equal(['email']);
    // from here on a change takes a code too
    await isSentToSignIn({ visitor }, '/account/factors/email', { csrf: csrfOf(done) });
    const back = await withMailedCode(
      await openPortal(ground.issuer, { path: '/account/factors', visitor: browser(ground.issuer) }),
    );
    const twice = await postForm(back, '/account/factors/email', { csrf: csrfOf(back.page) });
    expect([twice.status, /There is one of this kind/.test(twice.html)]).to.deep.equal([409, true]);
  });

  it('sec-042 nothing is changed in a session that is older than ten minutes', async () => {
    const { visitor, page } = await openWithApp(await addApp());
    const csrf = csrfOf(page);
    const [factor = ''] = factorsOn(page);
    ground.later(601);
    await isSentToSignIn({ visitor }, '/account/factors/remove', { csrf, factor });
    await isSentToSignIn({ visitor }, '/account/factors/recovery-codes', { csrf });
    await isSentToSignIn({ visitor }, '/account/factors/email', { csrf });
    await isSentToSignIn({ visitor }, '/account/factors/app', { csrf, factor, code: '000000' });
    await isSentToSignIn({ visitor }, '/account/factors/passkey', { csrf, response: '{}', ticket: 'x' });
    for (const path of ['/account/factors/app', '/account/factors/passkey'])
      expect((await visitor.get(path)).url, path).to.contain('/sign-in/');
    expect((await visitor.get('/account/factors')).url, 'looking is free').to.contain('/account/factors');
    expect(await kinds()).to.deep.equal(['totp']);
  });

  it('sec-042 nothing is changed with a password alone by who has more, and the sign-in asks for it', async () => {
    const { visitor } = await openPortal(ground.issuer); // with the password, before there was more
    const withApp = await addApp();
    const list = await visitor.get('/account/factors');
    const csrf = csrfOf(list);
    const [factor = ''] = factorsOn(list);
    await isSentToSignIn({ visitor }, '/account/factors/remove', { csrf, factor });
    await isSentToSignIn({ visitor }, '/account/factors/recovery-codes', { csrf });
    await isSentToSignIn({ visitor }, '/account/factors/email', { csrf });
    await isSentToSignIn({ visitor }, '/account/factors/passkey', { csrf, response: '{}', ticket: 'x' });
    for (const page of ['password', 'email', 'data', 'delete'])
      expect((await visitor.get(`/account/${page}`)).url, page).to.contain('/sign-in/');
    expect(await kinds()).to.deep.equal(['totp']);

    const asked = await openPortal(ground.issuer, { path: '/account/factors/passkey', visitor });
    expect(asked.page.url).to.contain('/second-factor');
    const back = await visitor.submit(asked.page, { code: withApp.freshCode() });
    expect(back.url).to.equal(`${ground.issuer}/account/factors/passkey`);
    const removed = await visitor.submit(await visitor.get('/account/factors'), { factor }, '/factors/remove');
    expect(removed.html).to.contain('It is removed');
  });

  it('sec-028 the session in which a first factor is set up has proven two, under a new identifier; others have not', async () => {
    const elsewhere = await openPortal(ground.issuer);
    const { visitor, page } = await openPortal(ground.issuer, { path: '/account/factors/app' });
    const sessionIn = ({ cookies }: Browser) => [...cookies.values()].find(({ name }) => name === 'sid')?.value;
    const former = browser(ground.issuer);
    for (const [key, cookie] of visitor.cookies) former.cookies.set(key, { ...cookie });
    const secret = secretOn(page);
    await visitor.submit(page, { code: totpCode(secret, ground.now()) }, '/factors/app');
    expect(sessionIn(visitor)).not.to.equal(sessionIn(former));
    const claims = decodeJwt((await ground.tokensIn(visitor)).id_token);
    expect(claims).to.deep.include({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
    for (const path of ['email', 'data', 'factors/passkey'])
      expect((await visitor.get(`/account/${path}`)).url, path).to.equal(`${ground.issuer}/account/${path}`);
    expect((await elsewhere.visitor.get('/account/email')).url).to.contain('/sign-in/');
    expect((await former.get('/account')).url, 'the former identifier').to.contain('/sign-in/');
  });

  it('an app that was scanned before the proof was too old is not scanned again', async () => {
    const { visitor, page } = await openPortal(ground.issuer, { path: '/account/factors/app' });
    ground.later(601);
    const asked = await visitor.submit(page, { code: totpCode(secretOn(page), ground.now()) }, '/factors/app');
    expect(asked.url).to.contain('/sign-in/');
    const back = await visitor.submit(asked, { login: ada.email, password: ada.password });
    expect([back.url, secretOn(back)]).to.deep.equal([`${ground.issuer}/account/factors/app`, secretOn(page)]);
    expect(back.html).to.contain('press the button once more');
    expect(await kinds(), 'nothing is done by itself').to.deep.equal([]);
    await visitor.submit(back, { code: totpCode(secretOn(back), ground.now()) }, '/factors/app');
    expect(await kinds()).to.deep.equal(['totp']);
  });

  it('sec-042 a trusted browser does not stand in for the factor', async () => {
    const withApp = await addApp();
    const first = await openPortal(ground.issuer, { path: '/account/factors' });
    await first.visitor.submit(first.page, { code: withApp.freshCode(), remember: 'yes' });
    ground.later(601);
    const again = await openPortal(ground.issuer, { path: '/account/factors/passkey', visitor: first.visitor });
    expect(again.page.url).to.contain('/second-factor');
    const list = await first.visitor.get('/account/factors');
    const [factor = ''] = factorsOn(list);
    await isSentToSignIn(first, '/account/factors/remove', { csrf: csrfOf(list), factor });
    const page = await first.visitor.get(again.page.url);
    const back = await first.visitor.submit(page, { code: withApp.freshCode() });
    expect(back.url).to.equal(`${ground.issuer}/account/factors/passkey`);
  });

  it('sec-042 a new password makes no proof fresher: neither the second factor nor when it was given', async () => {
    const withApp = await addApp();
    const { visitor } = await openWithApp(withApp);
    const signedInAt = async (): Promise<unknown> => {
      const { id_token: token } = await ground.tokensIn(visitor, 'openid');
      return decodeJwt(token)['auth_time'];
    };
    const before = await signedInAt();
    ground.later(540);
    const form = await visitor.get('/account/password');
    const done = await visitor.submit(form, { password: ada.password, new_password: newPassword });
    expect(done.html).to.contain('You have a new password');
    expect(await signedInAt()).to.equal(before);
    expect((await visitor.get('/account/factors/passkey')).url, 'still fresh').to.contain('/account/factors');
    const list = await visitor.get('/account/factors');
    const [factor = ''] = factorsOn(list);
    ground.later(61);
    await isSentToSignIn({ visitor }, '/account/factors/remove', { csrf: csrfOf(list), factor });
    expect((await visitor.get('/account/factors')).url, 'the session goes on').to.contain('/account/factors');
    expect(await kinds()).to.deep.equal(['totp']);
  });

  it('sec-042 a sign-in that is gone on with later is no fresher for one with less in between', async () => {
    const withApp = await addApp();
    const open = await openSignIn(ground.issuer, { prompt: 'login' });
    const { visitor } = open;
    expect((await submitByHand(open, 'login', { login: ada.email, password: ada.password })).status).to.equal(303);
    const code = { method: 'totp', code: withApp.freshCode(), remember: 'yes' };
    const proven = await submitByHand(open, 'second-factor', code);
    expect(proven.status).to.equal(303); // and it is not followed yet
    ground.later(540);
    const { page } = await signIn(ground.issuer, authorizeUrl(ground.issuer, { prompt: 'login' }), ada, visitor);
    expect(page.url, 'in a browser that is trusted').to.contain('code=');
    expect((await visitor.get(proven.headers.get('location') ?? '')).url).to.contain('code=');
    expect((await visitor.get('/account/factors/passkey')).url, 'still fresh').to.contain('/account/factors');
    ground.later(61);
    expect((await visitor.get('/account/factors/passkey')).url).to.contain('/sign-in/');
  });

  it('sec-012 a factor of somebody else is answered as one that does not exist', async () => {
    const { visitor, page } = await openWithApp(await addApp());
    const [factor = ''] = factorsOn(page);
    const stranger = await openPortal(ground.issuer, { path: '/account/factors', person: consultant });
    const csrf = csrfOf(stranger.page);
    const { factorKinds } = await ground.running.app.administration.getUserByEmail(ada.email);
    for (const [path, members] of [
      ['/account/factors/remove', {}],
      ['/account/factors/rename', { name: 'Mine' }],
    ] as const) {
      const [foreign, missing] = await Promise.all(
        [factor, 'fac_none'].map((id) => postForm(stranger, path, { csrf, factor: id, ...members })),
      );
      expect([foreign?.status, missing?.status], path).to.deep.equal([404, 404]);
    }
    expect(await kinds()).to.deep.equal(factorKinds);
    expect(factorsOn(await visitor.get('/account/factors'))).to.deep.equal([factor]);
  });

  it('sec-030 nothing is changed without the token of the session', async () => {
    const { visitor, page } = await openWithApp(await addApp());
    const [factor = ''] = factorsOn(page);
    const other = await openPortal(ground.issuer, { path: '/account/profile', person: consultant });
    for (const wrong of ['', 'x', csrfOf(other.page)]) {
      expect((await postForm({ visitor }, '/account/factors/remove', { csrf: wrong, factor })).status).to.equal(403);
      expect((await postForm({ visitor }, '/account/factors/recovery-codes', { csrf: wrong })).status).to.equal(403);
    }
    expect(await kinds()).to.deep.equal(['totp']);
  });

  it('sec-030 of two who remove the same one at once one does, and the other is told that there is none', async () => {
    const { visitor, page } = await openWithApp(await addApp());
    const members = { csrf: csrfOf(page), factor: factorsOn(page)[0] ?? '' };
    const answers = await Promise.all([1, 2].map(() => postForm({ visitor }, '/account/factors/remove', members)));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([303, 404]);
  });
});
