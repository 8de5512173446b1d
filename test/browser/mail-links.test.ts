/// <reference lib="dom" />
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { loadedWith, looks, useChromium } from '../support/chromium.js';
import { ada } from '../support/contract-seed.js';
import { linkIn, type LinkPath } from '../support/mail-links.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const changed = 'ada@lovelace.example';

describe('links in mails, in a real browser', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let running: RunningApp;
  beforeEach(async () => {
    running = await startApp();
  });
  afterEach(closeApps);

  async function follow(page: Page, to: string, path: LinkPath): Promise<void> {
    await page.goto(running.issuer + ((await linkIn(running, to, path)) ?? '/no-link'));
  }

  async function ask(page: Page, path: string, login: string): Promise<void> {
    await page.goto(running.issuer + path);
    await page.fill('#login', login);
    await page.click('#submit');
    await page.waitForSelector('#login', { state: 'detached' });
  }

  for (const look of looks) {
    it(`lead to a new password and to an account without a complaint (${look.name})`, async () => {
      const { page, complaints, inspect } = await visit(look);
      await page.goto(`${running.issuer}/recover`);
      await inspect('recover');
      await ask(page, '/recover', ada.email);
      await inspect('recover-sent');
      await follow(page, ada.email, 'recover');
      await inspect('recover-password');
      await page.fill('#password', 'short');
      await page.click('#submit');
      await page.getByRole('alert').waitFor();
      await inspect('recover-password-refused');
      await page.fill('#password', 'nine lives of a black cat');
      await page.click('#submit');
      await page.waitForSelector('#submit', { state: 'detached' });
      await inspect('recover-done');
      await follow(page, ada.email, 'recover');
      await inspect('recover-over');

      await page.goto(`${running.issuer}/sign-up`);
      await inspect('sign-up-start');
      await ask(page, '/sign-up', 'new@example.com');
      await inspect('sign-up-sent');
      await follow(page, 'new@example.com', 'sign-up');
      await inspect('sign-up-account');
      await page.fill('#name', 'Somebody New');
      await page.fill('#password', 'a compiler is born here');
      await page.click('#submit');
      await page.waitForSelector('#submit', { state: 'detached' });
      await inspect('sign-up-done');
      expect(complaints).to.deep.equal([loadedWith(422, 'Unprocessable Entity'), loadedWith(410, 'Gone')]);
    });

    it(`change an address, and back, without a complaint (${look.name})`, async () => {
      const { page, complaints, inspect } = await visit(look);
      await page.goto(`${running.issuer}/account/email`);
      await page.fill('#login', ada.email);
      await page.fill('#password', ada.password);
      await page.click('#submit');
      await page.fill('#email', changed);
      await page.click('#submit');
      await page.getByRole('status').waitFor();
      await inspect('account-email-sent');
      await follow(page, changed, 'change-email');
      await inspect('change-email');
      await page.click('#submit');
      await page.waitForSelector('#submit', { state: 'detached' });
      await inspect('change-email-done');
      await follow(page, ada.email, 'undo-email-change');
      await inspect('undo-email-change');
      await page.fill('#password', 'nine lives of a black cat');
      await page.click('#submit');
      await page.waitForSelector('#submit', { state: 'detached' });
      await inspect('undo-email-change-done');
      expect(complaints).to.deep.equal([]);
    });
  }
});
