/// <reference lib="dom" />
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { loadedWith, useChromium } from '../support/chromium.js';
import { ada } from '../support/contract-seed.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { listeningApp, thirdPartyName, type ListeningApp } from './listening-app.js';

describe('signing in with a browser that runs no script', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let app: ListeningApp;

  beforeEach(async () => {
    app = await listeningApp();
  });
  afterEach(async () => app.close());
  afterEach(closeApps);

  it('goes by keyboard alone: address and password, a second try, a tenant, and back to the app', async () => {
    const { issuer } = await startApp({ seed: app.seed });
    const { url, finish } = await (await relyingParty(issuer)).begin({ redirect_uri: app.redirectUri });
    const { page, complaints, inspect } = await visit();
    const { keyboard } = page;

    await page.goto(url);
    await inspect('login');
    expect(await focused(page)).to.equal('login');
    await keyboard.type(ada.email);
    await keyboard.press('Tab');
    expect(await focused(page)).to.equal('password');
    await keyboard.type('not the password of Ada');
    const answer = page.waitForResponse((response) => response.request().method() === 'POST');
    await keyboard.press('Enter');
    expect((await answer).status()).to.equal(422);
    expect(await page.getByRole('alert').innerText()).to.contain('do not match');
    await inspect('login-refused');
    expect(await page.inputValue('#login')).to.equal(ada.email);
    expect(await page.inputValue('#password')).to.equal('');
    expect(await focused(page)).to.equal('password');

    await keyboard.type(ada.password);
    await keyboard.press('Enter');
    await page.waitForSelector('button[name=tenant]');
    await inspect('pick-tenant');
    expect(await page.locator('button[name=tenant]').allInnerTexts()).to.satisfy((texts: string[]) =>
      ['Acme Inc', 'Ada Lovelace'].every((name, index) => texts[index]?.startsWith(name)),
    );
    await keyboard.press('Tab');
    expect(await focused(page)).to.equal('tenant=acme');
    await keyboard.press('Tab');
    expect(await focused(page)).to.equal('tenant=ada');
    await keyboard.press('Shift+Tab');
    await keyboard.press('Enter');
    await page.waitForURL(`${app.redirectUri}?**`);

    const claims = (await finish(page.url())).claims();
    expect(claims).to.include({ email: ada.email, tenant_slug: 'acme' });
    expect(complaints).to.deep.equal([loadedWith(422, 'Unprocessable Entity')]);
  });

  it('asks before another company’s app gets anything, takes no for an answer, and asks once', async () => {
    const { issuer } = await startApp({ seed: app.seed });
    const party = await relyingParty(issuer, 'report-viewer');
    const begin = () =>
      party.begin({
        redirect_uri: app.redirectUri,
        scope: 'openid profile email projects:read projects:write',
        tenant: 'acme',
      });
    const { page, complaints, inspect } = await visit();

    await page.goto((await begin()).url);
    await page.fill('#login', ada.email);
    await page.fill('#password', ada.password);
    await page.click('#submit');
    await page.waitForSelector('#consent-accept');
    await inspect('consent');
    expect(await page.innerText('h1')).to.contain(thirdPartyName);
    expect(await page.innerText('main'))
      .to.contain('Acme Inc')
      .and.to.contain('Projects API');
    expect(await page.locator('.grant .identifier').allInnerTexts()).to.have.members(['openid', 'profile', 'email']);
    expect(await page.locator('.permissions code').allInnerTexts()).to.have.members([
      'projects:read',
      'projects:write',
    ]);
    await page.click('#consent-deny');
    await page.waitForURL(`${app.redirectUri}?**`);
    expect(new URL(page.url()).searchParams.get('error')).to.equal('access_denied');

    const accepted = await begin();
    await page.goto(accepted.url);
    await page.click('#consent-accept');
    await page.waitForURL(`${app.redirectUri}?**`);
    const tokens = await accepted.finish(page.url());
    expect(tokens.scope?.split(' ')).to.include.members(['projects:read', 'projects:write']);

    const again = await begin();
    await page.goto(again.url);
    expect(page.url().startsWith(`${app.redirectUri}?`), 'comes back without a page').to.be.true;
    expect((await again.finish(page.url())).claims()).to.have.property('sub');

    const elsewhere = await visit();
    const later = await begin();
    await elsewhere.page.goto(later.url);
    await elsewhere.page.fill('#login', ada.email);
    await elsewhere.page.fill('#password', ada.password);
    await elsewhere.page.click('#submit');
    await elsewhere.page.waitForURL(`${app.redirectUri}?**`);
    expect((await later.finish(elsewhere.page.url())).claims()).to.have.property('sub');
    expect([...complaints, ...elsewhere.complaints]).to.deep.equal([]);
  });
});

/** Id of the field that has the keyboard, or name=value of the button that has it. */
async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (element instanceof HTMLButtonElement && element.name !== '') return `${element.name}=${element.value}`;
    return element?.id ?? '';
  });
}
