// A provider without OpenID Connect: a token, a document about the person, and a list of their addresses, as GitHub has.
import { expect } from 'chai';
import type { RequestListener } from 'node:http';
import { makeAuthority, type Authority } from '../support/authority.js';
import { browser } from '../support/browser.js';
import { closeHttpsHosts, startHttpsHost, type HttpsHost } from '../support/https-host.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';

const octocat = { id: 583_231, login: 'usr_1', name: 'Mona Lisa Octocat', email: 'public@example.com' };
const verified = { email: 'mona@example.com', primary: true, verified: true };

describe('signing in at a provider of OAuth 2.0', function () {
  let authority: Authority;
  let host: HttpsHost;
  let answers: Record<string, unknown>;

  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    authority = makeAuthority();
  });
  beforeEach(async () => {
    answers = {
      '/token': { access_token: 'gho_token', token_type: 'bearer', scope: 'read:user,user:email' },
      '/user': octocat,
      '/user/emails': [{ email: 'other@example.com', primary: false, verified: true }, verified],
    };
    const answer: RequestListener = (req, res) => {
      const body = answers[req.url ?? ''];
      res.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    host = await startHttpsHost(authority, answer);
  });
  afterEach(async () => {
    await closeApps();
    await closeHttpsHosts();
  });

  async function start(changes: object = {}): Promise<RunningApp> {
    const egress = { allow: [host.hostAndPort], extraAuthorities: [authority.certificate] };
    const running = await startApp({ egress });
    await running.app.seeding.firstStart({
      email: 'operator@example.com',
      password: 'the operator has this one',
      mfa: 'optional',
    });
    const endpoints = {
      ...{ issuer: host.at('/'), authorizationEndpoint: host.at('/authorize'), tokenEndpoint: host.at('/token') },
      ...{ userinfoEndpoint: host.at('/user'), emailsEndpoint: host.at('/user/emails') },
    };
    const own = { key: 'hub', name: 'Hub', preset: 'github', clientId: 'us', clientSecret: 'between us' };
    const trust = { authoritative: true, makesAccounts: true };
    await running.app.seeding.applySeed({ connections: [{ ...own, ...endpoints, ...trust, ...changes }] });
    return running;
  }

  /** The status of the page where it ends, or the address that somebody was signed in with. */
  async function outcome({ issuer, database }: RunningApp): Promise<string> {
    const party = await relyingParty(issuer);
    const { url, finish } = await party.begin();
    const visitor = browser(issuer);
    const connection = (await database.collection<{ _id: string }>('connections').findOne({}))?._id ?? '';
    const away = await visitor.submit(await visitor.get(url), { connection });
    const state = new URL(away.url).searchParams.get('state') ?? '';
    const page = await visitor.get(
      `/connections/callback/${connection}?${new URLSearchParams({ state, code: 'x' }).toString()}`,
    );
    if (!page.url.startsWith('http://localhost:3001/')) return String(page.status);
    const { email } = (await finish(page.url)).claims() as unknown as { email: string };
    return email;
  }

  it('the verified primary address makes an account, and the number of the account opens it again', async () => {
    const running = await start();
    expect(await outcome(running)).to.equal('mona@example.com');
    answers['/user/emails'] = [{ ...verified, email: 'moved@example.com' }];
    answers['/user'] = { ...octocat, login: 'renamed' };
    expect(await outcome(running)).to.equal('mona@example.com');
    expect(await running.database.collection('identities').countDocuments()).to.equal(1);
  });

  it('sec-001 sec-002 no other address does', async () => {
    const running = await start();
    for (const emails of [
      [{ ...verified, verified: false }],
      [{ ...verified, verified: 'true' }],
      [{ ...verified, primary: false }],
      [],
      { message: 'no' },
    ]) {
      answers['/user/emails'] = emails;
      expect(await outcome(running), JSON.stringify(emails)).to.equal('403');
    }
    expect(await running.database.collection('identities').countDocuments()).to.equal(0);
  });

  it('what is no answer of a provider lets nobody in', async () => {
    const running = await start();
    for (const [path, answer] of [
      ['/token', { error: 'bad_verification_code' }],
      ['/token', { token_type: 'bearer' }],
      ['/user', []],
      ['/user', { login: 'no id' }],
      ['/user', 'text'],
    ] as const) {
      const good = answers[path];
      answers[path] = answer;
      expect(await outcome(running), `${path} ${JSON.stringify(answer)}`).to.equal('400');
      answers[path] = good;
    }
  });
});
