import { expect } from 'chai';
import { ada, ciKey, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { basic, openSignIn, send, submitByHand, type Answer } from './requests.js';

type Form = 'page' | 'oauth' | 'problem';

interface Case {
  method: string;
  path: string;
  status: number;
  /** What a program gets; a browser gets a page, except where `always` says otherwise. */
  form: Form;
  always?: Form;
  headers?: Record<string, string>;
  body?: string;
}

const urlencoded = { 'Content-Type': 'application/x-www-form-urlencoded' };
const asClient = { ...urlencoded, Authorization: basic('web', webSecret) };

const cases: readonly Case[] = [
  { method: 'GET', path: '/nothing', status: 404, form: 'problem' },
  { method: 'POST', path: '/nothing', status: 404, form: 'problem' },
  { method: 'PROPFIND', path: '/nothing', status: 404, form: 'problem' },
  { method: 'GET', path: '/sign-in', status: 404, form: 'problem' },
  { method: 'GET', path: '/sign-in/', status: 404, form: 'problem' },
  { method: 'GET', path: '/assets/../style.css'.replace('/..', ''), status: 404, form: 'problem' },
  { method: 'GET', path: '/%2e%2e/nothing'.replace('%2e%2e', '%2e'), status: 404, form: 'problem' },
  { method: 'GET', path: '/a%2fb', status: 400, form: 'problem' },
  { method: 'GET', path: `/?${'x&'.repeat(200)}`, status: 400, form: 'problem' },
  { method: 'GET', path: `/${'x'.repeat(8200)}`, status: 414, form: 'problem' },
  { method: 'GET', path: '/sign-in/nothing', status: 400, form: 'problem' },
  { method: 'POST', path: '/sign-in/nothing/login', status: 400, form: 'problem' },
  { method: 'GET', path: '/oauth2/nothing', status: 404, form: 'oauth' },
  { method: 'GET', path: '/oauth2/token/', status: 404, form: 'oauth' },
  { method: 'GET', path: '/.well-known/nothing', status: 404, form: 'oauth' },
  { method: 'GET', path: '/oauth2/token', status: 405, form: 'oauth' },
  { method: 'PUT', path: '/oauth2/token', status: 405, form: 'oauth' },
  { method: 'DELETE', path: '/oauth2/authorize', status: 405, form: 'oauth' },
  { method: 'POST', path: '/oauth2/jwks', status: 405, form: 'oauth' },
  { method: 'PATCH', path: '/oauth2/userinfo', status: 405, form: 'oauth' },
  { method: 'GET', path: '/oauth2/logout/confirm', status: 405, form: 'oauth' },
  { method: 'POST', path: '/.well-known/openid-configuration', status: 405, form: 'oauth' },
  { method: 'GET', path: '/oauth2/userinfo', status: 401, form: 'oauth', headers: { Authorization: 'Bearer x' } },
  { method: 'POST', path: '/oauth2/token', status: 400, form: 'oauth', headers: asClient, body: 'grant_type=x' },
  {
    method: 'POST',
    path: '/oauth2/token',
    status: 400,
    form: 'oauth',
    headers: { 'Content-Type': 'text/plain' },
    body: 'x',
  },
  { method: 'POST', path: '/oauth2/introspect', status: 400, form: 'oauth', headers: asClient, body: '' },
  { method: 'POST', path: '/oauth2/revoke', status: 400, form: 'oauth', headers: asClient, body: '' },
  { method: 'POST', path: '/oauth2/par', status: 400, form: 'oauth', headers: asClient, body: '' },
  { method: 'GET', path: '/oauth2/authorize', status: 400, form: 'page', always: 'page' },
  { method: 'GET', path: '/oauth2/authorize?client_id=nobody', status: 400, form: 'page', always: 'page' },
  { method: 'GET', path: '/oauth2/authorize/nothing', status: 400, form: 'page', always: 'page' },
];

function expectForm(answer: Answer, form: Form, why: string): void {
  const type = answer.headers.get('content-type');
  if (form === 'page') {
    expect(type, why).to.equal('text/html; charset=utf-8');
    expect(answer.text, why)
      .to.match(/^<!doctype html>/)
      .and.contain(`Error ${answer.status}`);
  } else if (form === 'problem') {
    expect(type, why).to.equal('application/problem+json');
    expect(answer.json, why).to.include({ type: 'about:blank', status: answer.status });
    expect(answer.json, why).to.have.all.keys('type', 'title', 'status', 'detail', 'instance', 'code');
    expect(answer.json['code'], why).to.match(/^[a-z]+\.[a-z_]+$/);
  } else {
    expect(type, why).to.equal('application/json; charset=utf-8');
    expect(answer.json['error'], why).to.match(/^[a-z_]+$/);
    expect(answer.json['error_description'], why).to.be.a('string');
    expect(answer.json, why).not.to.have.any.keys('type', 'title', 'status');
  }
}

describe('an error has the form that who asked can read', () => {
  let issuer: string;
  beforeEach(async () => {
    issuer = (await startApp()).issuer;
  });
  afterEach(closeApps);

  const ask = ({ method, path, headers, body }: Case, Accept: string): Promise<Answer> =>
    send(issuer + path, { method, headers: { ...headers, Accept }, ...(body === undefined ? {} : { body }) });

  for (const [who, accept] of [
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['a program', 'application/json'],
    ['one that takes anything', '*/*'],
  ] as const) {
    it(`for ${who}`, async () => {
      for (const one of cases) {
        const why = `${one.method} ${one.path.slice(0, 50)}`;
        const answer = await ask(one, accept);
        expect(answer.status, why).to.equal(one.status);
        const isPage = who === 'a browser' ? 'page' : one.form;
        // userinfo and the like answer a browser with a page too, since it asked for one
        expectForm(answer, one.always ?? isPage, why);
      }
    });
  }

  it('every answer carries its request id, and an error shows it', async () => {
    const seen = new Set<string>();
    for (const one of cases) {
      for (const accept of ['text/html', 'application/json']) {
        const answer = await ask(one, accept);
        const id = answer.headers.get('x-request-id') ?? '';
        expect(id, one.path).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        seen.add(id);
        if (one.form !== 'oauth') expect(answer.text, one.path).to.contain(id);
      }
    }
    expect(seen.size).to.equal(cases.length * 2);
    const own = await send(`${issuer}/`, { headers: { 'X-Request-Id': 'chosen-by-the-client' } });
    expect(own.headers.get('x-request-id')).not.to.equal('chosen-by-the-client');
    expect((await send(`${issuer}/oauth2/jwks`)).headers.get('x-request-id')).to.match(
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    );
  });

  it('a method that a protocol endpoint does not have is answered with those that it has', async () => {
    for (const [path, methods] of [
      ['/oauth2/token', 'POST, OPTIONS'],
      ['/oauth2/introspect', 'POST, OPTIONS'],
      ['/oauth2/userinfo', 'GET, POST, OPTIONS'],
      ['/oauth2/jwks', 'GET, HEAD, OPTIONS'],
      ['/.well-known/openid-configuration', 'GET, HEAD, OPTIONS'],
      ['/oauth2/logout/confirm', 'POST'],
    ] as const) {
      const answer = await send(issuer + path, { method: 'DELETE' });
      expect([answer.status, answer.headers.get('allow')], path).to.deep.equal([405, methods]);
    }
  });

  it('a sign-in form says by status and page what is wrong with it', async () => {
    const open = await openSignIn(issuer);
    const right = { login: ada.email, password: ada.password };
    for (const [status, code, members, headers] of [
      [400, 'form.invalid', { ...right, extra: '1' }, {}],
      [403, 'form.foreign', right, { Origin: 'https://evil.example' }],
      [413, 'form.too_large', { ...right, password: 'x'.repeat(60_000) }, {}],
      [415, 'form.media_type', right, { 'Content-Type': 'text/plain' }],
    ] as const) {
      const page = await submitByHand(open, 'login', members, headers);
      expect(page.status, code).to.equal(status);
      expect(page.headers.get('content-type'), code).to.equal('text/html; charset=utf-8');
      expect(page.html, code)
        .to.contain(code)
        .and.contain(page.headers.get('x-request-id') ?? 'no id');
      const program = await submitByHand(open, 'login', members, { ...headers, Accept: 'application/json' });
      expect(program.status, code).to.equal(status);
      expect(program.headers.get('content-type'), code).to.equal('application/problem+json');
      expect(JSON.parse(program.html), code).to.include({ status, code });
    }
    const wrong = await submitByHand(open, 'login', { ...right, password: 'wrong password here' });
    expect(wrong.status).to.equal(422);
    expect(wrong.html).to.contain('<form').and.contain('id="error"');
  });

  it('a field that is wrong is named by pointer', async () => {
    const open = await openSignIn(issuer);
    const answer = await submitByHand(open, 'login', { login: ada.email }, { Accept: 'application/json' });
    const { errors } = JSON.parse(answer.html) as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer)).to.deep.equal(['/password']);
  });

  it('sec-077 no error tells of stack, file, library or database', async () => {
    for (const one of cases) {
      for (const accept of ['text/html', 'application/json']) {
        const answer = await ask(one, accept);
        expect(answer.text, one.path).not.to.match(/node_modules|\.ts:\d|\.js:\d|at async|mongo|koa|oidc-provider/i);
        expect(answer.headers.get('x-powered-by'), one.path).to.equal(null);
        expect(answer.headers.get('server'), one.path).to.equal(null);
      }
    }
  });

  it('nothing that a client writes is answered with a 500', async () => {
    const junk = [
      '',
      '\0',
      '%',
      '%ff',
      'null',
      '[]',
      '{}',
      '{"a":',
      'a'.repeat(5000),
      '$where',
      '__proto__',
      '[$ne]=1',
      'é',
    ];
    const types = [
      'application/x-www-form-urlencoded',
      'application/json',
      'text/plain',
      'multipart/form-data',
      'x',
      '/',
    ];
    const paths = ['/', '/oauth2/token', '/oauth2/introspect', '/oauth2/revoke', '/oauth2/par', '/oauth2/userinfo']
      .concat([
        '/oauth2/logout',
        '/oauth2/logout/confirm',
        '/oauth2/authorize',
        '/sign-in/x/login',
        '/sign-in/x/consent',
      ])
      .concat(['/oauth2/authorize/x', '/oauth2/logout/success', '/health/live', '/oauth2/jwks']);
    const failed: string[] = [];
    for (const path of paths) {
      for (const [index, body] of junk.entries()) {
        const headers = {
          'Content-Type': types[index % types.length] ?? '',
          Authorization: index % 2 === 0 ? basic('acme-ci', ciKey) : `Bearer ${encodeURIComponent(body)}`,
          Cookie: `sid=${encodeURIComponent(body)}; interaction=x; resume=x; sid.sig=${index}`,
        };
        const posted = await send(issuer + path, { method: 'POST', headers, body });
        const query = encodeURIComponent(body);
        const got = await send(`${issuer}${path}?client_id=${query}&${query}=1&id_token_hint=${query}`, { headers });
        for (const { status } of [posted, got])
          if (status >= 500) failed.push(`${path} ${JSON.stringify(body)} ${status}`);
      }
    }
    expect(failed).to.deep.equal([]);
  });
});
