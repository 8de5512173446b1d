import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { browser } from '../support/browser.js';
import { ada, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';
import {
  asOpenPage,
  authorizeUrl,
  cookieOf,
  openSignIn,
  post,
  redeem,
  refreshing,
  submitByHand,
  type TokenSet,
} from './requests.js';

const right = { login: ada.email, password: ada.password };

describe('an interaction belongs to one browser and to one step', () => {
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  it('sec-010 without its cookie there is no interaction, whatever the address', async () => {
    const open = await openSignIn(issuer);
    const stranger = { ...open, visitor: browser(issuer) };
    expect((await stranger.visitor.get(open.page.url)).status).to.equal(400);
    for (const step of ['login', 'tenant', 'consent', 'cancel']) {
      const answer = await submitByHand(stranger, step, right);
      expect(answer.status, step).to.equal(400);
      expect(answer.html, step).to.contain('interaction.expired');
    }
    expect((await stranger.visitor.get(`/oauth2/authorize/${open.uid}`)).status).to.equal(400);
  });

  it('an unknown or malformed uid is answered like one that has ended', async () => {
    const { visitor } = await openSignIn(issuer);
    for (const uid of ['nobody', 'x'.repeat(43), '__proto__', '$ne', '%24ne', 'a b'.replace(' ', '%20'), '%ff']) {
      const answer = await visitor.request(`/sign-in/${uid}`);
      expect(answer.status, uid).to.equal(400);
      expect(answer.html, uid).to.contain('interaction.expired');
    }
  });

  it('sec-028 the cookies of one interaction do not open another', async () => {
    const mine = await openSignIn(issuer);
    const theirs = await openSignIn(issuer);
    const cookies = ['interaction', 'interaction.sig'].map((name) => cookieOf(theirs.visitor, name));
    const answer = await browser(issuer).request(mine.page.url, {
      headers: { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') },
    });
    expect(answer.status).to.equal(400);
    expect(answer.html).not.to.contain(theirs.csrf);
  });

  it('sec-028 a changed cookie or signature opens nothing', async () => {
    const { visitor, page } = await openSignIn(issuer);
    const id = cookieOf(visitor, 'interaction');
    const signature = cookieOf(visitor, 'interaction.sig');
    const flip = (text: string): string => `${text.startsWith('a') ? 'b' : 'a'}${text.slice(1)}`;
    const header = (idValue: string, signatureValue: string | null): string =>
      `interaction=${idValue}${signatureValue === null ? '' : `; interaction.sig=${signatureValue}`}`;
    for (const [why, cookie] of [
      ['the identifier changed', header(flip(id.value), signature.value)],
      ['the signature changed', header(id.value, flip(signature.value))],
      ['no signature', header(id.value, null)],
      ['an empty signature', header(id.value, '')],
      ['a signature cut short', header(id.value, signature.value.slice(0, -1))],
      ['the identifier as signature', header(id.value, id.value)],
      ['no identifier', `interaction.sig=${signature.value}`],
      ['the signature under another name', `interaction=${id.value}; interaction_sig=${signature.value}`],
    ] as const) {
      const answer = await browser(issuer).request(page.url, { headers: { Cookie: cookie } });
      expect(answer.status, why).to.equal(400);
      expect(answer.html, why).to.contain('interaction.expired');
    }
    const whole = await browser(issuer).request(page.url, {
      headers: { Cookie: header(id.value, signature.value) },
    });
    expect(whole.status, 'unchanged').to.equal(200);
  });

  it('sec-040 a step is taken only when it is due', async () => {
    const open = await openSignIn(issuer);
    for (const [step, members] of [
      ['tenant', { tenant: 'acme' }],
      ['consent', { decision: 'accept' }],
    ] as const) {
      const answer = await submitByHand(open, step, members);
      expect(answer.status, step).to.equal(400);
      expect(answer.html, step).to.contain('interaction.wrong_step');
    }
    const picker = asOpenPage(
      open.visitor,
      await open.visitor.submit(open.page, { login: consultant.email, password: consultant.password }),
    );
    expect(picker.page.html).to.contain('name="tenant"');
    for (const [step, members] of [
      ['login', right],
      ['consent', { decision: 'accept' }],
    ] as const) {
      expect((await submitByHand(picker, step, members)).status, step).to.equal(400);
    }
    expect((await submitByHand(picker, 'tenant', { tenant: 'acme' })).status).to.equal(303);
  });

  it('sec-040 without a login the way on leads back to the login', async () => {
    const { visitor, uid } = await openSignIn(issuer);
    const resumed = await visitor.get(`/oauth2/authorize/${uid}`);
    expect(resumed.url).not.to.contain('code=');
    expect([...visitor.cookies.values()].map(({ name }) => name)).not.to.include('sid');
  });

  it('sec-013 only a tenant of one’s own can be picked', async () => {
    await running.app.seeding.applySeed({ tenants: [{ slug: 'initech', name: 'Initech', type: 'team' }] });
    const open = await openSignIn(issuer);
    const picker = asOpenPage(
      open.visitor,
      await open.visitor.submit(open.page, { login: consultant.email, password: consultant.password }),
    );
    for (const tenant of ['initech', 'nobody', 'ACME', '', '$ne', '__proto__', 'acme ']) {
      const answer = await submitByHand(picker, 'tenant', { tenant });
      expect(answer.status, tenant).to.equal(422);
    }
    for (const body of [
      'tenant[$ne]=1',
      'tenant=acme&tenant=globex',
      'tenant=acme&role=owner',
      `tenant=${'x'.repeat(65)}`,
    ]) {
      expect((await submitByHand(picker, 'tenant', `csrf=${picker.csrf}&${body}`)).status, body).to.equal(400);
    }
  });

  it('sec-039 a finished interaction cannot be finished again', async () => {
    const open = await openSignIn(issuer);
    const cookies = [cookieOf(open.visitor, 'interaction'), cookieOf(open.visitor, 'interaction.sig')];
    const done = await open.visitor.submit(open.page, right);
    expect(done.url).to.contain('code=');
    const Cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    for (const visitor of [open.visitor, browser(issuer)]) {
      const again = await submitByHand({ ...open, visitor }, 'login', right, { Cookie });
      expect(again.status).to.equal(400);
      expect(again.html).to.contain('interaction.expired');
      expect((await visitor.request(open.page.url, { headers: { Cookie } })).status).to.equal(400);
      const resumed = await visitor.request(`/oauth2/authorize/${open.uid}`, { headers: { Cookie } });
      expect(resumed.status).to.equal(400);
    }
  });

  it('sec-039 a cancelled interaction is over, and its app is told so', async () => {
    const open = await openSignIn(issuer);
    const cookies = [cookieOf(open.visitor, 'interaction'), cookieOf(open.visitor, 'interaction.sig')];
    const back = await open.visitor.submit(open.page, {}, '/cancel');
    const answer = new URL(back.url);
    expect(answer.origin + answer.pathname).to.equal('http://localhost:3001/callback');
    expect(Object.fromEntries(answer.searchParams)).to.include({
      error: 'access_denied',
      state: 'the-state',
      iss: issuer,
    });
    const Cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    expect((await submitByHand(open, 'login', right, { Cookie })).status).to.equal(400);
  });

  it('sec-039 query and form cannot change what was asked for', async () => {
    const open = await openSignIn(issuer);
    const answer = await open.visitor.request(
      `/sign-in/${open.uid}/login?redirect_uri=https://evil.example/&client_id=plain&state=other`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ csrf: open.csrf, ...right }),
      },
    );
    const resume = answer.headers.get('location') ?? '';
    expect(new URL(resume, issuer).origin).to.equal(issuer);
    const done = await open.visitor.get(`${resume}?redirect_uri=https://evil.example/&state=other`);
    expect(done.url).to.match(/^http:\/\/localhost:3001\/callback\?code=/);
    expect(new URL(done.url).searchParams.get('state')).to.equal('the-state');
  });

  it('sec-028 the session gets a new identifier when somebody signs in, and a planted one gets nobody in', async () => {
    const attacker = await openSignIn(issuer);
    const visitor = browser(issuer);
    visitor.cookies.set('/ sid', { name: 'sid', value: 'planted-by-the-attacker-0123456789abcdefghi', path: '/' });
    const login = await visitor.get(authorizeUrl(issuer));
    expect((await visitor.submit(login, right)).url).to.contain('code=');
    expect(cookieOf(visitor, 'sid').value).not.to.equal('planted-by-the-attacker-0123456789abcdefghi');
    attacker.visitor.cookies.set('/ sid', {
      name: 'sid',
      value: 'planted-by-the-attacker-0123456789abcdefghi',
      path: '/',
    });
    expect((await attacker.visitor.get(authorizeUrl(issuer, { prompt: 'none' }))).url).to.contain('login_required');
  });

  it('sec-029 signing in as somebody else ends the session of the first, and what was bound to it', async () => {
    const open = await openSignIn(issuer);
    const first = new URL((await open.visitor.submit(open.page, right)).url).searchParams.get('code') ?? '';
    const tokens = (await redeem(issuer, first)).json as unknown as TokenSet;
    const before = cookieOf(open.visitor, 'sid').value;
    const again = await open.visitor.get(authorizeUrl(issuer, { prompt: 'login', tenant: 'acme' }));
    const leave = await open.visitor.submit(again, { login: consultant.email, password: consultant.password });
    const entered = await open.visitor.submit(leave, { logout: 'yes' });
    const code = new URL(entered.url).searchParams.get('code') ?? '';
    expect(cookieOf(open.visitor, 'sid').value).not.to.equal(before);
    const switched = (await redeem(issuer, code)).json as unknown as TokenSet;
    expect(decodeJwt(switched.id_token).sub).not.to.equal(decodeJwt(tokens.id_token).sub);
    const late = await post(issuer, 'token', refreshing(tokens), ['web', webSecret]);
    expect(late.json).to.include({ error: 'invalid_grant' });
  });
});
