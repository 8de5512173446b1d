import { expect } from 'chai';
import type { Browser } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { asOpenPage, authorizeUrl, openSignIn, submitByHand } from './requests.js';

const right = { login: ada.email, password: ada.password };

describe('the forms of a sign-in', () => {
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  /** Nobody was signed in: neither a session cookie nor a session of a person in the database. */
  async function nobodyIsSignedIn(visitor: Browser): Promise<void> {
    expect([...visitor.cookies.values()].map(({ name }) => name)).not.to.include('sid');
    const sessions = await running.database.collection('oidc_sessions').find({}).toArray();
    expect(sessions.filter((session) => 'accountId' in session)).to.deep.equal([]);
  }

  it('sec-030 a form with its own token and from its own origin is taken', async () => {
    for (const headers of [
      { Origin: issuer, 'Sec-Fetch-Site': 'same-origin' },
      { Origin: issuer },
      { 'Sec-Fetch-Site': 'none' },
      {},
    ] as Record<string, string>[]) {
      const answer = await submitByHand(await openSignIn(issuer), 'login', right, headers);
      expect(answer.status, JSON.stringify(headers)).to.equal(303);
    }
  });

  it('sec-030 a form without its token is refused, and nobody is signed in', async () => {
    const open = await openSignIn(issuer);
    for (const [why, csrf] of [
      ['none', null],
      ['empty', ''],
      ['of other length', 'short'],
      ['one character changed', `${open.csrf.slice(0, -1)}${open.csrf.endsWith('A') ? 'B' : 'A'}`],
      ['the uid', open.uid],
    ] as const) {
      const body = new URLSearchParams({ ...(csrf === null ? {} : { csrf }), ...right }).toString();
      const answer = await submitByHand(open, 'login', body);
      expect(answer.status, why).to.equal(403);
      expect(answer.html, why).to.contain('form.foreign');
    }
    await nobodyIsSignedIn(open.visitor);
  });

  it('sec-030 the token of another interaction is refused, also of the same browser', async () => {
    const first = await openSignIn(issuer);
    const second = asOpenPage(first.visitor, await first.visitor.get(authorizeUrl(issuer)));
    const third = await openSignIn(issuer);
    expect(new Set([first.csrf, second.csrf, third.csrf]).size).to.equal(3);
    for (const other of [second, third]) {
      expect((await submitByHand(first, 'login', { ...right, csrf: other.csrf })).status).to.equal(403);
    }
    await nobodyIsSignedIn(first.visitor);
  });

  it('sec-030 a form from a foreign place is refused', async () => {
    const open = await openSignIn(issuer);
    const foreign: Record<string, string>[] = [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: issuer.replace('http:', 'https:') },
      { Origin: `${issuer}.evil.example` },
      { Origin: `${issuer}/` },
      { Origin: issuer.replace('localhost', '127.0.0.1') },
      { Origin: issuer.replace(/\d+$/, '1') },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'junk' },
      { Origin: issuer, 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
    ];
    for (const headers of foreign) {
      expect((await submitByHand(open, 'login', right, headers)).status, JSON.stringify(headers)).to.equal(403);
    }
    await nobodyIsSignedIn(open.visitor);
    expect((await submitByHand(open, 'login', right)).status, 'the page itself still works').to.equal(303);
  });

  it('sec-030 only a urlencoded form is read', async () => {
    const open = await openSignIn(issuer);
    const { csrf } = open;
    const pairs = new URLSearchParams({ csrf, ...right }).toString();
    for (const [type, body] of [
      ['text/plain', pairs],
      ['application/json', JSON.stringify({ csrf, ...right })],
      ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n1\r\n--x--\r\n'],
      ['application/xml', '<a/>'],
      ['', pairs],
    ] as const) {
      const answer = await submitByHand(open, 'login', body, { 'Content-Type': type });
      expect(answer.status, type).to.equal(415);
    }
    await nobodyIsSignedIn(open.visitor);
  });

  it('a form of more than 56 KiB is refused as too large', async () => {
    const open = await openSignIn(issuer);
    const answer = await submitByHand(open, 'login', { ...right, password: 'x'.repeat(60_000) });
    expect(answer.status).to.equal(413);
    await nobodyIsSignedIn(open.visitor);
  });

  it('sec-075 exactly the expected members are taken, each once and as text', async () => {
    const open = await openSignIn(issuer);
    const start = new URLSearchParams({ csrf: open.csrf }).toString();
    const login = `login=${encodeURIComponent(ada.email)}`;
    const password = `password=${encodeURIComponent(ada.password)}`;
    for (const members of [
      `${login}&${password}&extra=1`,
      `${login}&${password}&userId=usr_1`,
      `${login}&${password}&tenant=acme`,
      `${login}&${password}&constructor=1`,
      `${login}&${password}&constructor.prototype.admin=1`,
      `${login}&${login}&${password}`,
      `${login}&${password}&${password}`,
      `${login}&${password}&password=wrong`,
      `login[$ne]=1&${password}`,
      `login[$ne]=1&login=${encodeURIComponent(ada.email)}&${password}`,
      `${login}&password[$ne]=1`,
      `${login}&password[$regex]=.*`,
      `login[]=${encodeURIComponent(ada.email)}&${password}`,
      `login.email=${encodeURIComponent(ada.email)}&${password}`,
      `settings[view options][outputFunctionName]=x&${login}&${password}`,
      login,
      password,
      '',
      `${login}&password=${'x'.repeat(1025)}`,
      `login=${'x'.repeat(321)}&${password}`,
    ]) {
      const answer = await submitByHand(open, 'login', `${start}&${members}`);
      expect(answer.status, members.slice(0, 80)).to.equal(400);
      expect(answer.html, members.slice(0, 80)).to.contain('form.invalid');
    }
    await nobodyIsSignedIn(open.visitor);
  });

  it('sec-079 a member named like the prototype changes nothing', async () => {
    for (const member of ['__proto__=1', '__proto__[admin]=1', '__proto__.admin=1']) {
      const open = await openSignIn(issuer);
      const body = `${new URLSearchParams({ csrf: open.csrf, ...right }).toString()}&${member}`;
      expect((await submitByHand(open, 'login', body)).status, member).to.equal(400);
      expect(Object.keys(Object.prototype), member).to.deep.equal([]);
      expect(({} as Record<string, unknown>)['admin'], member).to.equal(undefined);
    }
  });

  it('sec-030 the token of a form is there once', async () => {
    const open = await openSignIn(issuer);
    const doubled = new URLSearchParams([['csrf', open.csrf], ['csrf', open.csrf], ...Object.entries(right)]);
    expect((await submitByHand(open, 'login', doubled.toString())).status).to.equal(403);
    const nested = `csrf[]=${open.csrf}&${new URLSearchParams(right).toString()}`;
    expect((await submitByHand(open, 'login', nested)).status).to.equal(403);
  });

  it('wrong passwords, unknown and impossible addresses are answered with the same page', async () => {
    const pages = new Set<string>();
    for (const [login, password] of [
      [ada.email, 'wrong password here'],
      ['nobody@example.com', ada.password],
      ['not an address', ada.password],
      ['', ''],
      [ada.email, ''],
      [ada.email, 'x'.repeat(1024)],
      ['{"$ne":null}', '{"$ne":null}'],
    ] as const) {
      const open = await openSignIn(issuer);
      const answer = await submitByHand(open, 'login', { login, password });
      expect(answer.status, login).to.equal(422);
      const same = [
        [open.uid, 'UID'],
        [open.csrf, 'CSRF'],
      ] as const;
      let html = answer.html.replace(/<input id="login"[^>]*>|<input id="password"[^>]*>/g, '');
      for (const [value, name] of same) html = html.replaceAll(value, name);
      pages.add(html.replace(/nonce="[^"]*"|challenge&#34;:&#34;[\w-]+|name="ticket" value="[^"]+"/g, ''));
    }
    expect(pages.size).to.equal(1);
  });

  it('sec-034 what was typed comes back escaped, and the password not at all', async () => {
    const open = await openSignIn(issuer);
    const answer = await submitByHand(open, 'login', {
      login: '"><script>alert(1)</script>',
      password: 'hunter2 hunter2 hunter2',
    });
    expect(answer.status).to.equal(422);
    expect(answer.html).not.to.contain('<script>alert');
    expect(answer.html).not.to.contain('hunter2');
    const hinted = await openSignIn(issuer, { login_hint: '"><img src=x onerror=alert(1)>' });
    expect(hinted.page.html).not.to.contain('<img');
  });
});
