// A sign-in in a browser that the account does not know is told of by mail.
import { expect } from 'chai';
import { authorizeUrl } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { askForAccount, linkIn, recoveryLink } from '../support/mail-links.js';
import { openPortal } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { closeApps } from '../support/start-app.js';
import { newPassword, openGround, type AccountGround } from './account-ground.js';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const subject = 'A sign-in to your account in a new browser';

describe('a sign-in in a new browser', function () {
  this.timeout(30_000);
  let ground: AccountGround;
  beforeEach(async () => {
    ground = await openGround();
  });
  afterEach(closeApps);

  const enter = async (visitor: Browser, changes: Record<string, string> = {}, who = ada): Promise<Page> =>
    (await signIn(ground.issuer, authorizeUrl(ground.issuer, changes), who, visitor)).page;

  async function notices(): Promise<{ to: string; subject: string; text: string; html: string }[]> {
    await ground.running.deliverMail();
    return ground.running.browserNotices;
  }

  /** Somebody who has signed in before, in a browser that is not used again. */
  async function known(): Promise<void> {
    expect((await enter(browser(ground.issuer))).url).to.contain('code=');
  }

  it('is told of once, with when, from where and with what, and what to do', async () => {
    await known();
    ground.later(86_400);
    const visitor = ground.browserAs(firefox);
    const at = ground.now();
    expect((await enter(visitor)).url).to.contain('code=');
    const [mail, ...others] = await notices();
    expect(others).to.deep.equal([]);
    expect(mail).to.deep.include({ to: ada.email, subject });
    const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(at);
    for (const body of [mail?.text, mail?.html])
      expect(body)
        .to.contain(day)
        .and.contain('127.0.0.1')
        .and.contain('Firefox on Linux')
        .and.contain(`${ground.issuer}/account/sessions`)
        .and.contain(`${ground.issuer}/recover`);
    expect((await visitor.get('/account/sessions')).html).to.contain('Firefox on Linux');
  });

  it('is not told of again in that browser, whatever it signs in to', async () => {
    await known();
    const visitor = browser(ground.issuer);
    await enter(visitor);
    expect(await notices()).to.have.length(1);
    await enter(visitor, { prompt: 'login' });
    await visitor.get(authorizeUrl(ground.issuer, { scope: 'openid' }));
    for (const [key, { name }] of visitor.cookies) if (name.startsWith('sid')) visitor.cookies.delete(key);
    const back = await visitor.get(authorizeUrl(ground.issuer));
    expect(back.html, 'signed out').to.contain('name="password"');
    await visitor.submit(back, { login: ada.email, password: ada.password });
    expect(await notices()).to.have.length(1);
  });

  it('is not told of when it is the very first of an account: seeded, or just made', async () => {
    await known();
    const visitor = browser(ground.issuer);
    const email = 'newcomer@example.net';
    await askForAccount(visitor, email);
    const form = await visitor.get((await linkIn(ground.running, email, 'sign-up')) ?? '');
    await visitor.submit(form, { name: 'New Comer', password: newPassword });
    await openPortal(ground.issuer, { person: { email, password: newPassword } });
    expect(await notices()).to.deep.equal([]);
    await openPortal(ground.issuer, { person: { email, password: newPassword } });
    expect((await notices()).map(({ to }) => to)).to.deep.equal([email]);
  });

  it('tells of nobody who does not come in', async () => {
    await known();
    const wrong = await enter(browser(ground.issuer), {}, { ...ada, password: 'not the right one' });
    expect(wrong.status).to.equal(422);
    expect(await notices()).to.deep.equal([]);
  });

  it('a browser is new again to an account with a new password', async () => {
    const visitor = browser(ground.issuer);
    await enter(visitor);
    const form = await visitor.get(await recoveryLink(ground.running, visitor, ada.email));
    await visitor.submit(form, { password: newPassword });
    expect(await notices()).to.deep.equal([]);
    expect((await enter(visitor, {}, { ...ada, password: newPassword })).url).to.contain('code=');
    expect(await notices()).to.have.length(1);
  });

  it('says nothing that the browser says of itself, markup least of all', async () => {
    await known();
    const lie = '<img src=x onerror=alert(1)> {email} Click-here https://evil.example Firefox/<b>1</b>';
    await enter(ground.browserAs(lie));
    await enter(ground.browserAs(`"><script>alert(1)</script>`));
    const mails = await notices();
    expect(mails).to.have.length(2);
    for (const { text, html } of mails)
      for (const body of [text, html])
        expect(body).not.to.match(/<img|<script|onerror|alert\(1\)|evil\.example|Click-here|&lt;/);
    const shown = mails.map(({ text }) =>
      text.includes('With: Firefox.') ? 'Firefox' : /With: ([^.]+)/.exec(text)?.[1],
    );
    expect(shown).to.have.members(['Firefox', 'A browser']);
  });

  it('is told of in the language of the person, or else of the page', async () => {
    await known();
    await enter(browser(ground.issuer), { ui_locales: 'de' });
    const [mail] = await notices();
    expect(mail?.subject).to.equal('Anmeldung bei Ihrem Konto in einem neuen Browser');
    expect(mail?.html).to.contain('<html lang="de">').and.contain('Ein Browser');
  });
});
