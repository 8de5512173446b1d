import { expect } from 'chai';
import { desktop, useChromium } from '../support/chromium.js';
import { ada } from '../support/contract-seed.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { listeningApp, type ListeningApp } from './listening-app.js';

const other = { email: 'other@example.com', password: 'the password of another' };

/** The library sends browsers on through forms of its own; with script they post themselves, without by a button. */
for (const javaScriptEnabled of [true, false]) {
  describe(`the library's own forms in a browser ${javaScriptEnabled ? 'with' : 'without'} script`, function () {
    this.timeout(60_000);
    const { visit } = useChromium();
    let app: ListeningApp;

    beforeEach(async () => {
      app = await listeningApp();
    });
    afterEach(async () => app.close());
    afterEach(closeApps);

    async function goOn(page: { click(selector: string): Promise<void> }): Promise<void> {
      if (!javaScriptEnabled) await page.click('button');
    }

    it('sec-029 somebody else signs in, and comes back to an app that is not https', async () => {
      const { issuer, app: server } = await startApp({ seed: app.seed });
      await server.seeding.applySeed({ users: [{ ...other, memberships: [{ tenant: 'acme', roles: ['member'] }] }] });
      const party = await relyingParty(issuer);
      const { page, complaints } = await visit(desktop, { javaScriptEnabled });
      for (const person of [ada, other]) {
        const { url } = await party.begin({ redirect_uri: app.redirectUri, tenant: 'acme', prompt: 'login' });
        await page.goto(url);
        await page.fill('#login', person.email);
        await page.fill('#password', person.password);
        await page.click('#submit');
        if (person === other) await goOn(page);
        await page.waitForURL(`${app.redirectUri}?**`);
      }
      expect(complaints).to.deep.equal([]);
    });

    it('a sign-out without a session goes back to an app that is not https', async () => {
      const { issuer } = await startApp({ seed: app.seed });
      const { page, complaints } = await visit(desktop, { javaScriptEnabled });
      const back = new URLSearchParams({ client_id: 'web', post_logout_redirect_uri: `${app.origin}/` });
      await page.goto(`${issuer}/oauth2/logout?${back}`);
      await goOn(page);
      await page.waitForURL(`${app.origin}/`);
      expect(complaints).to.deep.equal([]);
    });

    it('response_mode=form_post posts the code to an app that is not https', async () => {
      const { issuer } = await startApp({ seed: app.seed });
      const { url } = await (
        await relyingParty(issuer)
      ).begin({ redirect_uri: app.redirectUri, tenant: 'acme', response_mode: 'form_post' });
      const { page, complaints } = await visit(desktop, { javaScriptEnabled });
      await page.goto(url);
      await page.fill('#login', ada.email);
      await page.fill('#password', ada.password);
      await page.click('#submit');
      await goOn(page);
      await page.waitForURL(app.redirectUri);
      expect(complaints).to.deep.equal([]);
    });
  });
}
