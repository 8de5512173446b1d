import { expect } from 'chai';
import { SignJWT, exportJWK, type CryptoKey, type JWK } from 'jose';
import { randomUUID } from 'node:crypto';
import { authorizeUrl, basic, refreshing, verifier, type Answer } from '../http/requests.js';
import { browser, type Browser } from '../support/browser.js';
import { assertedBy, clientAssertion, newClientKey, seedWithKeys, type ClientKey } from '../support/client-keys.js';
import { ada, ciKey, projectsApi, redirectUri, webSecret } from '../support/contract-seed.js';
import { deviceGrant, typeCode } from '../support/device.js';
import { race, sendToPair, type PairRequest, type ServerPair } from '../support/server-pair.js';
import { consultant, kioskSecret, seedWithTwoTenants } from '../support/two-tenants.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { newKeyPair } from '../support/key-pair.js';

/** How often each race is run. */
export interface Rounds {
  /** Of 50 parallel uses of one thing. */
  uses: number;
  /** Of an end beside a refresh. */
  endings: number;
}

/** Two servers and what a round needs beside them. */
export interface OpenedPair {
  pair: ServerPair;
  key: ClientKey;
  /** So that every round is about a first consent, which makes a row. */
  forgetConsents(): Promise<unknown>;
}

const parallel = 50;
const web = { Authorization: basic('web', webSecret) };
const scope = 'openid tenant projects:read';

/** A key that a client signs with, and the seed that its servers need. */
export async function singleUseSeed(): Promise<{ seed: SeedInput; key: ClientKey }> {
  const key = await newClientKey('ES256');
  const [acme] = seedWithKeys([key]).tenants ?? [];
  const tenants = [acme!, ...(seedWithTwoTenants.tenants ?? []).slice(1)];
  // of the others nobody is asked for consent, so that a round is no more than its race
  const clients = (seedWithTwoTenants.clients ?? []).map((client) => ({
    ...client,
    firstParty: client.client_id !== 'third-party',
  }));
  return { key, seed: { ...seedWithTwoTenants, tenants, clients } };
}

/**
 * What may be used once is used once, whoever of the two servers is asked: of 50 parallel uses one wins, none ends in a
 * server error, and what an honest client cannot have done twice ends all that the first use gave.
 */
export function describeSingleUse(rounds: Rounds, opened: () => OpenedPair): void {
  let pair: ServerPair;
  let visitor: Browser;

  before('a person signs in', async () => {
    ({ pair } = opened());
    visitor = await signedIn(ada);
  });

  for (const [what, use] of [
    ['sec-054 an authorization code', redeemed],
    ['sec-054 a device code', connected],
    ['sec-055 a refresh token', refreshed],
  ] as const) {
    it(`${what}: one of 50 wins in each of ${rounds.uses} rounds, and its tokens are dead afterwards`, async () => {
      for (let round = 0; round < rounds.uses; round++) {
        const request = await use();
        const answers = await race(pair, parallel, () => request);
        const winner = onlyWinner(answers, 200, (loser) => {
          expect([loser.status, loser.json['error']], loser.text).to.deep.equal([400, 'invalid_grant']);
        });
        await expectDead(winner.json as unknown as Tokens, request.headers);
      }
    });
  }

  it(`sec-061 a client assertion: one of 50 is taken in each of ${rounds.uses} rounds`, async () => {
    for (let round = 0; round < rounds.uses; round++) {
      const assertion = await clientAssertion({ clientId: 'signed-ci', audience: pair.issuer, key: opened().key });
      const form = { grant_type: 'client_credentials', resource: projectsApi, ...assertedBy(assertion) };
      const answers = await race(pair, parallel, () => ({ path: '/oauth2/token', form }));
      onlyWinner(answers, 200, (loser) => {
        expect([loser.status, loser.json['error']], loser.text).to.deep.equal([401, 'invalid_client']);
      });
    }
  });

  it(`sec-061 a DPoP proof: one of 50 is taken in each of ${rounds.uses} rounds`, async () => {
    const { privateKey, publicKey } = await newKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const headers = { Authorization: basic('acme-ci', ciKey) };
    const form = { grant_type: 'client_credentials', resource: projectsApi };
    for (let round = 0; round < rounds.uses; round++) {
      const DPoP = await proofFor(`${pair.issuer}/oauth2/token`, privateKey, jwk);
      const answers = await race(pair, parallel, () => ({
        path: '/oauth2/token',
        form,
        headers: { ...headers, DPoP },
      }));
      onlyWinner(answers, 200, (loser) => {
        expect([loser.status, loser.json['error']], loser.text).to.deep.equal([400, 'invalid_dpop_proof']);
      });
    }
  });

  it(`a pushed request gives one code, whoever completes it first of 50, in each of ${rounds.uses} rounds`, async () => {
    for (let round = 0; round < rounds.uses; round++) {
      const pushed = await sendToPair(pair, round, {
        path: '/oauth2/par',
        headers: web,
        form: Object.fromEntries(new URL(authorizeUrl(pair.issuer, { scope, prompt: 'none' })).searchParams),
      });
      expect(pushed.status, pushed.text).to.equal(201);
      const query = new URLSearchParams({ client_id: 'web', request_uri: String(pushed.json['request_uri']) });
      const request = { path: `/oauth2/authorize?${query}`, headers: cookiesOf(visitor, '/oauth2/authorize') };
      const answers = await race(pair, parallel, () => request);
      const code = onlyCode(answers, (loser) => expectRefusedPage(loser, 'invalid_request_uri'));
      const tokens = await sendToPair(pair, round, redeeming(code));
      expect(tokens.status, tokens.text).to.equal(200);
    }
  });

  for (const [what, step, changes, members] of [
    ['the choice of a tenant', 'tenant', {}, { tenant: 'globex' }],
    ['a consent', 'consent', { client_id: 'third-party', prompt: 'consent', tenant: 'globex' }, { decision: 'accept' }],
  ] as const) {
    // fifty first consents write one row in fifty transactions, so there are fewer rounds of them
    const count = step === 'consent' ? Math.ceil(rounds.uses / 5) : rounds.uses;
    it(`an interaction, at ${what}: 50 forms and 50 resumptions give one code in each of ${count} rounds`, async () => {
      const member = await signedIn(consultant, 'acme');
      for (let round = 0; round < count; round++) {
        await opened().forgetConsents();
        const page = await member.get(authorizeUrl(pair.issuer, { scope, ...changes }));
        const path = new URL(page.url).pathname;
        const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
        const headers = { ...cookiesOf(member, path), Origin: pair.issuer, 'Sec-Fetch-Site': 'same-origin' };
        const submission = { path: `${path}/${step}`, headers, form: { csrf, ...members } };
        const submitted = await race(pair, parallel, () => submission);
        expect([...new Set(submitted.map(({ status }) => status))]).to.deep.equal([303]);
        const resume = new URL(submitted[0]?.location ?? '', pair.issuer).pathname;
        const answers = await race(pair, parallel, () => ({ path: resume, headers: cookiesOf(member, resume) }));
        onlyCode(answers, (loser) => expectRefusedPage(loser, 'invalid_request'));
        const late = await race(pair, 2, () => submission);
        expect(late.map(({ status }) => status)).to.deep.equal([400, 400]);
        const changed = answers.find(({ location }) => location?.includes('code='));
        keepSession(member, changed);
      }
    });
  }

  it(`sec-055 revocation beside a refresh leaves nothing alive, ${rounds.endings} times`, async () => {
    for (let round = 0; round < rounds.endings; round++) {
      const tokens = await tokensOf(await silentCode(visitor));
      const revocation = { path: '/oauth2/revoke', headers: web, form: { token: tokens.refresh_token } };
      const answers = await endBesideRefresh(round, revocation, tokens);
      expect(answers.end.status, answers.end.text).to.equal(200);
      await expectDead(tokens);
      if (answers.refresh.status === 200) await expectDead(answers.refresh.json as unknown as Tokens);
      else expect(answers.refresh.json['error'], answers.refresh.text).to.equal('invalid_grant');
    }
  });

  it(`sec-032 sign-out beside a refresh leaves nothing alive, ${rounds.endings} times`, async () => {
    for (let round = 0; round < rounds.endings; round++) {
      const leaving = await signedIn(ada);
      const tokens = await tokensOf(await silentCode(leaving));
      const confirmation = await leaving.get(`${pair.issuer}/oauth2/logout?client_id=web`);
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(confirmation.html)?.[1] ?? '';
      const path = '/oauth2/logout/confirm';
      const signOut = {
        path,
        form: { xsrf, logout: 'yes' },
        headers: { ...cookiesOf(leaving, path), Origin: pair.issuer },
      };
      const answers = await endBesideRefresh(round, signOut, tokens);
      expect(answers.end.status, answers.end.text).to.equal(303);
      await expectDead(tokens);
      if (answers.refresh.status === 200) await expectDead(answers.refresh.json as unknown as Tokens);
      else expect(answers.refresh.json['error'], answers.refresh.text).to.equal('invalid_grant');
      const silent = await leaving.get(authorizeUrl(pair.issuer, { prompt: 'none' }));
      expect(silent.url).to.contain('error=login_required');
    }
  });

  // --- what a round starts with

  async function signedIn(person: typeof ada, tenant?: string): Promise<Browser> {
    const visitor = browser(pair.issuer);
    const login = await visitor.get(authorizeUrl(pair.issuer, { scope, ...(tenant === undefined ? {} : { tenant }) }));
    const { url } = await visitor.submit(login, { login: person.email, password: person.password });
    expect(url).to.contain('code=');
    return visitor;
  }

  async function silentCode(of: Browser): Promise<string> {
    const { url } = await of.get(authorizeUrl(pair.issuer, { scope, prompt: 'none' }));
    const code = new URL(url).searchParams.get('code');
    if (code === null) throw new Error(`no code in ${url}`);
    return code;
  }

  async function tokensOf(code: string): Promise<Tokens> {
    const answer = await sendToPair(pair, 0, redeeming(code));
    expect(answer.status, answer.text).to.equal(200);
    return answer.json as unknown as Tokens;
  }

  async function redeemed(): Promise<PairRequest> {
    return redeeming(await silentCode(visitor));
  }

  /** The first poll after the person has connected the device. */
  async function connected(): Promise<PairRequest> {
    const headers = { Authorization: basic('kiosk', kioskSecret) };
    const form = { scope: 'openid tenant', tenant: 'acme' };
    const { json } = await sendToPair(pair, 0, { path: '/oauth2/device_authorization', headers, form });
    const page = await visitor.submit(await typeCode(visitor, String(json['user_code'])), { confirm: 'yes' });
    expect(page.html).to.contain('Your device is connected');
    const poll = { grant_type: deviceGrant, device_code: String(json['device_code']) };
    return { path: '/oauth2/token', headers, form: poll };
  }

  async function refreshed(): Promise<PairRequest> {
    return { path: '/oauth2/token', headers: web, form: refreshing(await tokensOf(await silentCode(visitor))) };
  }

  /** Both at once; which of them is sent first, and to which server, changes from round to round. */
  async function endBesideRefresh(
    round: number,
    end: PairRequest,
    tokens: Tokens,
  ): Promise<{ end: Answer; refresh: Answer }> {
    const refresh: PairRequest = { path: '/oauth2/token', headers: web, form: refreshing(tokens) };
    const requests = round % 2 === 0 ? [end, refresh] : [refresh, end];
    const sent = await Promise.all(requests.map((request, index) => sendToPair(pair, index + (round >> 1), request)));
    const [first, second] = sent as [Answer, Answer];
    const answers = round % 2 === 0 ? { end: first, refresh: second } : { end: second, refresh: first };
    expect(answers.refresh.status, answers.refresh.text).to.be.oneOf([200, 400]);
    return answers;
  }

  // --- what is true after it

  async function expectDead(tokens: Tokens, headers: Record<string, string> = web): Promise<void> {
    for (const which of [0, 1]) {
      const refresh = await sendToPair(pair, which, { path: '/oauth2/token', headers, form: refreshing(tokens) });
      expect([refresh.status, refresh.json['error']], refresh.text).to.deep.equal([400, 'invalid_grant']);
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        const answer = await sendToPair(pair, which, { path: '/oauth2/introspect', headers, form: { token } });
        expect(answer.json, answer.text).to.deep.equal({ active: false });
      }
    }
  }
}

interface Tokens {
  access_token: string;
  refresh_token: string;
}

function redeeming(code: string): PairRequest {
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
  return { path: '/oauth2/token', headers: web, form };
}

function onlyWinner(answers: readonly Answer[], status: number, check: (loser: Answer) => void): Answer {
  const [winner, ...others] = answers.filter((answer) => answer.status === status);
  expect(winner, answers[0]?.text).not.to.equal(undefined);
  expect(others).to.have.length(0);
  for (const answer of answers) if (answer !== winner) check(answer);
  return winner as Answer;
}

function onlyCode(answers: readonly Answer[], check: (loser: Answer) => void): string {
  const codes = answers.flatMap((answer) => codeIn(answer) ?? []);
  expect(codes, answers.map(({ status, location }) => `${status} ${location}`).join('\n')).to.have.length(1);
  for (const answer of answers) if (codeIn(answer) === null) check(answer);
  return codes[0] as string;
}

function codeIn({ location }: Answer): string | null {
  return location === null ? null : new URL(location, redirectUri).searchParams.get('code');
}

/** Told to the app when the request could be read, else to the person. */
function expectRefusedPage({ status, location, text }: Answer, error: string): void {
  if (status === 303) expect(new URL(location ?? '').searchParams.get('error'), location ?? '').to.equal(error);
  else expect(status, text).to.equal(400);
}

function cookiesOf(visitor: Browser, path: string): Record<string, string> {
  const sent = [...visitor.cookies.values()].filter((cookie) => path.startsWith(cookie.path));
  return { Cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; ') };
}

/** The identifier that the session has got from this answer. */
function keepSession(visitor: Browser, answer: Answer | undefined): void {
  for (const line of answer?.headers.getSetCookie() ?? []) {
    const [, name = '', value = ''] = /^(sid(?:\.sig)?)=([^;]+)/.exec(line) ?? [];
    if (name !== '') visitor.cookies.set(`/ ${name}`, { name, value, path: '/' });
  }
}

function proofFor(htu: string, key: CryptoKey, jwk: JWK): Promise<string> {
  return new SignJWT({ jti: randomUUID(), htm: 'POST', htu })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt()
    .sign(key);
}
