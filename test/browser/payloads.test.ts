/// <reference lib="dom" />
import { expect } from 'chai';
import type { SeedInput } from '../../src/seeding/index.js';
import { manyTries } from '../http/hostile/ask.js';
import { authorizeUrl } from '../http/requests.js';
import { desktop, useChromium, type Visitor } from '../support/chromium.js';
import { ada, contractSeed, projectsApi, webSecret } from '../support/contract-seed.js';
import { startDevice } from '../support/device.js';
import { scriptPayloads } from '../support/script-payloads.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { listeningApp, type ListeningApp } from './listening-app.js';

const device = 'urn:ietf:params:oauth:grant-type:device_code' as const;

describe('text that wants to be script, in a real browser', function () {
  this.timeout(300_000);
  const { visit } = useChromium();
  let app: ListeningApp;
  let running: RunningApp;
  beforeEach(async () => {
    app = await listeningApp();
    running = await startApp({ seed: namedByPayloads(app), policy: manyTries });
  });
  afterEach(async () => app.close());
  afterEach(closeApps);

  /** A browser with script, and what happened in it that must not. */
  async function openVisitor(): Promise<
    Visitor & { incidents: string[]; look(url: string, what: string): Promise<void> }
  > {
    const visitor = await visit(desktop, { javaScriptEnabled: true });
    const { page, complaints } = visitor;
    const incidents: string[] = [];
    const home = [running.issuer, app.origin];
    page.on('dialog', (dialog) => {
      incidents.push(`dialog ${dialog.message()} at ${page.url()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!home.includes(new URL(request.url()).origin)) incidents.push(`request of ${request.url()}`);
    });
    const inspect = async (what: string): Promise<void> => {
      const isPwned = await page.evaluate(() => {
        const ours = '[src^="/assets/passkeys-"]:empty'; // of the pages that offer passkeys
        return 'pwned' in window || document.querySelector(`main script:not(${ours})`) !== null;
      });
      if (isPwned) incidents.push(`script ran: ${what}`);
      const said = complaints.splice(0).filter((complaint) => !complaint.startsWith('Failed to load resource'));
      incidents.push(...said.map((complaint) => `${complaint}: ${what}`));
      expect(await page.locator('h1').count(), what).to.equal(1);
    };
    return {
      ...visitor,
      incidents,
      inspect,
      async look(url, what) {
        await page.goto(url);
        await inspect(what);
      },
    };
  }

  /** Names of people and APIs are shown on pages of all clients, so they change while we look. */
  async function rename(name: string): Promise<void> {
    const { resources, users } = namedByPayloads(app);
    await running.app.seeding.applySeed({
      resources: [{ ...resources![0]!, name }],
      users: [{ ...users![0]!, name, password: undefined, memberships: [] }],
    });
  }

  it(`sec-034 of ${scriptPayloads.length} payloads in every name and parameter none runs, and none needs to be stopped by the policy`, async () => {
    const { issuer } = running;
    const { page, incidents, inspect, look } = await openVisitor();
    const asked = (index: number, more: Record<string, string> = {}): string =>
      authorizeUrl(issuer, {
        client_id: `client-${index}`,
        redirect_uri: app.redirectUri,
        scope: 'openid profile email projects:read',
        ...more,
      });

    await page.goto(authorizeUrl(issuer, { client_id: 'chooser', redirect_uri: app.redirectUri }));
    await page.fill('#login', ada.email);
    await page.fill('#password', ada.password);
    await page.click('#submit');
    await page.waitForSelector('button[name=tenant]');
    await inspect('every tenant in the picker');
    expect(await page.locator('button[name=tenant] .name').allInnerTexts()).to.have.length(scriptPayloads.length);
    await page.click('button[name=tenant][value=tenant-0]');
    await page.waitForURL(`${app.redirectUri}?**`);

    for (const [index, payload] of scriptPayloads.entries()) {
      await rename(payload);
      const said = { login_hint: payload, ui_locales: payload, state: payload };
      await look(asked(index, { ...said, prompt: 'login' }), `login ${payload}`);
      expect(await page.inputValue('#login')).to.equal(payload);
      expect(await page.locator('.lede strong').textContent()).to.equal(payload);
      await page.fill('#password', payload);
      await page.click('#submit');
      await page.getByRole('alert').waitFor();
      await inspect(`login refused ${payload}`);
      await look(asked(index, said), `consent ${payload}`);
      expect(await page.locator('#consent-accept').count(), `consent ${payload}`).to.equal(1);
      // of pages that show it in the same way, each payload sees one
      const wrong = { error: payload, error_description: payload, error_uri: payload, ...said };
      const name = ['client_id', 'redirect_uri', 'request_uri'][Math.floor(index / 3) % 3] ?? '';
      const query = new URLSearchParams({ ...wrong, client_id: `client-${index}`, logout_hint: payload }).toString();
      const leaving = index % 2 === 0 ? '/oauth2/logout' : '/oauth2/logout/success';
      const others = [
        asked(index, { ...wrong, [name]: payload }),
        `${issuer}${leaving}?${query}`,
        `${issuer}/device?${query}&user_code=${encodeURIComponent(payload)}`,
      ];
      await look(others[index % others.length] ?? '', `another page ${payload}`);
    }
    expect(incidents).to.deep.equal([]);
  });

  it('sec-034 a device, its client and its person may be named by them', async () => {
    const { page, incidents, inspect } = await openVisitor();
    for (const [index, payload] of scriptPayloads.entries()) {
      if (index % 10 !== 0) continue;
      await rename(payload);
      const { response } = await startDevice(running.issuer, {}, [`client-${index}`, webSecret]);
      await page.goto(`${running.issuer}/device`);
      await page.fill('input[name=user_code]', response.user_code);
      await page.click('#submit');
      await page.waitForSelector('#device-confirm');
      await inspect(`device ${payload}`);
      await page.click('#device-confirm');
      if (index === 0) {
        await page.fill('#login', ada.email);
        await page.fill('#password', ada.password);
        await page.click('#submit');
      }
      await page.click('#consent-accept');
      await page.waitForLoadState();
      await inspect(`device connected ${payload}`);
    }
    expect(incidents).to.deep.equal([]);
  });
});

describe('addresses that want to be script', () => {
  afterEach(closeApps);

  it('sec-034 are registered for no client', async () => {
    const { app } = await startApp();
    const [web] = contractSeed.clients ?? [];
    for (const uri of [
      'JaVaScRiPt:alert(1)',
      'javascript://app.example/%0aalert(1)',
      ' javascript:alert(1)',
      'java\tscript:alert(1)',
      'data:text/html,<script>alert(1)</script>',
      'vbscript:msgbox(1)',
      'blob:https://app.example/x',
      'file:///etc/passwd',
      '//evil.example/',
    ]) {
      for (const application_type of ['web', 'native'] as const) {
        for (const member of ['redirect_uris', 'post_logout_redirect_uris', 'client_uri', 'policy_uri', 'tos_uri']) {
          const wanted = { ...web!, application_type, [member]: member.endsWith('uris') ? [uri] : uri };
          const refusal = await app.seeding.applySeed({ clients: [wanted] }).then(
            () => 'taken',
            (error: Error) => error.message,
          );
          expect(refusal, `${member} ${uri}`).to.contain(member);
        }
      }
    }
  });
});

function namedByPayloads({ redirectUri }: ListeningApp): SeedInput {
  const [resource] = contractSeed.resources ?? [];
  const application = { ...{ client_secret: webSecret, redirect_uris: [redirectUri] }, resources: [projectsApi] };
  return {
    resources: [resource!],
    tenants: scriptPayloads.map((name, index) => ({
      ...{ slug: `tenant-${index}`, name, type: 'team' as const },
      roles: [{ key: 'editor', name, permissions: ['projects:read'] }],
    })),
    users: [
      {
        ...{ ...ada, emailVerified: true, givenName: scriptPayloads[0], familyName: scriptPayloads[1] },
        memberships: scriptPayloads.map((_, index) => ({ tenant: `tenant-${index}`, roles: ['editor'] })),
      },
    ],
    clients: [
      { ...application, client_id: 'chooser', firstParty: true },
      ...scriptPayloads.map((payload, index) => ({
        ...application,
        ...{ client_id: `client-${index}`, client_name: payload, tenant: `tenant-${index}` },
        grant_types: ['authorization_code' as const, 'refresh_token' as const, device],
        ...{ client_uri: addressWith(payload), policy_uri: addressWith(payload), tos_uri: addressWith(payload) },
      })),
    ],
  };
}

/** As little encoded as a registration takes. */
function addressWith(payload: string): string {
  return `https://app.example/?${payload}`.replaceAll('#', '');
}
