// OpenID Connect Back-Channel Logout 1.0: apps are told that a session has ended.
import { expect } from 'chai';
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import type { RequestListener } from 'node:http';
import type { SeedInput } from '../../src/seeding/index.js';
import { operator, tenantIdOf } from '../support/administered.js';
import { makeAuthority, type Authority } from '../support/authority.js';
import { browser, type Browser } from '../support/browser.js';
import { ada, contractSeed, redirectUri, webSecret } from '../support/contract-seed.js';
import { eventually } from '../support/eventually.js';
import { closeHttpsHosts, startHttpsHost, type HttpsHost } from '../support/https-host.js';
import { csrfOf, openPortal, postForm } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { resolveHostile, ssrfUris, startCanary } from '../support/ssrf.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { apiOf, roleSeed } from '../management/api.js';
import { authorizeUrl, redeem, send } from './requests.js';

const event = 'http://schemas.openid.net/event/backchannel-logout';

describe('back-channel logout', function () {
  this.timeout(30_000);
  let authority: Authority;
  let receiver: HttpsHost;
  let bodies: string[];
  let now: Date;
  let begunAt: number;
  let running: RunningApp;

  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    authority = makeAuthority();
  });
  beforeEach(async () => {
    bodies = [];
    now = new Date();
    begunAt = performance.now();
    receiver = await startHttpsHost(authority, taking(200));
    running = await start();
  });
  afterEach(closeApps);
  afterEach(closeHttpsHosts);

  const later = (seconds: number): void => void (now = new Date(now.getTime() + seconds * 1000));

  function taking(status: number): RequestListener {
    return (req, res) => {
      let text = '';
      req.on('data', (chunk: Buffer) => (text += chunk.toString()));
      req.on('end', () => {
        bodies.push(text);
        res.writeHead(status).end();
      });
    };
  }

  function seed(): SeedInput {
    const client = (client_id: string, path: string, required: boolean) => ({
      ...{ client_id, client_secret: webSecret, redirect_uris: [redirectUri], firstParty: true },
      ...{ backchannel_logout_uri: receiver.at(path), backchannel_logout_session_required: required },
      grant_types: ['authorization_code' as const, 'refresh_token' as const],
    });
    return {
      ...contractSeed,
      clients: [...(contractSeed.clients ?? []), client('board', '/board', true), client('wiki', '/wiki', false)],
    };
  }

  function start(options: Parameters<typeof startApp>[0] = {}): Promise<RunningApp> {
    return startApp({
      seed: seed(),
      egress: { allow: [receiver.hostAndPort], extraAuthorities: [authority.certificate] },
      now: () => new Date(now.getTime() + performance.now() - begunAt),
      ...options,
    });
  }

  interface SignedIn {
    visitor: Browser;
    claims: JWTPayload;
  }

  async function signInAt(clientId: string, visitor = browser(running.issuer)): Promise<SignedIn> {
    const url = authorizeUrl(running.issuer, { client_id: clientId });
    const asked = await visitor.get(url);
    const done = asked.url.startsWith(redirectUri) ? asked : (await signIn(running.issuer, url, ada, visitor)).page;
    const code = new URL(done.url).searchParams.get('code') ?? '';
    const { json } = await redeem(running.issuer, code, {}, [clientId, webSecret]);
    return { visitor, claims: await verified(String(json['id_token']), clientId) };
  }

  async function verified(token: string, audience: string, typ?: string): Promise<JWTPayload> {
    const keys = createRemoteJWKSet(new URL(`${running.issuer}/oauth2/jwks`));
    const options = { issuer: running.issuer, audience, ...(typ ? { typ } : {}) };
    return (await jwtVerify(token, keys, options)).payload;
  }

  const tokenIn = (body: string): string => new URLSearchParams(body).get('logout_token') ?? '';
  const deliver = (): Promise<number> => running.app.logouts.deliverDue();
  const waiting = (): Promise<number> => running.database.collection('logout_outbox').countDocuments();
  const idOfAda = async (): Promise<string> => (await running.app.administration.getUserByEmail(ada.email)).id;

  it('is announced in discovery, and `sid` stands in the ID tokens of apps that want it', async () => {
    const { json } = await send(`${running.issuer}/.well-known/openid-configuration`);
    expect(json).to.include({ backchannel_logout_supported: true, backchannel_logout_session_supported: true });
    const { visitor, claims } = await signInAt('board');
    expect(claims['sid']).to.be.a('string');
    expect((await signInAt('board', visitor)).claims['sid'], 'in the same session').to.equal(claims['sid']);
    expect((await signInAt('board')).claims['sid'], 'in another one').not.to.equal(claims['sid']);
    expect((await signInAt('wiki', visitor)).claims).not.to.have.property('sid');
  });

  it('tells each app of the session, by a token as it has to be, and the others nothing', async () => {
    const { visitor, claims } = await signInAt('board');
    await signInAt('wiki', visitor);
    await signInAt('web', visitor);
    await signInAt('board');
    const { page } = await openPortal(running.issuer, { path: '/account/sessions', visitor });
    const session = /name="session" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    await visitor.submit(page, { session }, '/sessions/end');
    expect(await waiting()).to.equal(2);
    expect(JSON.stringify(await running.database.collection('logout_outbox').find({}).toArray())).not.to.contain(
      'usr_',
    );
    expect(await deliver()).to.equal(2);
    expect(await waiting()).to.equal(0);
    expect(receiver.asked.toSorted()).to.deep.equal(['/board', '/wiki']);
    const board = await verified(tokenIn(bodies[receiver.asked.indexOf('/board')] ?? ''), 'board', 'logout+jwt');
    expect(board).to.include({ sub: claims.sub, sid: claims['sid'] }).and.not.have.property('nonce');
    expect(board).to.have.all.keys('iss', 'aud', 'iat', 'exp', 'jti', 'sub', 'sid', 'events');
    expect(board['events']).to.deep.equal({ [event]: {} });
    const wiki = await verified(tokenIn(bodies[receiver.asked.indexOf('/wiki')] ?? ''), 'wiki', 'logout+jwt');
    expect(wiki.sub).to.equal(claims.sub);
    expect(wiki.jti).not.to.equal(board.jti);
  });

  it('follows a sign-out by the person, without keeping them waiting, and by another person in the same browser', async () => {
    receiver.answer = () => undefined; // never answers
    const { visitor } = await signInAt('board');
    const question = await visitor.get('/oauth2/logout');
    const before = performance.now();
    expect((await visitor.submit(question, { logout: 'yes' })).html).to.contain('Signed out');
    expect(performance.now() - before).to.be.lessThan(1500);
    expect(await waiting()).to.equal(1);
  });

  const endings: readonly (readonly [string, (session: SignedIn) => Promise<unknown>])[] = [
    [
      'a password that an operator sets',
      async () => admin().setUserPassword(operator, await idOfAda(), { password: 'quite another long password' }),
    ],
    ['a password that has to be set anew', async () => admin().requirePasswordReset(operator, await idOfAda())],
    ['a person that is disabled', async () => admin().changeUserStatus(operator, await idOfAda(), 'disabled')],
    [
      'a person that is deleted',
      async () => {
        await admin().changeStatus(operator, await tenantIdOf(running, 'acme'), 'archived');
        await admin().deleteUser(operator, await idOfAda());
      },
    ],
    ['an operator who ends the sessions', async () => admin().endUserSessions(operator, await idOfAda())],
    [
      'a member that is removed',
      async () => {
        const tenantId = await tenantIdOf(running, 'acme');
        const { id: userId } = await admin().createUser(operator, { email: 'owner@example.com', emailVerified: true });
        await admin().addMember(operator, tenantId, { userId, roles: ['owner'] });
        await admin().removeMember(operator, { tenantId, userId: await idOfAda() });
      },
    ],
    [
      'a person who ends all of theirs',
      async ({ visitor }) => {
        const { page } = await openPortal(running.issuer, { path: '/account/sessions', visitor });
        await postForm({ visitor }, '/account/sessions/end-all', { csrf: csrfOf(page) });
      },
    ],
  ];
  const admin = (): RunningApp['app']['administration'] => running.app.administration;
  for (const [what, end] of endings) {
    it(`sec-032 follows ${what}`, async () => {
      const session = await signInAt('board');
      await end(session);
      expect(await deliver()).to.equal(1);
      const claims = await verified(tokenIn(bodies[0] ?? ''), 'board', 'logout+jwt');
      expect(claims).to.include({ sub: session.claims.sub, sid: session.claims['sid'] });
    });
  }

  it('sec-029 follows another person who signs in in the same browser', async () => {
    await running.app.administration.createUser(operator, {
      ...{ email: 'other@example.com', emailVerified: true, password: 'the password of the other' },
    });
    const { visitor, claims } = await signInAt('board');
    const login = await visitor.get(authorizeUrl(running.issuer, { client_id: 'web', prompt: 'login' }));
    const switching = await visitor.submit(login, {
      login: 'other@example.com',
      password: 'the password of the other',
    });
    await visitor.submit(switching, {});
    expect(await deliver()).to.equal(1);
    expect((await verified(tokenIn(bodies[0] ?? ''), 'board')).sub).to.equal(claims.sub);
  });

  it('an app that gives its own token back is told nothing', async () => {
    const { visitor } = await signInAt('board');
    const again = await visitor.get(authorizeUrl(running.issuer, { client_id: 'board' }));
    const { json } = await redeem(running.issuer, new URL(again.url).searchParams.get('code') ?? '', {}, [
      'board',
      webSecret,
    ]);
    const authorization = `Basic ${Buffer.from(`board:${webSecret}`).toString('base64')}`;
    await send(`${running.issuer}/oauth2/revoke`, {
      ...{ method: 'POST', headers: { Authorization: authorization } },
      body: new URLSearchParams({ token: String(json['refresh_token']) }),
    });
    expect(await waiting()).to.equal(0);
  });

  it('waits for an app that is away or does not take it, ever longer, and gives up after a day', async () => {
    await signInAt('board');
    await admin().endUserSessions(operator, await idOfAda());
    receiver.answer = taking(503);
    expect(await deliver()).to.equal(0);
    expect(await deliver(), 'not at once').to.equal(0);
    expect(bodies).to.have.length(1);
    later(3);
    receiver.answer = taking(400);
    expect(await deliver()).to.equal(0);
    await receiver.close();
    later(10);
    expect(await deliver()).to.equal(0);
    const [record] = await running.database.collection('logout_outbox').find({}).toArray();
    expect(record).to.include({ status: 'queued', attempts: 3 });
    later(86_400);
    expect(await deliver()).to.equal(0);
    expect((await running.database.collection('logout_outbox').findOne({}))?.['status']).to.equal('failed');
    expect(running.logLines.join('')).to.contain('a logout could not be delivered and is given up');
  });

  it('arrives once the app is there again, with a fresh token', async () => {
    await signInAt('board');
    await admin().endUserSessions(operator, await idOfAda());
    receiver.answer = taking(500);
    await deliver();
    receiver.answer = taking(204);
    later(900);
    expect(await deliver()).to.equal(1);
    const [first = '', second = ''] = bodies.map(tokenIn);
    expect((await verified(second, 'board')).jti).not.to.equal((await verified(first, 'board')).jti);
  });

  it('is sent within five seconds by whichever process there is, and once', async () => {
    const there = await start({ sharedWith: running });
    there.app.logouts.start();
    try {
      await signInAt('board');
      await admin().endUserSessions(operator, await idOfAda());
      await eventually(() => expect(bodies).to.have.length(1), 5000);
      expect(await deliver()).to.equal(0);
    } finally {
      await there.app.logouts.stop();
    }
  });

  it('of several processes that find the same one sends it', async () => {
    const there = await start({ sharedWith: running });
    await signInAt('board');
    await admin().endUserSessions(operator, await idOfAda());
    const sent = await Promise.all([deliver(), there.app.logouts.deliverDue(), deliver()]);
    expect(sent.reduce((sum, count) => sum + count)).to.equal(1);
    expect(bodies).to.have.length(1);
  });

  it('sec-068 no address is registered that is not on the public internet, by seed or by the API', async () => {
    const api = await apiOf(await start({ seed: roleSeed }), 'acme-owner');
    const acme = String(
      (await api.call('GET', '/tenants')).json['items'] &&
        ((await api.call('GET', '/tenants')).json['items'] as { id: string }[])[0]?.id,
    );
    const client = { name: 'App', redirectUris: [redirectUri] };
    for (const backchannelLogoutUri of [...ssrfUris(443), `${receiver.at('/x')}#part`, 'http://rp.example.com/out']) {
      const answer = await api.call('POST', `/tenants/${acme}/clients`, { body: { ...client, backchannelLogoutUri } });
      expect(answer.status, backchannelLogoutUri).to.equal(400);
    }
    const made = await api.call('POST', `/tenants/${acme}/clients`, {
      body: { ...client, backchannelLogoutUri: 'https://rp.example.com/out' },
    });
    expect(made.status, made.text).to.equal(201);
    expect(made.json).to.include({
      ...{ backchannelLogoutUri: 'https://rp.example.com/out', backchannelLogoutSessionRequired: true },
    });
  });

  it('sec-068 a name that leads inwards is not called', async () => {
    const canary = await startCanary();
    try {
      await closeApps();
      const inward = `https://127.0.0.1.nip.example.com:${canary.port}/out`;
      const [client] = seed().clients?.slice(-2) ?? [];
      running = await start({
        seed: { ...contractSeed, clients: [{ ...client!, backchannel_logout_uri: inward }] },
        egress: { resolveHost: resolveHostile },
      });
      await signInAt('board');
      await admin().endUserSessions(operator, await idOfAda());
      expect(await deliver()).to.equal(0);
      expect(await canary.hits()).to.equal(0);
      expect(await waiting()).to.equal(1);
    } finally {
      await canary.close();
    }
  });
});
