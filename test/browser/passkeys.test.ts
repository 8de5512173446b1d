/// <reference lib="dom" />
import { expect } from 'chai';
import type { CDPSession, Page } from 'playwright-core';
import { totpCode } from '../../src/credentials/totp.js';
import { looks, useChromium } from '../support/chromium.js';
import { ada } from '../support/contract-seed.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { listeningApp, type ListeningApp } from './listening-app.js';

const withScript = { javaScriptEnabled: true };

/** The app of the browser tests with one tenant, which asks for a second factor. */
function withMfa(seed: SeedInput): SeedInput {
  const [acme] = seed.tenants ?? [];
  const [person] = seed.users ?? [];
  return {
    ...seed,
    tenants: [{ ...acme!, policies: { mfa: 'required' } }],
    users: [{ ...person!, memberships: [{ tenant: 'acme', roles: ['editor'] }] }],
  };
}

describe('passkeys in a real browser', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let app: ListeningApp;

  beforeEach(async () => {
    app = await listeningApp();
  });
  afterEach(async () => app.close());
  afterEach(closeApps);

  async function authenticatorIn(page: Page): Promise<CDPSession> {
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('WebAuthn.enable');
    await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    });
    return devTools;
  }

  for (const look of looks.slice(0, 2)) {
    it(`one is set up where a tenant asks for it, and then signs in without a password (${look.name})`, async () => {
      const { issuer } = await startApp({ seed: withMfa(app.seed) });
      const party = await relyingParty(issuer);
      const first = await party.begin({ redirect_uri: app.redirectUri });
      const { page, complaints, inspect } = await visit(look, withScript);
      await authenticatorIn(page);

      await page.goto(first.url);
      await page.fill('#login', ada.email);
      await page.fill('#password', ada.password);
      await page.click('#submit');
      await page.waitForSelector('#secret');
      await inspect('enrol-factor');
      await page.click('#use-passkey');
      await page.waitForSelector('.recovery-codes');
      await inspect('recovery-codes');
      expect(await page.locator('.recovery-codes li').count()).to.equal(10);
      await page.click('a.button');
      await page.waitForURL(`${app.redirectUri}?**`);
      expect((await first.finish(page.url())).claims()).to.include({ acr: 'aal2' });

      const second = await party.begin({ redirect_uri: app.redirectUri, prompt: 'login' });
      await page.goto(second.url);
      // what the browser offers in the field of the address is taken at once by its virtual authenticator
      await page.waitForURL(`${app.redirectUri}?**`);
      const claims = (await second.finish(page.url())).claims();
      expect(claims?.['acr']).to.equal('aal2');
      expect(claims?.['amr']).to.include('mfa').and.not.to.include('pwd');
      expect(complaints).to.deep.equal([]);
    });
  }

  it('one is added in the account portal, named and removed', async () => {
    const { issuer } = await startApp({ seed: app.seed });
    const { page, complaints, inspect } = await visit(undefined, withScript);
    await page.goto(`${issuer}/account/factors`);
    await page.fill('#login', ada.email);
    await page.fill('#password', ada.password);
    await page.click('#submit');
    await authenticatorIn(page);
    await page.getByRole('link', { name: 'Add a passkey' }).click();
    await page.click('#use-passkey');
    await page.waitForSelector('.recovery-codes');
    await inspect('account-recovery-codes');
    await page.click('a.button');
    await page.fill('#name-0', 'Key at work');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('status').waitFor();
    await inspect('account-factors-passkey-named');
    // whoever has just set it up has proven it
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('You have none').waitFor();
    expect(complaints).to.deep.equal([]);
  });

  for (const look of looks.slice(0, 2)) {
    it(`stands beside the password, and the page works without script for who has an app (${look.name})`, async () => {
      const { issuer } = await startApp({ seed: withMfa(app.seed) });
      const party = await relyingParty(issuer);
      const plain = await visit(look);
      await plain.page.goto((await party.begin({ redirect_uri: app.redirectUri })).url);
      expect(await plain.page.locator('#use-passkey').isVisible()).to.equal(false);
      await plain.page.fill('#login', ada.email);
      await plain.page.fill('#password', ada.password);
      await plain.page.click('#submit');
      await plain.page.waitForSelector('#secret');
      const secret = (await plain.page.innerText('#secret')).replaceAll(' ', '');
      await plain.page.fill('#code', totpCode(secret, new Date()));
      await plain.page.click('#submit');
      await plain.page.waitForSelector('.recovery-codes');
      await plain.page.goto((await party.begin({ redirect_uri: app.redirectUri, prompt: 'login' })).url);
      await plain.page.fill('#login', ada.email);
      await plain.page.fill('#password', ada.password);
      await plain.page.click('#submit');
      await plain.page.waitForSelector('#code');
      await plain.inspect('second-factor');
      expect(plain.complaints).to.deep.equal([]);
    });
  }
});
