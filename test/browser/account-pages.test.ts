/// <reference lib="dom" />
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { systemAuthority } from '../../src/kernel/actor.js';
import { seriousFindings } from '../support/axe.js';
import { loadedWith, looks, useChromium, type Visitor } from '../support/chromium.js';
import { ada } from '../support/contract-seed.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { listeningApp, type ListeningApp } from './listening-app.js';

const sections = [
  'profile',
  'password',
  'factors',
  'sessions',
  'activity',
  'tenants',
  'invitations',
  'apps',
  'terms',
  'data',
  'delete',
];
const factorPages = ['/factors/app', '/factors/passkey'];

describe('the account portal in a real browser', function () {
  this.timeout(90_000);
  const { visit } = useChromium();
  let app: ListeningApp;

  beforeEach(async () => {
    app = await listeningApp();
  });
  afterEach(async () => app.close());
  afterEach(closeApps);

  /** Somebody with something in every section. */
  async function start(): Promise<RunningApp> {
    const running = await startApp({ seed: app.seed });
    const by = systemAuthority('command');
    const { administration } = running.app;
    const { id: ownerId } = await administration.createUser(by, { email: 'o@example.com', emailVerified: true });
    const draft = { slug: 'globex', name: 'Globex and its many subsidiaries', type: 'team' as const, ownerId };
    const { id } = await administration.createTenant(by, draft);
    await administration.createInvitation(by, id, { email: ada.email, roles: ['member'] });
    const { id: userId } = await administration.getUserByEmail(ada.email);
    await administration.createTenant(by, { slug: 'alone', name: 'Run by Ada', type: 'team', ownerId: userId });
    return running;
  }

  async function allowReportViewer({ page }: Visitor, issuer: string): Promise<void> {
    const party = await relyingParty(issuer, 'report-viewer');
    const scope = 'openid profile email projects:read offline_access';
    const { url } = await party.begin({ redirect_uri: app.redirectUri, scope, tenant: 'acme', prompt: 'consent' });
    await page.goto(url);
    await signIn(page);
    await page.click('#consent-accept');
    await page.waitForURL(`${app.redirectUri}?**`);
  }

  for (const look of looks) {
    it(`fits the window and makes no complaint, in every section (${look.name})`, async () => {
      const running = await start();
      const { issuer } = running;
      const visitor = await visit(look);
      const { page, complaints, inspect } = visitor;
      await allowReportViewer(visitor, issuer);
      await page.goto(`${issuer}/account`);
      await inspect('account-overview');
      for (const section of sections) {
        await page.goto(`${issuer}/account/${section}`);
        expect(await page.getAttribute('nav [aria-current=page]', 'href')).to.equal(`/account/${section}`);
        await inspect(`account-${section}`);
      }
      for (const path of factorPages) {
        await page.goto(`${issuer}/account${path}`);
        await inspect(`account${path.replaceAll('/', '-')}`);
      }
      await page.goto(`${issuer}/account/profile`);
      await page.fill('#zoneinfo', 'Middle/Earth');
      await page.click('#submit');
      await inspect('account-profile-refused');
      await page.fill('#zoneinfo', 'Europe/Vienna');
      await page.click('#submit');
      await page.getByRole('status').waitFor();
      await inspect('account-profile-saved');
      await page.goto(`${issuer}/account/delete`);
      for (let owned = await page.locator('button[name=tenant]').count(); owned > 0; owned--)
        await page.locator('button[name=tenant]').first().click();
      await page.fill('#confirmation', ada.email);
      await inspect('account-delete-confirm');
      await page.click('#submit');
      await page.waitForSelector('#confirmation', { state: 'detached' });
      await inspect('account-deleted');
      await running.deliverMail();
      const { text = '', html = '' } = running.mailbox.findLast(({ to }) => to === ada.email) ?? {};
      await page.goto(/http\S+\/account\/deletion\/[\w-]+/.exec(text)?.[0] ?? '');
      await inspect('account-deletion');
      await page.click('#submit');
      await inspect('account-kept');
      await page.goto(`${issuer}/account/signed-out`);
      await inspect('account-signed-out');
      expect(complaints).to.deep.equal([loadedWith(422, 'Unprocessable Entity')]);
      await page.goto('about:blank'); // which has no policy: mail programs load no stylesheet, so it brings its own
      await page.setContent(html);
      await inspect('mail-account-deletion');
    });
  }

  it('is held to what axe asks by something that sees: a field without a label', async () => {
    const { page } = await visit(looks[0], { javaScriptEnabled: true });
    await page.setContent(
      '<!doctype html><html lang="en"><title>Bad</title><main><h1>Bad</h1><input type="text"></main>',
    );
    expect((await seriousFindings(page)).join()).to.contain('label');
  });

  it('can be worked by keyboard: the sections come before the page, each seen when it has the focus', async () => {
    const { issuer } = await start();
    const { page } = await visit();
    await page.goto(`${issuer}/account/tenants`);
    await signIn(page);
    await page.waitForURL(`${issuer}/account/tenants`);
    for (const label of ['Overview', 'Profile']) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => (document.activeElement as HTMLElement).innerText)).to.equal(label);
    }
  });
});

async function signIn(page: Page): Promise<void> {
  await page.fill('#login', ada.email);
  await page.fill('#password', ada.password);
  await page.click('#submit');
}
