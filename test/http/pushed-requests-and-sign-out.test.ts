import { expect } from 'chai';
import { ada, redirectUri, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { dropCaches } from '../support/drop-caches.js';
import { authorizeUrl, cookieOf, openSignIn, post, redeem, refreshing, send, type TokenSet } from './requests.js';

const right = { login: ada.email, password: ada.password };

describe('a pushed request and a sign-out cannot be bent', () => {
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  const push = async (): Promise<string> => {
    const answer = await post(issuer, 'par', [...new URL(authorizeUrl(issuer)).searchParams], ['web', webSecret]);
    expect(answer.status, answer.text).to.equal(201);
    return String(answer.json['request_uri']);
  };

  it('sec-057 a pushed request is of use to its own client alone', async () => {
    const query = new URLSearchParams({ client_id: 'plain', request_uri: await push() });
    const answer = await send(`${issuer}/oauth2/authorize?${query.toString()}`, { headers: { Accept: 'text/html' } });
    expect(answer.status).to.equal(400);
    expect(answer.location).to.equal(null);
  });

  it('sec-039 what was pushed is not changed by the query', async () => {
    const query = new URLSearchParams({ client_id: 'web', request_uri: await push() });
    const changes = {
      redirect_uri: 'https://evil.example/',
      state: 'other',
      scope: 'openid email',
      response_mode: 'fragment',
    };
    for (const [name, value] of Object.entries(changes)) query.set(name, value);
    const open = await send(`${issuer}/oauth2/authorize?${query.toString()}`, { headers: { Accept: 'text/html' } });
    expect(open.location ?? '').not.to.contain('evil.example');
    const pushed = await openSignIn(issuer, { request_uri: await push(), state: 'other', scope: 'openid email' });
    const done = new URL((await pushed.visitor.submit(pushed.page, right)).url);
    expect(done.origin + done.pathname).to.equal(redirectUri);
    expect(done.searchParams.get('state')).to.equal('the-state');
    const tokens = await redeem(issuer, done.searchParams.get('code') ?? '');
    expect(tokens.json['scope']).to.equal('openid');
  });

  it('sec-031 nobody is signed out without a form of this server', async () => {
    const { visitor, page } = await openSignIn(issuer);
    const code = new URL((await visitor.submit(page, right)).url).searchParams.get('code') ?? '';
    const tokens = (await redeem(issuer, code)).json as unknown as TokenSet;
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    for (const hint of [
      '',
      `?id_token_hint=${tokens.id_token}`,
      '?client_id=web',
      `?client_id=web&logout=yes&xsrf=x`,
    ]) {
      expect((await visitor.request(`/oauth2/logout${hint}`)).status, hint).to.equal(200);
      for (const body of [
        '',
        'logout=yes',
        'xsrf=&logout=yes',
        'xsrf=x&logout=yes',
        'xsrf[$ne]=1&logout=yes',
        'xsrf=x&xsrf=x',
      ]) {
        const answer = await visitor.request('/oauth2/logout/confirm', { method: 'POST', headers: form, body });
        expect(answer.status, body).to.equal(400);
      }
    }
    expect((await visitor.get(authorizeUrl(issuer, { prompt: 'none' }))).url).to.contain('code=');
    expect((await post(issuer, 'token', refreshing(tokens), ['web', webSecret])).status).to.equal(200);
  });

  it('sec-031 the hint of somebody else, or none at all, is no proof', async () => {
    const { visitor, page } = await openSignIn(issuer);
    await visitor.submit(page, right);
    for (const hint of ['junk', 'a.b.c', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.']) {
      const answer = await visitor.request(`/oauth2/logout?id_token_hint=${hint}`);
      expect(answer.status, hint).to.equal(400);
    }
    expect((await visitor.get(authorizeUrl(issuer, { prompt: 'none' }))).url).to.contain('code=');
  });

  it('sec-028 a session cookie with a changed value or signature is nobody’s', async () => {
    const { visitor, page } = await openSignIn(issuer);
    await visitor.submit(page, right);
    const [id, signature] = [cookieOf(visitor, 'sid').value, cookieOf(visitor, 'sid.sig').value];
    const flip = (text: string): string => `${text.startsWith('a') ? 'b' : 'a'}${text.slice(1)}`;
    for (const [Cookie, error] of [
      [`sid=${id}; sid.sig=${signature}`, null],
      [`sid=${flip(id)}; sid.sig=${signature}`, 'login_required'],
      [`sid=${id}; sid.sig=${flip(signature)}`, 'login_required'],
      [`sid=${id}`, 'login_required'],
      [`sid.sig=${signature}`, 'login_required'],
    ] as const) {
      const answer = await send(authorizeUrl(issuer, { prompt: 'none' }), { headers: { Cookie } });
      expect(new URL(answer.location ?? '').searchParams.get('error'), Cookie).to.equal(error);
    }
  });

  it('sec-046 who was disabled gets nothing more: no code, no refresh, no userinfo, no silent sign-in', async () => {
    const { visitor, page } = await openSignIn(issuer);
    const code = new URL((await visitor.submit(page, right)).url).searchParams.get('code') ?? '';
    const tokens = (await redeem(issuer, code)).json as unknown as TokenSet;
    const silent = await visitor.get(authorizeUrl(issuer, { prompt: 'none' }));
    const pending = new URL(silent.url).searchParams.get('code') ?? '';
    await running.database.collection('users').updateMany({}, { $set: { status: 'disabled' } });
    await dropCaches(running);
    expect((await redeem(issuer, pending)).json).to.include({ error: 'invalid_grant' });
    expect((await post(issuer, 'token', refreshing(tokens), ['web', webSecret])).json).to.include({
      error: 'invalid_grant',
    });
    expect((await post(issuer, 'userinfo', { access_token: tokens.access_token })).status).to.equal(401);
    expect((await visitor.get(authorizeUrl(issuer, { prompt: 'none' }))).url).to.contain('error=login_required');
    const state = await post(issuer, 'introspect', { token: tokens.access_token }, ['web', webSecret]);
    expect(state.json).to.deep.equal({ active: false });
    const again = await openSignIn(issuer);
    expect((await again.visitor.submit(again.page, right)).status).to.equal(422);
  });
});
