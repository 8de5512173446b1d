import { expect } from 'chai';
import { desktop, loadedWith, looks, useChromium, type Visitor } from '../support/chromium.js';
import { ada } from '../support/contract-seed.js';
import { startDevice } from '../support/device.js';
import { closeApps, startApp } from '../support/start-app.js';
import { consultant, kioskSecret, seedWithTwoTenants } from '../support/two-tenants.js';

describe('connecting a device in a real browser', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let issuer: string;

  beforeEach(async () => {
    issuer = (await startApp({ seed: seedWithTwoTenants })).issuer;
  });
  afterEach(closeApps);

  async function signIn({ page }: Visitor, person: { email: string; password: string }): Promise<void> {
    await page.fill('#login', person.email);
    await page.fill('#password', person.password);
    await page.click('#submit');
  }

  for (const look of looks) {
    it(`fits the window and makes no complaint: a code typed, connected, and another turned down (${look.name})`, async () => {
      const { response } = await startDevice(issuer);
      const visitor = await visit(look);
      const { page, complaints, inspect } = visitor;

      await page.goto(`${issuer}/device`);
      await inspect('device-code');
      await page.fill('input[name=user_code]', 'BBBB-BBBB');
      await page.click('#submit');
      await page.getByRole('alert').waitFor();
      await inspect('device-code-refused');
      await page.fill('input[name=user_code]', response.user_code.toLowerCase().replace('-', ' '));
      await page.keyboard.press('Enter');
      await page.waitForSelector('#device-confirm');
      expect(await page.innerText('#user-code')).to.equal(response.user_code);
      await inspect('device-confirm');
      await page.click('#device-confirm');
      await signIn(visitor, consultant);
      await page.click('button[name=tenant][value=globex]');
      await page.waitForSelector('.seal-good');
      await inspect('device-connected');

      const second = await startDevice(issuer, { scope: 'openid offline_access' }, ['kiosk', kioskSecret]);
      await page.goto(second.response.verification_uri_complete ?? '');
      expect(await page.inputValue('input[name=user_code]')).to.equal(second.response.user_code);
      await inspect('device-code-from-link');
      await page.click('#submit');
      await page.waitForSelector('#device-abort');
      await inspect('device-confirm-signed-in');
      await page.click('#device-abort');
      await page.waitForSelector('.seal:not(.seal-good)');
      await inspect('device-turned-down');
      expect(complaints).to.deep.equal([loadedWith(422, 'Unprocessable Entity')]);
      expect((await second.ask()).json['error']).to.equal('access_denied');
    });
  }

  for (const javaScriptEnabled of [true, false]) {
    it(`sec-029 somebody else may sign in on the way (${javaScriptEnabled ? 'with' : 'without'} script)`, async () => {
      const first = await startDevice(issuer, { tenant: 'acme' });
      const visitor = await visit(desktop, { javaScriptEnabled });
      const { page, complaints } = visitor;
      await page.goto(first.response.verification_uri_complete ?? '');
      await page.click('#submit');
      await page.click('#device-confirm');
      await signIn(visitor, ada);
      await page.waitForSelector('.seal-good');

      const second = await startDevice(issuer, { tenant: 'globex' });
      await page.goto(second.response.verification_uri_complete ?? '');
      await page.click('#submit');
      await page.click('#device-confirm');
      await signIn(visitor, consultant);
      if (!javaScriptEnabled) await page.click('button');
      await page.waitForSelector('.seal-good');
      expect(await page.innerText('.account'))
        .to.contain(consultant.email)
        .and.contain('Globex');
      expect((await second.poll(0.01)).claims()).to.include({ tenant_slug: 'globex' });
      expect(complaints).to.deep.equal([]);
    });
  }
});
