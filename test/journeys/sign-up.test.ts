// From an address that nobody has here to a token of a tenant of their own.
import { expect } from 'chai';
import { authorizeUrl, openSignIn, type OpenPage } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada, contractSeed, webSecret } from '../support/contract-seed.js';
import { askForAccount, linkIn, signUpLink, subjectsTo, userIdOf } from '../support/mail-links.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { sendToPair } from '../support/server-pair.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const grace = { email: 'grace@example.com', name: 'Grace Hopper', password: 'nine lives of a black cat' };

describe('signing up', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let now: Date;
  beforeEach(async () => {
    now = new Date();
    running = await startApp({ now: () => now });
  });
  afterEach(closeApps);

  const complete = async (visitor: Browser, link: string, { name, password } = grace): Promise<Page> =>
    visitor.submit(await visitor.get(link), { name, password });

  it('leads from the login page by mail to an account with a tenant of its own, and on to a token', async () => {
    const request = await (await relyingParty(running.issuer)).begin();
    const visitor = browser(running.issuer);
    const login = await visitor.get(request.url);
    const start = /href="(\/sign-in\/[\w-]+\/register)"/.exec(login.html)?.[1] ?? '';
    const sent = await askForAccount(visitor, grace.email, start);
    expect(sent.html).to.contain('Look into your mail');
    const back = await complete(visitor, (await linkIn(running, grace.email, 'sign-up')) ?? '');
    expect(back.url).to.match(/\/sign-in\/[\w-]+$/);
    const done = await visitor.submit(back, { login: grace.email, password: grace.password });
    const claims = (await request.finish(done.url)).claims();
    expect(claims).to.include({ email: grace.email, email_verified: true, name: grace.name });

    const userId = await userIdOf(running, grace.email);
    const memberships = await running.database.collection('memberships').find({ userId }).toArray();
    expect(memberships).to.have.lengthOf(1);
    expect(memberships[0]).to.deep.include({ roles: ['owner'] });
    const tenant = await running.app.administration.getTenant(String(memberships[0]?.['tenantId']));
    expect(tenant).to.include({ type: 'personal', name: 'Personal', status: 'active' });
    expect(tenant.seats.members).to.equal(1);
    expect(tenant.slug).to.match(/^personal-[0-9a-f]{16}$/);
  });

  it('ends with a page that says so where no sign-in waits', async () => {
    const visitor = browser(running.issuer);
    const done = await complete(visitor, await signUpLink(running, visitor, grace.email));
    expect(done.html).to.contain('Your account is ready');
    const { page } = await signIn(running.issuer, authorizeUrl(running.issuer), grace);
    expect(new URL(page.url).searchParams.has('code')).to.equal(true);
  });

  it('can be asked for again, and both links work until one of them has', async () => {
    const visitor = browser(running.issuer);
    const sent = await askForAccount(visitor, grace.email);
    const first = (await linkIn(running, grace.email, 'sign-up')) ?? '';
    expect((await visitor.submit(sent, {})).html).to.contain('Look into your mail');
    const second = (await linkIn(running, grace.email, 'sign-up')) ?? '';
    expect(second).not.to.equal(first);
    await complete(visitor, first);
    expect((await complete(visitor, second)).status, 'there is an account by now').to.equal(409);
  });

  it('sec-050 tells who has an account by mail alone', async () => {
    const visitor = browser(running.issuer);
    const unknown = await askForAccount(visitor, 'ade@example.com');
    const known = await askForAccount(visitor, ada.email);
    const masked = ({ html }: Page, email: string): string =>
      html
        .replaceAll(email, '*')
        .replace(/value="[\w-]{43}"/g, '')
        .replace(/[\da-f-]{36}/g, '');
    expect(masked(known, ada.email)).to.equal(masked(unknown, 'ade@example.com'));
    expect(await subjectsTo(running, ada.email)).to.deep.equal(['You have an account']);
    expect(await linkIn(running, ada.email, 'sign-up')).to.equal(null);
  });

  it('sec-004 gives an account that nobody has proven to who reads the mail, with nothing of what was there', async () => {
    const squatter = { email: grace.email, password: 'whatever a squatter thinks of' };
    await running.app.seeding.applySeed({ users: [{ ...squatter, name: 'Somebody Else' }] });
    const before = await signIn(running.issuer, authorizeUrl(running.issuer), squatter);
    const visitor = browser(running.issuer);
    await complete(visitor, await signUpLink(running, visitor, grace.email));
    const tried = await signIn(running.issuer, authorizeUrl(running.issuer), squatter);
    expect(tried.page.html).to.contain('name="password"');
    const silent = await before.browser.get(authorizeUrl(running.issuer, { prompt: 'none' }));
    expect(silent.url).to.contain('error=login_required');
    const user = await running.app.administration.getUserByEmail(grace.email);
    expect([user.emailVerified, user.profile]).to.deep.equal([true, { name: grace.name }]);
  });

  it('says what is wrong with the form, and the link still works', async () => {
    const visitor = browser(running.issuer);
    const notSent = await askForAccount(visitor, 'no address');
    expect([notSent.status, notSent.html.includes('This is no e-mail address')]).to.deep.equal([422, true]);
    const page = await visitor.get(await signUpLink(running, visitor, grace.email));
    for (const [members, why] of [
      [{ ...grace, name: '  ' }, 'what you are called'],
      [{ ...grace, name: '\u200b\u2060' }, 'what you are called'],
      [{ ...grace, password: 'too short' }, 'at least 15 characters'],
      [{ ...grace, password: 'gracehopper@example' }, 'mostly your name'],
    ] as const) {
      const answer = await visitor.submit(page, { name: members.name, password: members.password });
      expect([answer.status, answer.html.includes(why)], why).to.deep.equal([422, true]);
    }
    expect((await visitor.submit(page, { name: 'a\u202eb', password: grace.password })).status).to.equal(400);
    const done = await visitor.submit(page, { name: grace.name, password: grace.password });
    expect(done.html).to.contain('Your account is ready');
  });

  it('sec-027 what somebody calls themselves is text in every mail, and no header', async () => {
    const visitor = browser(running.issuer);
    const link = await signUpLink(running, visitor, grace.email);
    await complete(visitor, link, { ...grace, name: '<a href="//evil.example">Win</a>' });
    await visitor.submit(await visitor.get('/recover'), { login: grace.email });
    await visitor.submit(await visitor.get('/recover'), { login: 'x@example.com\r\nBcc: y@example.com' });
    await running.deliverMail();
    for (const { to, subject, html, text } of running.mailbox) {
      expect(to).to.equal(grace.email);
      expect(subject + html + text)
        .not.to.contain('evil.example"')
        .and.not.contain('Bcc');
    }
  });

  it('is over after a day', async () => {
    const visitor = browser(running.issuer);
    const link = await signUpLink(running, visitor, grace.email);
    now = new Date(now.getTime() + 86_400_000 + 1000);
    expect((await visitor.get(link)).status).to.equal(410);
  });

  describe('sec-013 where it is closed', () => {
    const registration = async (open: OpenPage): Promise<[number, number]> => {
      const shown = await open.visitor.get(`/sign-in/${open.uid}/register`);
      const posted = await open.visitor.request(`/sign-in/${open.uid}/register`, {
        method: 'POST',
        body: new URLSearchParams({ csrf: open.csrf, login: grace.email }),
      });
      return [shown.status, posted.status];
    };

    it('on the platform, no page of it answers, and a link that was sent before opens nothing', async () => {
      const link = await signUpLink(running, browser(running.issuer), grace.email);
      const { port } = await startApp({ sharedWith: running, signUp: 'closed' });
      const closed = { issuer: running.issuer, ports: [port, port], databaseUri: running.databaseUri } as const;
      for (const path of ['/sign-up', link]) {
        expect((await sendToPair(closed, 0, { path })).status, path).to.equal(403);
        expect((await sendToPair(closed, 0, { path, form: { login: grace.email } })).status, path).to.equal(403);
      }
    });

    it('for who comes from no app, where the platform says so; the way into an app stays open', async () => {
      const link = await signUpLink(running, browser(running.issuer), grace.email);
      const { port } = await startApp({ sharedWith: running, signUp: 'apps' });
      const closed = { issuer: running.issuer, ports: [port, port], databaseUri: running.databaseUri } as const;
      for (const path of ['/sign-up', link]) {
        expect((await sendToPair(closed, 0, { path })).status, path).to.equal(403);
        expect((await sendToPair(closed, 0, { path, form: { login: grace.email } })).status, path).to.equal(403);
      }
      expect((await sendToPair(closed, 0, { path: `/sign-up/${'x'.repeat(43)}` })).status).to.equal(410);
      const asking = await openSignIn(running.issuer);
      await askForAccount(asking.visitor, grace.email, `/sign-in/${asking.uid}/register`);
      const ofApp = (await linkIn(running, grace.email, 'sign-up')) ?? '';
      expect((await sendToPair(closed, 0, { path: ofApp })).status).to.equal(200);
    });

    it('by a client since a link was sent on the way into it: the link opens nothing', async () => {
      const asking = await openSignIn(running.issuer);
      await askForAccount(asking.visitor, grace.email, `/sign-in/${asking.uid}/register`);
      const link = (await linkIn(running, grace.email, 'sign-up')) ?? '';
      const page = await asking.visitor.get(link);
      expect(page.status).to.equal(200);
      await running.app.seeding.applySeed({ clients: [{ ...contractSeed.clients?.[0], signUp: false } as never] });
      expect((await asking.visitor.get(link)).status).to.equal(403);
      const posted = await asking.visitor.submit(page, { name: grace.name, password: grace.password });
      expect(posted.status).to.equal(403);
    });

    it('by a client, and for clients of tenants unless they say that they want it', async () => {
      const app = (client_id: string, more: object): object => ({
        ...contractSeed.clients?.[0],
        ...{ client_id, client_secret: webSecret, ...more },
      });
      const clients = [
        app('closed', { signUp: false }),
        app('of-acme', { tenant: 'acme' }),
        app('open-of-acme', { tenant: 'acme', signUp: true }),
      ] as never;
      await running.app.seeding.applySeed({ clients });
      for (const [client_id, isOpen] of [
        ['closed', false],
        ['of-acme', false],
        ['open-of-acme', true],
        ['web', true],
      ] as const) {
        const open = await openSignIn(running.issuer, { client_id });
        expect(open.page.html.includes('/register"'), client_id).to.equal(isOpen);
        const [shown, posted] = await registration(open);
        expect(shown, client_id).to.equal(isOpen ? 200 : 403);
        if (!isOpen) expect(posted, client_id).to.equal(403);
      }
    });
  });
});
