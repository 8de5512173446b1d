/// <reference lib="dom" />
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { systemAuthority } from '../../src/kernel/actor.js';
import { loadedWith, looks, useChromium } from '../support/chromium.js';
import { ada, contractSeed, webSecret } from '../support/contract-seed.js';
import { pngOf } from '../support/pictures.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { listeningApp, type ListeningApp } from './listening-app.js';

const colors = { primaryColor: '#8a1253', primaryColorDark: '#ffb3d9' };

describe('a tenant with a look of its own, in a real browser', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let app: ListeningApp;
  let running: RunningApp;

  beforeEach(async () => {
    app = await listeningApp();
    const [web] = contractSeed.clients ?? [];
    const ofAcme = {
      ...web,
      client_id: 'of-acme',
      client_secret: webSecret,
      client_name: 'Acme Console',
      tenant: 'acme',
    };
    const platform = { slug: 'platform', name: 'Platform', type: 'enterprise' as const };
    const clients = [
      ...(app.seed.clients ?? []),
      { ...ofAcme, redirect_uris: [app.redirectUri], signUp: true } as never,
    ];
    running = await startApp({ seed: { ...app.seed, tenants: [...(app.seed.tenants ?? []), platform], clients } });
    const { administration } = running.app;
    const by = systemAuthority('command');
    const { id: tenantId } = await administration.getTenant('acme');
    const logo = { data: pngOf(160, 48, [138, 18, 83]).toString('base64'), alt: 'Acme' };
    const branding = { displayName: 'Acme and its many subsidiaries', logo, ...colors };
    const terms = { version: '2026-11', uri: 'https://acme.example/terms' };
    const policies = { terms, requiredProfile: ['givenName' as const, 'locale' as const] };
    await administration.changeSettings(by, { tenantId }, { branding, policies });
    const ofAll = { terms: { version: '1', uri: 'https://id.example/terms' } };
    await administration.changeSettings(
      by,
      { tenantId: (await administration.getTenant('platform')).id },
      { policies: ofAll },
    );
  });
  afterEach(async () => app.close());
  afterEach(closeApps);

  async function begin(): Promise<string> {
    const party = await relyingParty(running.issuer, 'of-acme');
    return (await party.begin({ redirect_uri: app.redirectUri })).url;
  }

  for (const look of looks) {
    it(`shows it on each page of a sign-in, which fits the window and makes no complaint (${look.name})`, async () => {
      const { page, complaints, inspect } = await visit(look);
      await page.goto(await begin());
      await inspect('look-login');
      await page.click('a[href$="/register"]');
      await inspect('look-register');
      await page.goBack();
      expect(await page.evaluate(() => getComputedStyle(document.querySelector('#submit')!).backgroundColor)).to.equal(
        look.colorScheme === 'dark' ? 'rgb(255, 179, 217)' : 'rgb(138, 18, 83)',
      );
      expect(await page.evaluate(() => document.querySelector<HTMLImageElement>('img.logo')?.naturalWidth)).to.equal(
        160,
      );
      await signIn(page);
      await page.waitForSelector('#terms-accept');
      await inspect('look-terms');
      await page.click('#terms-accept');
      await page.waitForSelector('#given_name');
      await inspect('look-profile');
      await page.fill('#given_name', 'Ada');
      await page.fill('#locale', 'no language');
      await page.click('#submit');
      await page.getByRole('alert').waitFor();
      await inspect('look-profile-refused');
      await page.fill('#locale', 'en-GB');
      await page.click('#submit');
      await page.waitForURL(`${app.redirectUri}?**`);
      await page.goto(`${running.issuer}/account/terms`);
      await inspect('account-terms-accepted');
      expect(complaints).to.deep.equal([loadedWith(422, 'Unprocessable Entity')]);
    });
  }

  it('reaches the form of terms by keyboard alone', async () => {
    const { page } = await visit();
    await page.goto(await begin());
    await signIn(page);
    await page.waitForSelector('#terms-accept');
    const reached: string[] = [];
    for (let count = 0; count < 3; count++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName || ''));
    }
    expect(reached).to.deep.equal(['A', 'A', 'terms-accept']);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#given_name');
  });
});

async function signIn(page: Page): Promise<void> {
  await page.fill('#login', ada.email);
  await page.fill('#password', ada.password);
  await page.click('#submit');
}
