import { expect } from 'chai';
import { projectsApi } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { asBrowser, expectErrorPage } from './error-pages.js';
import { authorizeUrl, challenge, post, send, type Answer } from './requests.js';

/** What an app is told at its redirect URI. */
function errorAtApp(answer: Answer, why: string): Record<string, string> {
  expect(answer.status, `${why} ${answer.text.slice(0, 200)}`).to.equal(303);
  const url = new URL(answer.location ?? '');
  expect(url.origin + url.pathname, why).to.equal('http://localhost:3001/callback');
  return Object.fromEntries(url.hash ? new URLSearchParams(url.hash.slice(1)) : url.searchParams);
}

describe('an authorization request that names no client or place to trust ends on a page', () => {
  let issuer: string;
  beforeEach(async () => {
    issuer = (await startApp({ seed: seedWithTwoTenants })).issuer;
  });
  afterEach(closeApps);

  it('clients that are not there', async () => {
    const ids = [
      null,
      '',
      'nobody',
      'WEB',
      'web ',
      '$ne',
      '{"$ne":null}',
      '__proto__',
      'constructor',
      'web\0',
      'w'.repeat(5000),
    ];
    for (const client_id of ids) {
      expectErrorPage(await send(authorizeUrl(issuer, { client_id }), asBrowser), String(client_id).slice(0, 40));
    }
    for (const appended of ['&client_id=web', '&client_id[$ne]=1&client_id=plain']) {
      expectErrorPage(await send(authorizeUrl(issuer, {}, appended), asBrowser), appended);
    }
    expectErrorPage(await send(authorizeUrl(issuer, { client_id: 'acme-ci' }), asBrowser), 'a service account');
  });
});

describe('an authorization request that is wrong otherwise is answered to its app', () => {
  let issuer: string;
  beforeEach(async () => {
    issuer = (await startApp({ seed: seedWithTwoTenants })).issuer;
  });
  afterEach(closeApps);

  const table: readonly [error: string, changes: Record<string, string | null>, appended?: string][] = [
    // sec-059
    ['invalid_request', { code_challenge: null, code_challenge_method: null }],
    ['invalid_request', { code_challenge: null }],
    ['invalid_request', { code_challenge_method: null }],
    ['invalid_request', { code_challenge_method: 'plain' }],
    ['invalid_request', { code_challenge_method: 's256' }],
    ['invalid_request', { code_challenge: 'short' }],
    ['invalid_request', { code_challenge: 'x'.repeat(129) }],
    ['invalid_request', { code_challenge: `${challenge}=` }],
    ['unsupported_response_type', { response_type: 'token' }],
    ['unsupported_response_type', { response_type: 'id_token' }],
    ['unsupported_response_type', { response_type: 'code id_token' }],
    ['unsupported_response_type', { response_type: 'code token' }],
    ['unsupported_response_type', { response_type: 'code id_token token' }],
    ['unsupported_response_type', { response_type: 'none' }],
    ['unsupported_response_type', { response_type: 'CODE' }],
    ['unsupported_response_type', { response_type: '__proto__' }],
    ['invalid_request', { response_type: null }],
    ['unsupported_response_mode', { response_mode: 'junk' }],
    ['unsupported_response_mode', { response_mode: 'jwt' }],
    ['unsupported_response_mode', { response_mode: 'web_message' }],
    ['unsupported_response_mode', { response_mode: '__proto__' }],
    ['invalid_request', { prompt: 'junk' }],
    ['invalid_request', { prompt: 'create' }],
    ['invalid_request', { prompt: 'none login' }],
    ['invalid_request', { prompt: 'login none' }],
    ['login_required', { prompt: 'none' }],
    ['invalid_request', { max_age: 'junk' }],
    ['invalid_request', { max_age: '-1' }],
    ['invalid_request', { id_token_hint: 'junk' }],
    ['invalid_scope', { scope: 'openid  profile' }],
    ['invalid_scope', { scope: 'openid\tprofile' }],
    ['invalid_scope', { scope: 'openid "profile"' }],
    ['invalid_scope', { scope: 'openid pröfile' }],
    ['invalid_target', { resource: 'https://api.example.com/unknown' }],
    ['invalid_target', { resource: `${projectsApi}/` }],
    ['invalid_target', { resource: `${projectsApi}#x` }],
    ['invalid_target', { resource: 'projects' }],
    ['invalid_target', { resource: projectsApi, client_id: 'plain' }], // sec-064
    ['invalid_target', { resource: projectsApi }, '&resource=https://api.example.com/unknown'],
    ['request_not_supported', { request: 'e30.e30.' }],
    ['request_uri_not_supported', { request_uri: 'https://evil.example/request' }], // sec-068
    ['request_uri_not_supported', { request_uri: 'http://127.0.0.1:1/' }],
    ['request_uri_not_supported', { request_uri: 'file:///etc/passwd' }],
    ['registration_not_supported', { registration: '{}' }],
    ['invalid_request', { client_id: 'no-pkce', code_challenge: null, code_challenge_method: null }],
    // sec-075
    ...[
      '$ne',
      '{"$ne":null}',
      'x'.repeat(64),
      'x'.repeat(5000),
      `usr_${'0'.repeat(32)}`,
      'ten_',
      `ten_${'g'.repeat(32)}`,
    ]
      .concat(['ACME', 'acme ', '../acme', '__proto__', '-acme', 'acme-', 'acme\0', 'ac me', 'ácme'])
      .map((tenant): [string, Record<string, string>] => ['invalid_request', { tenant }]),
    ...['response_type', 'scope', 'state', 'code_challenge', 'code_challenge_method', 'tenant', 'prompt', 'nonce']
      .concat(['response_mode', 'max_age', 'login_hint', 'id_token_hint', 'acr_values', 'ui_locales'])
      .map((name): [string, Record<string, string>, string] => ['invalid_request', {}, `&${name}=a&${name}=a`]),
  ];

  it('each with its own code, its state and the issuer', async () => {
    for (const [error, changes, appended] of table) {
      const why = JSON.stringify([changes, appended]).slice(0, 120);
      const told = errorAtApp(await send(authorizeUrl(issuer, changes, appended), asBrowser), why);
      expect(told['error'], why).to.equal(error);
      expect(told['iss'], `sec-010 ${why}`).to.equal(issuer);
      if (appended?.includes('state=') !== true) expect(told['state'], why).to.equal('the-state');
      expect(told, why).not.to.have.any.keys('code', 'access_token', 'id_token');
    }
  });

  it('sec-034 a state that wants to be a header or a script stays a value', async () => {
    for (const state of [
      'a\r\nSet-Cookie: sid=x',
      '"><script>alert(1)</script>',
      '&code=forged',
      'x'.repeat(4000),
      '#',
      ' ',
    ]) {
      const answer = await send(authorizeUrl(issuer, { state, prompt: 'none' }), asBrowser);
      expect(errorAtApp(answer, state)).to.include({ state, error: 'login_required' });
      expect(answer.headers.getSetCookie().filter((cookie) => cookie.startsWith('sid=x'))).to.deep.equal([]);
    }
  });

  it('sec-034 a form_post answer holds its values escaped', async () => {
    const state = '"><script>alert(1)</script>';
    const answer = await send(authorizeUrl(issuer, { state, prompt: 'none', response_mode: 'form_post' }), asBrowser);
    expect(answer.text).to.contain('action="http://localhost:3001/callback"');
    expect(answer.text).not.to.contain('<script>alert');
    expect(answer.headers.get('content-security-policy')).to.match(
      /form-action 'self' https: http:\/\/localhost:3001(;|$)/,
    );
    expect(answer.headers.get('content-security-policy')).not.to.contain('unsafe-inline');
  });

  it('parameters of strange names are not read', async () => {
    for (const appended of [
      '&x=1&x=2',
      '&tenant[$ne]=1',
      '&tenant[]=globex',
      '&__proto__=1',
      '&constructor=1',
      '&%=1',
      '&a=%ff',
    ]) {
      const answer = await send(authorizeUrl(issuer, {}, appended), asBrowser);
      expect(answer.location, appended).to.match(/^(http:\/\/localhost:\d+)?\/sign-in\/[\w-]{40,}$/);
    }
  });

  it('more than 100 parameters, or an address beyond 8 KiB, are refused', async () => {
    const many = await send(authorizeUrl(issuer, {}, '&x=1'.repeat(100)), asBrowser);
    expectErrorPage(many, 'many');
    const long = await send(authorizeUrl(issuer, { tenant: 'x'.repeat(10_000) }), asBrowser);
    expect(long.status).to.equal(414);
    expect(long.location).to.equal(null);
  });

  it('a pushed request is checked the same way before it is kept', async () => {
    for (const [error, changes, appended] of table.filter(([error]) => error !== 'login_required')) {
      const why = JSON.stringify([changes, appended]).slice(0, 120);
      if (changes['client_id'] !== undefined) continue;
      const url = new URL(authorizeUrl(issuer, changes, appended));
      const answer = await post(issuer, 'par', [...url.searchParams], ['web', 's3cret-s3cret-s3cret-s3cret-s3cret']);
      expect(answer.status, why).to.equal(400);
      if (!('request_uri' in changes)) expect(answer.json['error'], why).to.equal(error);
      expect(answer.json, why).not.to.have.property('request_uri');
    }
  });
});
