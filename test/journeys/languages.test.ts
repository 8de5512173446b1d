// In which language people are told things.
import { expect } from 'chai';
import { systemAuthority } from '../../src/kernel/actor.js';
import { authorizeUrl } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { linkIn } from '../support/mail-links.js';
import { openPortal } from '../support/portal.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const german = { email: 'grete@example.com', password: 'neun Leben einer Katze' };

describe('languages', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    const users = [...(contractSeed.users ?? []), { ...german, emailVerified: true, name: 'Grete' }];
    running = await startApp({ seed: { ...contractSeed, users } });
    issuer = running.issuer;
    const { id } = await running.app.administration.getUserByEmail(german.email);
    await running.app.administration.changeOwnProfile(id, {
      changes: { locale: 'de-AT', zoneinfo: 'Europe/Vienna' },
    });
  });
  afterEach(closeApps);

  const browserThatSpeaks = (languages: string): Browser =>
    browser(issuer, (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('Accept-Language', languages);
      return fetch(input, { ...init, headers });
    });

  function expectGerman({ html, headers }: Page): void {
    expect(html).to.contain('<html lang="de">');
    expect(headers.get('content-language')).to.equal('de');
    expect(headers.get('vary')).to.match(/accept-language/i);
  }

  for (const [languages, language] of [
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['fr,de;q=0.5', 'de'],
    ['en,de;q=0.9', 'en'],
    ['de;q=0', 'en'],
    ['fr', 'en'],
    ['*', 'en'],
    ['', 'en'],
    ['%&$,;;q=x', 'en'],
  ] as const)
    it(`a browser that accepts ${languages || 'nothing'} is answered in ${language}`, async () => {
      const page = await browserThatSpeaks(languages).get('/');
      expect(page.html).to.contain(`<html lang="${language}">`);
    });

  it('are named in the discovery document', async () => {
    const discovery = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as object;
    expect(discovery).to.deep.include({ ui_locales_supported: ['en', 'de'] });
  });

  it('a sign-in speaks as it was asked to from its first page to its last, whatever the browser accepts', async () => {
    const visitor = browserThatSpeaks('en');
    const page = await visitor.get(authorizeUrl(issuer, { ui_locales: 'fr de-CH' }));
    expectGerman(page);
    expect(page.html).to.contain('<h1>Anmelden</h1>');
    const refused = await visitor.submit(page, { login: ada.email, password: 'wrong' });
    expectGerman(refused);
    expect(refused.html)
      .to.contain('passen zu keinem Konto')
      .and.match(/<title>Fehler: Anmelden · /);
    const lost = await visitor.request(`${page.url}/login`, { method: 'POST' });
    expect(lost.html, 'errors too').to.contain('Formulare werden').and.contain('<html lang="de">');
    const done = await visitor.submit(refused, { login: ada.email, password: ada.password });
    expect(new URL(done.url).searchParams.has('code')).to.equal(true);
  });

  it('what is asked before a sign-in ends is asked in the language of the sign-in', async () => {
    const { administration } = running.app;
    const { id: tenantId } = await administration.getTenant('acme');
    const terms = { version: '1', uri: 'https://acme.example/terms' };
    const policies = { terms, requiredProfile: ['givenName' as const] };
    await administration.changeSettings(systemAuthority('command'), { tenantId }, { policies });
    const visitor = browser(issuer);
    const login = await visitor.get(authorizeUrl(issuer, { ui_locales: 'de' }));
    const asked = await visitor.submit(login, { login: ada.email, password: ada.password });
    expectGerman(asked);
    expect(asked.html).to.contain('Bedingungen von Acme').and.contain('Annehmen und weiter');
    const profile = await visitor.submit(asked, { accept: 'yes' });
    const empty = await visitor.submit(profile, { given_name: ' ' });
    expectGerman(empty);
    expect(empty.html).to.contain('Vervollständigen Sie Ihr Profil').and.contain('Das Feld „Vorname“ ist noch leer.');
  });

  it('a forgotten password is set in the language of the sign-in, also from the mail in another browser', async () => {
    const visitor = browser(issuer);
    const page = await visitor.get(authorizeUrl(issuer, { ui_locales: 'de' }));
    const start = /href="(\/sign-in\/[\w-]+\/recover[^"]*)"/.exec(page.html)?.[1] ?? '';
    const form = await visitor.get(start);
    expectGerman(form);
    const sent = await visitor.submit(form, { login: ada.email });
    expectGerman(sent);
    await running.deliverMail();
    const mail = running.mailbox.at(-1);
    expect(mail?.subject).to.equal('Neues Passwort festlegen');
    expect(mail?.text).to.contain('Jemand hat für das Konto von ada@example.com').and.contain(' UTC.');
    const link = /http\S+\/recover\/\S+/.exec(mail?.text ?? '')?.[0] ?? '';
    const reader = browser(issuer);
    const opened = await reader.get(link);
    expectGerman(opened);
    const weak = await reader.submit(opened, { password: 'kurz' });
    expectGerman(weak);
    expect(weak.html).to.contain('mindestens 15 Zeichen');
    const done = await reader.submit(weak, { password: 'neun Leben einer Katze' });
    expectGerman(done);
    expect(done.html).to.contain('Ihr Passwort ist geändert');
    await running.deliverMail();
    expect(running.mailbox.at(-1)?.subject).to.equal('Ihr Passwort wurde geändert');
  });

  it('people read their own pages and letters in their own language, with times of their own zone', async () => {
    const visit = await openPortal(issuer, { path: '/account/profile', person: german });
    expectGerman(visit.page);
    expect(visit.page.html).to.contain('<h1>Profil</h1>');
    const activity = await visit.visitor.get('/account/activity');
    expect(activity.html).to.contain('Sie haben sich angemeldet').and.not.contain('UTC');
    const asked = await visit.visitor.get('/account/delete');
    const gone = await visit.visitor.submit(asked, { confirmation: german.email });
    expect(gone.html).to.contain('Ihr Konto ist geschlossen');
    await running.deliverMail();
    const mail = running.mailbox.at(-1);
    expect(mail?.subject).to.equal('Ihr Konto soll gelöscht werden');
    expect(mail?.html).to.contain('<html lang="de">').and.not.contain('UTC');
  });

  it('somebody without a language of their own is written to in that of the page, and is shown theirs at the link', async () => {
    const visitor = browserThatSpeaks('de');
    await visitor.submit(await visitor.get('/recover'), { login: ada.email });
    const link = await linkIn(running, ada.email, 'recover');
    expect(running.mailbox.at(-1)?.subject).to.equal('Neues Passwort festlegen');
    expect((await browser(issuer).get(link ?? '')).html, 'the bare address says nothing').to.contain('lang="en"');
  });

  it('sec-034 what is sent as a language is looked up and never shown', async () => {
    const visitor = browser(issuer);
    for (const asked of ['"><script>alert(1)</script>', 'de\r\nX-Evil: 1', '../../etc/passwd', '__proto__'])
      for (const page of [
        await visitor.get(authorizeUrl(issuer, { ui_locales: asked })),
        await visitor.get(`/recover?ui_locales=${encodeURIComponent(asked)}`),
      ]) {
        expect(page.status).to.equal(200);
        expect(page.html).not.to.contain('<script>alert').and.not.contain('passwd');
        expect(page.headers.get('x-evil')).to.equal(null);
      }
    const twice = await visitor.get('/recover?ui_locales=de&ui_locales=en');
    expect(twice.html).to.contain('<html lang="en">');
  });
});
