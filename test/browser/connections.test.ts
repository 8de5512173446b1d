/// <reference lib="dom" />
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { makeAuthority } from '../support/authority.js';
import { loadedWith, looks, useChromium } from '../support/chromium.js';
import { ada } from '../support/contract-seed.js';
import { relyingParty } from '../support/relying-party.js';
import { grace, twoServers, type TwoServers } from '../support/second-server.js';
import { closeApps } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { listeningApp, type ListeningApp } from './listening-app.js';

describe('signing in at a provider, in a real browser', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let app: ListeningApp;
  let servers: TwoServers;
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  beforeEach(async () => {
    // a browser follows a form to no http address but the next one, and this way has two
    app = await listeningApp(makeAuthority().host);
    servers = await twoServers({ seed: app.seed });
  });
  afterEach(async () => app.close());
  afterEach(closeApps);

  async function begin(): Promise<string> {
    const party = await relyingParty(servers.main.issuer);
    return (await party.begin({ redirect_uri: app.redirectUri })).url;
  }

  /** To the login page of the provider. */
  async function goThere(page: Page): Promise<void> {
    await page.goto(await begin());
    await page.getByRole('button', { name: 'The other one' }).click();
    await page.waitForURL(`${servers.upstream.issuer}/sign-in/**`);
  }

  async function signInThere(page: Page): Promise<void> {
    await page.fill('#login', grace.email);
    await page.fill('#password', grace.password);
    await page.click('#submit');
    await page.waitForURL(`${app.redirectUri}?**`);
  }

  for (const look of looks) {
    it(`leads there and back without a complaint; who turns back there finds every other way in (${look.name})`, async () => {
      const { page, complaints, inspect } = await visit(look, { ignoreHTTPSErrors: true });
      await page.goto(await begin());
      await inspect('connections-login');
      await goThere(page);
      await page.click('form[action$="/cancel"] button');
      await page.waitForURL(`${servers.main.issuer}/sign-in/**`);
      await inspect('connections-problem');
      await page.click('main a.button');
      await page.getByRole('button', { name: 'The other one' }).click();
      await page.waitForURL(`${servers.upstream.issuer}/sign-in/**`);
      await signInThere(page);
      await page.goto(`${servers.main.issuer}/account/identities`);
      await inspect('account-identities');
      expect(await page.textContent('main')).to.contain(grace.email);
      expect(complaints).to.deep.equal([]);
    });
  }

  it('says at once that a provider is down, and the password opens the app all the same', async () => {
    const { page, complaints, inspect } = await visit(looks[0], { ignoreHTTPSErrors: true });
    await servers.upstream.close();
    await page.goto(await begin());
    await page.getByRole('button', { name: 'The other one' }).click();
    await page.getByRole('alert').waitFor();
    await inspect('connections-down');
    await page.click('main a.button');
    await page.fill('#login', ada.email);
    await page.fill('#password', ada.password);
    await page.click('#submit');
    await page.waitForURL(/\/sign-in\/|\/callback\?code=/);
    expect(complaints).to.deep.equal([loadedWith(503, 'Service Unavailable')]);
  });
});
