import { expect } from 'chai';
import { mock } from 'node:test';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { connect, startDevice, typeCode, type WaitingDevice } from '../support/device.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';
import { send } from './requests.js';

const ofNoUse = 'That code cannot be used.';

describe('the page where a person types the code of a device', () => {
  let running: RunningApp;
  let issuer: string;

  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(async () => {
    mock.timers.reset();
    await closeApps();
  });

  const errorOf = async (device: WaitingDevice): Promise<unknown> => {
    const { status, json } = await device.ask();
    expect(status, JSON.stringify(json)).to.equal(400);
    return json['error'];
  };
  const pass = (seconds: number): void => mock.timers.tick(seconds * 1000);

  const submitCode = async (visitor: Browser, members: Record<string, string>): Promise<Page> => {
    const { html } = await visitor.get('/device');
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    return postTo(visitor, { xsrf, ...members });
  };
  const postTo = (
    visitor: Browser,
    members: Record<string, string> | [string, string][],
    headers: Record<string, string> = { Origin: issuer },
  ): Promise<Page> =>
    visitor.request('/device', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(members).toString(),
    });

  /** Posts the login page and follows no redirect. */
  const postLogin = (visitor: Browser, { html, url }: Page, person = ada): Promise<Page> =>
    visitor.request(`${url}/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: issuer },
      body: new URLSearchParams({
        csrf: /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '',
        login: person.email,
        password: person.password,
      }).toString(),
    });

  it('the page answers GET and POST alone', async () => {
    for (const [path, methods] of [
      ['/device', 'GET, POST'],
      ['/device/some-uid', 'GET'],
      ['/oauth2/device_authorization', 'POST, OPTIONS'],
    ] as const) {
      for (const method of ['PUT', 'DELETE', 'PATCH']) {
        const answer = await send(issuer + path, { method });
        expect([answer.status, answer.headers.get('allow')], path).to.deep.equal([405, methods]);
      }
    }
  });

  it('a link with the code fills the form and does nothing else', async () => {
    const { response } = await startDevice(issuer);
    const visitor = browser(issuer);
    const page = await visitor.get(response.verification_uri_complete ?? '');
    expect(page.status).to.equal(200);
    expect(page.html)
      .to.contain(`value="${response.user_code}"`)
      .and.not.match(/<script/i);
    for (const hostile of ['"><script>alert(1)</script>', 'A&user_code=B', 'x'.repeat(500)]) {
      const { html } = await visitor.get(`/device?user_code=${encodeURIComponent(hostile)}`);
      expect(html).not.to.match(/<script/i);
      expect(html).not.to.contain('x'.repeat(21));
    }
    // not claimed by looking: another browser may still use it
    expect((await typeCode(browser(issuer), response.user_code)).html).to.contain('id="device-confirm"');
  });

  it('the code is taken in any writing', async () => {
    const { response } = await startDevice(issuer);
    const letters = response.user_code.replace('-', '');
    const visitor = browser(issuer);
    for (const typed of [letters, letters.toLowerCase(), [...letters].join(' '), ` ${response.user_code}. `]) {
      expect((await submitCode(visitor, { user_code: typed })).html, typed).to.contain('id="device-confirm"');
    }
  });

  it('sec-050 unknown, expired, used and turned down codes are answered with the same page', async () => {
    mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const expired = await startDevice(issuer);
    pass(601);
    const [used, denied] = [await startDevice(issuer), await startDevice(issuer)];
    await connect(issuer, used);
    const visitor = browser(issuer);
    await visitor.submit(await typeCode(visitor, denied.response.user_code), { abort: 'yes' });
    const pages = new Set<string>();
    for (const code of ['BCDF-GHJK', ...[expired, used, denied].map(({ response }) => response.user_code)]) {
      const page = await submitCode(browser(issuer), { user_code: code });
      expect(page.status).to.equal(422);
      expect(page.html).to.contain(ofNoUse);
      pages.add(page.html.replaceAll(code, 'CODE').replace(/name="xsrf" value="\w+"/, ''));
    }
    expect([...pages]).to.have.length(1);
  });

  it('what is no code is told so', async () => {
    const visitor = browser(issuer);
    const page = await submitCode(visitor, {});
    expect([page.status, page.html.includes('Type the code that your device shows.')]).to.deep.equal([422, true]);
    for (const name of ['user_code[$ne]', 'user_code[]', '__proto__[user_code]']) {
      expect((await submitCode(visitor, { [name]: 'x' })).html, name).to.contain('Type the code that your');
    }
    const escaped = await submitCode(visitor, { user_code: '"><script>alert(1)</script>' });
    expect(escaped.html)
      .to.contain(ofNoUse)
      .and.not.match(/<script/i);
    const long = await submitCode(visitor, { user_code: 'B'.repeat(10_000) });
    expect([long.status, long.html.includes(ofNoUse)]).to.deep.equal([422, true]);
  });

  it('sec-030 a form without its token, of another session or another site decides nothing', async () => {
    const device = await startDevice(issuer);
    const visitor = browser(issuer);
    const confirm = await typeCode(visitor, device.response.user_code);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(confirm.html)?.[1] ?? '';
    const members = { user_code: device.response.user_code, abort: 'yes' };
    const stranger = browser(issuer);
    await stranger.get('/device');
    const attempts: [Page | Promise<Page>, number][] = [
      [postTo(visitor, members), 400],
      [postTo(visitor, { ...members, xsrf: 'x'.repeat(48) }), 400],
      [postTo(stranger, { ...members, xsrf }), 400],
      [postTo(browser(issuer), { ...members, xsrf }), 400],
      [postTo(visitor, { ...members, xsrf }, { Origin: 'https://evil.example' }), 403],
      [postTo(visitor, { ...members, xsrf }, { Origin: 'null' }), 403],
      [postTo(visitor, { ...members, xsrf }, { 'Sec-Fetch-Site': 'cross-site' }), 403],
      [postTo(visitor, { ...members, xsrf }, { 'Sec-Fetch-Site': 'same-site' }), 403],
      [postTo(visitor, { ...members, xsrf }, { 'Content-Type': 'text/plain' }), 400],
      [
        postTo(visitor, [
          ['xsrf', xsrf],
          ['xsrf', xsrf],
          ['user_code', members.user_code],
          ['abort', 'yes'],
        ]),
        400,
      ],
    ];
    for (const [attempt, status] of attempts) {
      const page = await attempt;
      expect(page.status, page.html).to.equal(status);
      expect(page.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    }
    expect(await errorOf(device)).to.equal('authorization_pending');
    // none of this was a fault of the server
    expect((await browser(issuer).get('/device/of-yesterday')).status).to.equal(400);
    expect(running.logLines.filter((line) => line.includes('"level":50'))).to.deep.equal([]);
  });

  it('sec-039 what the device asked for is read from its code, whatever a form or address adds', async () => {
    const device = await startDevice(issuer, { scope: 'openid', tenant: 'acme' });
    const visitor = browser(issuer);
    const more = { scope: 'openid projects:write', client_id: 'kiosk', tenant: 'globex', resource: 'urn:x' };
    await submitCode(visitor, { user_code: device.response.user_code, ...more });
    const login = await submitCode(visitor, { user_code: device.response.user_code, confirm: 'yes', ...more });
    const page = await visitor.get(login.headers.get('location') ?? '');
    const { headers } = await postLogin(visitor, page, consultant);
    const connected = await visitor.get(`${headers.get('location')}?scope=openid+projects%3Awrite&tenant=globex`);
    expect(connected.html).to.contain('Your device is connected').and.contain('Acme Inc');
    const { json } = await device.ask();
    expect(json['scope']).to.equal('openid');
  });

  it('sec-065 the browser that types a code first has it: others neither open, connect nor turn it down', async () => {
    const device = await startDevice(issuer);
    const first = browser(issuer);
    const confirm = await typeCode(first, device.response.user_code);
    expect(confirm.html).to.contain('id="device-confirm"');

    const { browser: other } = await connect(issuer, await startDevice(issuer, { tenant: 'globex' }), consultant);
    for (const decision of [{}, { abort: 'yes' }, { confirm: 'yes' }]) {
      const page = await submitCode(other, { user_code: device.response.user_code, ...decision });
      expect(page.status, JSON.stringify(decision)).to.equal(403);
      expect(page.html).to.contain('in use in another browser').and.not.contain('Acme Television');
    }
    expect(await errorOf(device)).to.equal('authorization_pending');
    const login = await first.submit(confirm, { confirm: 'yes' });
    await first.submit(login, { login: ada.email, password: ada.password });
    expect((await device.ask()).status).to.equal(200);
  });

  it('sec-065 of twenty browsers that type one code at once one has it', async () => {
    const device = await startDevice(issuer);
    const pages = await Promise.all(
      Array.from({ length: 20 }, async () => submitCode(browser(issuer), { user_code: device.response.user_code })),
    );
    expect(pages.filter(({ status }) => status === 200)).to.have.length(1);
    expect(pages.filter(({ status }) => status === 403)).to.have.length(19);
  });

  it('sec-065 a person who signs in after another at the same browser has no part in the code', async () => {
    const device = await startDevice(issuer, { tenant: 'acme' });
    const visitor = browser(issuer);
    await connect(issuer, await startDevice(issuer), ada, visitor);
    await typeCode(visitor, device.response.user_code);
    await visitor.submit(await visitor.get('/oauth2/logout'), { logout: 'yes' });
    expect((await typeCode(visitor, device.response.user_code)).status).to.equal(403);
  });

  it('sec-065 of 200 guesses in a minute ten are looked at, and after them not even the right code', async () => {
    ({ issuer } = await startApp({ seed: seedWithTwoTenants, rateLimitFactor: 1 }));
    const { response } = await startDevice(issuer);
    const visitor = browser(issuer);
    const statuses: number[] = [];
    for (let guess = 0; guess < 200; guess++) {
      statuses.push((await submitCode(visitor, { user_code: `BBBB-BB${guess}` })).status);
    }
    expect(statuses).to.deep.equal([...Array<number>(10).fill(422), ...Array<number>(190).fill(429)]);
    const right = await submitCode(visitor, { user_code: response.user_code });
    expect(right.status).to.equal(429);
    expect(right.headers.get('retry-after')).to.match(/^\d+$/);
  });

  it('a code that expires while the person signs in connects nothing', async () => {
    mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const device = await startDevice(issuer);
    const visitor = browser(issuer);
    const login = await visitor.submit(await typeCode(visitor, device.response.user_code), { confirm: 'yes' });
    pass(601);
    const late = await visitor.submit(login, { login: ada.email, password: ada.password });
    expect([late.status, late.html.includes(ofNoUse)]).to.deep.equal([422, true]);
    expect(await errorOf(device)).to.equal('expired_token');
  });

  it('the question tells from where the device asked: by the trusted proxy alone, and escaped', async () => {
    const { issuer: origin } = await startApp({ seed: seedWithTwoTenants, trustedProxies: 1 });
    const asked = await send(`${origin}/oauth2/device_authorization`, {
      method: 'POST',
      headers: {
        'X-Forwarded-For': '192.0.2.66, 2001:db8::7',
        'User-Agent': `<script>alert(1)</script>${'x'.repeat(500)}`,
      },
      body: new URLSearchParams({ client_id: 'television', scope: 'openid' }),
    });
    const { html } = await typeCode(browser(origin), String(asked.json['user_code']));
    expect(html).to.contain('2001:db8::7').and.not.contain('192.0.2.66');
    expect(html)
      .to.contain('&lt;script&gt;alert(1)')
      .and.not.match(/<script|x{200}/i);
  });

  it('who leaves the flow half way may take it up again, in the same browser', async () => {
    const device = await startDevice(issuer);
    const visitor = browser(issuer);
    await visitor.submit(await typeCode(visitor, device.response.user_code), { confirm: 'yes' });
    await connect(issuer, device, ada, visitor);
    expect((await device.ask()).status).to.equal(200);
  });

  it('a connection and a refusal at the same moment have one outcome, which both pages tell', async () => {
    for (let round = 0; round < 10; round++) {
      const device = await startDevice(issuer);
      const visitor = browser(issuer);
      const login = await visitor.submit(await typeCode(visitor, device.response.user_code), { confirm: 'yes' });
      const question = await typeCode(visitor, device.response.user_code);
      const signedIn = await postLogin(visitor, login);
      const [connected, refused] = await Promise.all([
        visitor.get(signedIn.headers.get('location') ?? ''),
        visitor.submit(question, { abort: 'yes' }),
      ]);
      const isConnected = connected.html.includes('Your device is connected');
      const isRefused = refused.html.includes('You turned it down');
      expect([isConnected, isRefused].filter(Boolean), connected.html + refused.html).to.have.length(1);
      const { status, json } = await device.ask();
      expect(isConnected ? status : json['error']).to.equal(isConnected ? 200 : 'access_denied');
    }
  });
});
