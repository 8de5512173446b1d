/// <reference lib="dom" />
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { systemAuthority } from '../../src/kernel/actor.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { loadedWith, looks, useChromium, type Visitor } from '../support/chromium.js';
import { ada } from '../support/contract-seed.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { seedDemo, startDemo, type DemoProcess } from './demo-process.js';
import { listeningApp, type ListeningApp } from './listening-app.js';

describe('every page in a real browser', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let app: ListeningApp;
  let demo: DemoProcess | undefined;

  beforeEach(async () => {
    app = await listeningApp();
  });
  afterEach(async () => {
    await app.close();
    await demo?.close();
    demo = undefined;
  });
  afterEach(closeApps);

  for (const look of looks) {
    it(`fits the window and makes no complaint: from login to signed out (${look.name})`, async () => {
      const { issuer } = await startApp({ seed: app.seed });
      const party = await relyingParty(issuer, 'report-viewer');
      const { url } = await party.begin({ redirect_uri: app.redirectUri, scope: 'openid profile email projects:read' });
      const visitor = await visit(look);
      const { page, complaints, inspect } = visitor;

      await page.goto(issuer);
      await inspect('front');
      await page.goto(url);
      await inspect('login');
      await signIn(visitor, { ...ada, password: 'not the password of Ada' });
      await page.getByRole('alert').waitFor();
      await inspect('login-refused');
      await signIn(visitor, ada);
      await page.waitForSelector('button[name=tenant]');
      await inspect('pick-tenant');
      await page.click('button[name=tenant][value=acme]');
      await page.waitForSelector('#consent-accept');
      await inspect('consent');
      await page.click('#consent-accept');
      await page.waitForURL(`${app.redirectUri}?**`);
      await page.goto(`${issuer}/oauth2/logout?client_id=report-viewer`);
      await inspect('sign-out');
      await page.click('#logout-confirm');
      await page.waitForURL(`${issuer}/oauth2/logout/success**`);
      await inspect('signed-out');
      expect(complaints).to.deep.equal([loadedWith(422, 'Unprocessable Entity')]);
    });

    it(`fits the window and makes no complaint: long lists, long names (${look.name})`, async () => {
      const { issuer } = await startApp({ seed: crowded(app.seed) });
      const { url } = await (await relyingParty(issuer)).begin({ redirect_uri: app.redirectUri });
      const visitor = await visit(look);
      await visitor.page.goto(url);
      await signIn(visitor, ada);
      await visitor.page.waitForSelector('button[name=tenant]');
      await visitor.inspect('pick-tenant-of-many');
      await visitor.page.focus('button[form=find]'); // the search comes before what is found
      for (const name of await visitor.page.locator('button[name=tenant] .name').allInnerTexts()) {
        await visitor.page.keyboard.press('Tab');
        expect(await nameInFocus(visitor.page), 'the bar at the bottom hides no choice').to.equal(name);
      }
      expect(visitor.complaints).to.deep.equal([]);
    });

    it(`fits the window and makes no complaint: an invitation, from its link to a member (${look.name})`, async () => {
      const running = await startApp({ seed: app.seed });
      const { administration } = running.app;
      const by = systemAuthority('command');
      const { id } = await administration.getTenant('acme');
      for (const email of ['newcomer@example.com', ada.email.replace('ada', 'somebody.else')])
        await administration.createInvitation(by, id, { email, roles: ['member'] });
      await running.deliverMail();
      const linkTo = (email: string): string =>
        /http\S+\/invitations\/[\w-]{43}/.exec(running.mailbox.find(({ to }) => to === email)?.text ?? '')?.[0] ?? '';
      const { page, complaints, inspect } = await visit(look);

      await page.setContent(running.mailbox[0]?.html ?? '');
      await inspect('mail-invitation');
      await page.goto(linkTo('newcomer@example.com'));
      await inspect('sign-up');
      await page.fill('#name', 'Newcomer');
      await page.fill('#password', 'too short');
      await page.click('#submit');
      await page.getByRole('alert').waitFor();
      await inspect('sign-up-refused');
      await page.fill('#password', 'a password of the newcomer');
      await page.click('#submit');
      await page.waitForSelector('#invitation-accept');
      await inspect('invitation');
      await page.goto(linkTo('somebody.else@example.com'));
      await page.waitForSelector('#invitation-as-another');
      await inspect('invitation-of-another');
      await page.goto(linkTo('newcomer@example.com'));
      await page.click('#invitation-accept');
      await page.waitForURL(`${running.issuer}/invitations/joined**`);
      await inspect('joined');
      expect(complaints).to.deep.equal([loadedWith(422, 'Unprocessable Entity')]);
    });

    it(`fits the window and makes no complaint but its status: errors (${look.name})`, async () => {
      const { issuer } = await startApp({ seed: app.seed });
      const { page, complaints, inspect } = await visit(look);
      const authorization = `${issuer}/oauth2/authorize?client_id=web&response_type=code&scope=openid`;

      await page.goto(`${issuer}/oauth2/authorize?client_id=nobody&response_type=code`);
      await inspect('error-unknown-client');
      await page.goto(`${authorization}&redirect_uri=${encodeURIComponent('http://localhost:1/not-registered')}`);
      await inspect('error-redirect-uri');
      await page.goto(`${issuer}/sign-in/of-yesterday`);
      await inspect('error-expired');
      await page.goto(`${issuer}/nowhere`);
      await inspect('error-not-found');
      expect(complaints).to.have.length(4);
      expect(new Set(complaints)).to.have.all.keys(loadedWith(400, 'Bad Request'), loadedWith(404, 'Not Found'));
    });

    it(`fits the window and makes no complaint: the demo (${look.name})`, async () => {
      const server = await startApp({ seed: {} });
      demo = await startDemo(server.issuer);
      await seedDemo(server, demo.address);
      const visitor = await visit(look);
      const { page, complaints, inspect } = visitor;

      await page.goto(demo.address);
      await inspect('demo-signed-out');
      await page.fill('#tenant', 'acme');
      await page.click('#sign-in');
      await signIn(visitor, ada);
      await page.waitForURL(`${demo.address}/`);
      await page.click('#call-api');
      await page.waitForSelector('#api-answer');
      await inspect('demo-signed-in');
      expect(complaints).to.deep.equal([]);
    });
  }

  it('is watched by something that sees: a page that runs script, breaks its policy and is too wide', async () => {
    const origin = await servePage(
      '<title>Bad</title><h1 style="color: red">Bad</h1><script>document.title = "ran"</script><pre>' +
        'wide'.repeat(500),
      { 'Content-Security-Policy': "style-src 'self'" },
    );
    const { page, complaints, inspect } = await visit();
    await page.goto(origin);
    expect(await page.title()).to.equal('Bad');
    expect(complaints.join('\n'))
      .to.contain('CSP: style-src')
      .and.to.match(/inline style/i);
    let refusal: unknown;
    await inspect('bad').catch((error: unknown) => (refusal = error));
    expect(String(refusal)).to.contain('no wider than the window');
  });
});

async function signIn({ page }: Visitor, person: { email: string; password: string }): Promise<void> {
  await page.fill('#login', person.email);
  await page.fill('#password', person.password);
  await page.click('#submit');
}

/** Name on the choice that has the keyboard, provided it can be seen. */
async function nameInFocus(page: Page): Promise<string | undefined> {
  return page.evaluate(() => {
    const name = document.activeElement?.querySelector<HTMLElement>('.name');
    const { left = 0, top = 0, height = 0 } = name?.getBoundingClientRect() ?? {};
    return document.elementFromPoint(left + 1, top + height / 2) === name ? name?.innerText : undefined;
  });
}

/** The same person in a dozen tenants more, some of whose names do not want to fit. */
function crowded(seed: SeedInput): SeedInput {
  const names = Array.from({ length: 12 }, (_, index) =>
    index % 3 === 0
      ? `Acme Inc, department for everything that has no department of its own, branch ${index}`
      : index % 3 === 1
        ? `Acme${'-and-a-name-without-a-space'.repeat(2)}-${index}`
        : `Acme Inc ${index}`,
  );
  const tenants = names.map((name, index) => ({ slug: `acme-${index}`, name, type: 'team' as const }));
  const [person] = seed.users ?? [];
  if (!person) throw new Error('a seed with a person is needed');
  const more = tenants.map(({ slug }) => ({ tenant: slug, roles: ['member'] }));
  return {
    ...seed,
    tenants: [...(seed.tenants ?? []), ...tenants],
    users: [{ ...person, memberships: [...(person.memberships ?? []), ...more] }],
  };
}

async function servePage(html: string, headers: Record<string, string>): Promise<string> {
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...headers }).end(`<!doctype html>${html}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}
