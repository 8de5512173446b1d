import { expect } from 'chai';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants, thirdPartySecret } from '../../support/two-tenants.js';
import { asBrowser, expectErrorPage } from '../error-pages.js';
import { authorizeUrl, post, send, type Answer } from '../requests.js';

describe('an address to return to that is not the registered one', function () {
  this.timeout(30_000);
  let issuer: string;
  beforeEach(async () => {
    issuer = (await startApp({ seed: seedWithTwoTenants })).issuer;
  });
  afterEach(closeApps);

  const registered = 'http://localhost:3001/callback';
  const spellings: readonly string[] = [
    `${registered}/`,
    `${registered}?`,
    `${registered}?x=1`,
    `${registered}#`,
    `${registered}#x`,
    `${registered};x`,
    `${registered} `,
    ` ${registered}`,
    `${registered}\t`,
    `${registered}\n`,
    `${registered}\0`,
    `${registered}%00`,
    `${registered}/../callback`,
    `${registered}/%2e%2e/callback`,
    'http://localhost:3001/./callback',
    'http://localhost:3001//callback',
    'http://localhost:3001/Callback',
    'http://localhost:3001/callbac%6b',
    'http://localhost:3001/callback.evil.example',
    'HTTP://localhost:3001/callback',
    'http://LOCALHOST:3001/callback',
    'http://localhost:3002/callback',
    'http://localhost:03001/callback',
    'http://localhost/callback',
    'https://localhost:3001/callback',
    'http://localhost.:3001/callback',
    'http://127.0.0.1:3001/callback',
    'http://[::1]:3001/callback',
    'http://[::ffff:127.0.0.1]:3001/callback',
    'http://0x7f000001:3001/callback',
    'http://evil.example@localhost:3001/callback',
    'http://localhost:3001@evil.example/callback',
    'http://localhost:3001:@evil.example/callback',
    'http://evil.example/callback',
    'http://evil.example#http://localhost:3001/callback',
    'http://evil.example?http://localhost:3001/callback',
    'http://evil.example\\@localhost:3001/callback',
    'http:\\\\localhost:3001\\callback',
    'http:localhost:3001/callback',
    'http:/localhost:3001/callback',
    '//localhost:3001/callback',
    '//evil.example/callback',
    '/callback',
    'callback',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)//http://localhost:3001/callback',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:http://localhost:3001/callback',
    'urn:ietf:wg:oauth:2.0:oob',
    'com.example.app:/callback',
    'http://loc\u0430lhost:3001/callback',
    'ｈttp://localhost:3001/callback',
    '*',
    'http://*:3001/callback',
    `${registered}%20`,
    `${registered}%0d%0a`,
    `${registered}%23`,
    `${registered}%3f`,
    `${registered}\\`,
    `${registered},https://evil.example/`,
    `${registered} https://evil.example/`,
    `${registered}\u202e`,
    `${registered}.`,
    `view-source:${registered}`,
    'http://localhost:3001%2fcallback',
    'http://localhost%3a3001/callback',
    'http://evil.example%23@localhost:3001/callback',
    'http://localhost:3001.evil.example/callback',
    'http://localhost:3001/call\tback',
    '',
    'null',
  ];

  it(`sec-058 ${spellings.length} spellings that are not the registered redirect URI`, async () => {
    for (const redirect_uri of spellings) {
      const answer = await send(authorizeUrl(issuer, { redirect_uri }), asBrowser);
      expectErrorPage(answer, JSON.stringify(redirect_uri));
      expect(answer.text, redirect_uri).not.to.match(/javascript:|data:text/i);
    }
  });

  it('sec-058 a native client may choose the port on loopback, and nothing else', async () => {
    const running = await startApp({
      seed: {
        ...seedWithTwoTenants,
        clients: [
          {
            ...{ client_id: 'native', application_type: 'native', token_endpoint_auth_method: 'none' },
            redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
          },
        ],
      },
    });
    const ask = (redirect_uri: string): Promise<Answer> =>
      send(authorizeUrl(running.issuer, { client_id: 'native', redirect_uri }), asBrowser);
    for (const good of ['http://127.0.0.1:49152/callback', 'http://127.0.0.1/callback', 'http://[::1]:8080/callback']) {
      expect((await ask(good)).location, good).to.match(/^\/sign-in\//);
    }
    for (const wrong of [
      'http://127.0.0.1:49152/other',
      'http://127.0.0.1:49152/callback/',
      'http://127.0.0.1:49152/callback?x',
      'https://127.0.0.1:49152/callback',
      'http://127.0.0.2:49152/callback',
      'http://localhost:49152/callback',
      'http://127.0.0.1:49152@evil.example/callback',
      'http://127.0.0.1:99999/callback',
      'http://127.0.0.1.evil.example:49152/callback',
      'http://0:49152/callback',
    ]) {
      expectErrorPage(await ask(wrong), wrong);
    }
  });

  it('sec-058 the same spellings with an error of another kind, or asked for silently', async () => {
    for (const redirect_uri of spellings) {
      for (const changes of [
        { response_type: 'token' },
        { prompt: 'none' },
        { code_challenge: null },
        { scope: '"' },
      ]) {
        expectErrorPage(await send(authorizeUrl(issuer, { redirect_uri, ...changes }), asBrowser), redirect_uri);
      }
    }
  });

  it('sec-058 a redirect URI that is missing, doubled or nested', async () => {
    const twice = `&redirect_uri=${encodeURIComponent(registered)}`;
    expectErrorPage(await send(authorizeUrl(issuer, { redirect_uri: null }), asBrowser), 'missing');
    expectErrorPage(await send(authorizeUrl(issuer, {}, twice), asBrowser), 'twice');
    expectErrorPage(await send(authorizeUrl(issuer, {}, '&redirect_uri=https://evil.example/'), asBrowser), 'two');
    const nested = authorizeUrl(issuer, { redirect_uri: null }, `&redirect_uri[]=${encodeURIComponent(registered)}`);
    expectErrorPage(await send(nested, asBrowser), 'nested');
  });

  it('sec-058 the same spellings pushed are refused there', async () => {
    for (const redirect_uri of spellings) {
      const members = { ...Object.fromEntries(new URL(authorizeUrl(issuer)).searchParams), redirect_uri };
      const answer = await post(issuer, 'par', { ...members, client_id: 'plain' }, ['plain', thirdPartySecret]);
      expect(answer.status, redirect_uri).to.equal(400);
      expect(answer.json, redirect_uri).not.to.have.property('request_uri');
    }
  });

  it('sec-058 they are not used after sign-out either', async () => {
    for (const post_logout_redirect_uri of [
      ...spellings.filter((spelling) => spelling !== ''),
      'http://localhost:3001',
      'http://localhost:3001/x',
    ]) {
      const query = new URLSearchParams({ client_id: 'web', post_logout_redirect_uri });
      const answer = await send(`${issuer}/oauth2/logout?${query.toString()}`, asBrowser);
      expectErrorPage(answer, post_logout_redirect_uri);
    }
  });
});
