import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { browser, type Browser, type Page } from '../support/browser.js';
import { redirectUri, webSecret } from '../support/contract-seed.js';
import { signIn } from '../support/relying-party.js';

/** One answer as it came, redirects not followed. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; throws when it is none. */
  json: Record<string, unknown>;
  location: string | null;
}

export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    get json() {
      return JSON.parse(text) as Record<string, unknown>;
    },
    location: response.headers.get('location'),
  };
}

export type Members = Record<string, string> | [string, string][];

/** Posts a form to a protocol endpoint; `credentials` are sent with Basic. */
export function post(
  issuer: string,
  endpoint: 'token' | 'introspect' | 'revoke' | 'par' | 'device_authorization' | 'userinfo',
  members: Members,
  credentials?: readonly [clientId: string, secret: string],
): Promise<Answer> {
  return send(`${issuer}/oauth2/${endpoint}`, {
    method: 'POST',
    headers: credentials ? { Authorization: basic(...credentials) } : {},
    body: new URLSearchParams(members),
  });
}

export function basic(clientId: string, secret: string): string {
  const pair = [clientId, secret].map((part) => encodeURIComponent(part)).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** Writes these bytes to the server and reads until it closes the connection. */
export function sendRaw(issuer: string, text: string): Promise<{ status: number; head: string; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(issuer).port), '127.0.0.1');
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (received += chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = received.split('\r\n\r\n', 2);
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head: head.toLowerCase(), body });
    });
    socket.write(text);
  });
}

export const verifier = 'a-code-verifier-of-at-least-43-characters-0123456789';
export const challenge = createHash('sha256').update(verifier).digest('base64url');

/** An authorization request that is right in all; `changes` replaces members, null takes one out. */
export function authorizeUrl(issuer: string, changes: Record<string, string | null> = {}, appended = ''): string {
  const members: Record<string, string | null> = {
    client_id: 'web',
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: 'the-state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...changes,
  };
  const present = Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== null);
  return `${issuer}/oauth2/authorize?${new URLSearchParams(present).toString()}${appended}`;
}

/** The code of a sign-in of Ada's with these changes to the request. */
export async function codeOf(issuer: string, changes: Record<string, string | null> = {}): Promise<string> {
  const { page } = await signIn(issuer, authorizeUrl(issuer, changes));
  const code = new URL(page.url).searchParams.get('code');
  if (code === null) throw new Error(`no code in ${page.url}`);
  return code;
}

/** What a client sends to redeem a code, with changes. */
export function redeem(
  issuer: string,
  code: string,
  changes: Record<string, string | null> = {},
  credentials: readonly [string, string] = ['web', webSecret],
): Promise<Answer> {
  const members: Record<string, string | null> = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...changes,
  };
  const present = Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== null);
  return post(issuer, 'token', present, credentials);
}

export interface TokenSet {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

export async function tokensOf(issuer: string, changes: Record<string, string | null> = {}): Promise<TokenSet> {
  const answer = await redeem(issuer, await codeOf(issuer, changes));
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json as unknown as TokenSet;
}

/** A sign-in page that waits for its form, and the browser that opened it. */
export interface OpenPage {
  visitor: Browser;
  page: Page;
  uid: string;
  csrf: string;
}

export async function openSignIn(
  issuer: string,
  changes: Record<string, string | null> = {},
  visitor = browser(issuer),
): Promise<OpenPage> {
  return asOpenPage(visitor, await visitor.get(authorizeUrl(issuer, changes)));
}

export function asOpenPage(visitor: Browser, page: Page): OpenPage {
  const uid = /\/sign-in\/([\w-]+)/.exec(page.url)?.[1];
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1];
  if (uid === undefined || csrf === undefined) throw new Error(`no form at ${page.url}:\n${page.html}`);
  return { visitor, page, uid, csrf };
}

export function refreshing({ refresh_token }: Pick<TokenSet, 'refresh_token'>): Record<string, string> {
  return { grant_type: 'refresh_token', refresh_token };
}

/** Posts a sign-in form by hand, as the browser would or otherwise; text is the whole body. */
export function submitByHand(
  { visitor, uid, csrf }: OpenPage,
  step: string,
  members: Record<string, string> | string,
  headers: Record<string, string> = {},
): Promise<Page> {
  return visitor.request(`/sign-in/${uid}/${step}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof members === 'string' ? members : new URLSearchParams({ csrf, ...members }).toString(),
  });
}

export function cookieOf(visitor: Browser, name: string): { name: string; value: string; path: string } {
  const cookie = [...visitor.cookies.values()].find((candidate) => candidate.name === name);
  if (!cookie) throw new Error(`no cookie ${name} among ${[...visitor.cookies.keys()].join(', ')}`);
  return cookie;
}

/** An error as RFC 6749 §5.2 wants it, never stored and with no token beside it. */
export function expectOAuthError(answer: Answer, status: number, error: string, why = ''): void {
  expect(answer.status, `${why} ${answer.text}`).to.equal(status);
  expect(answer.headers.get('content-type'), why).to.match(/^application\/json/);
  expect(answer.headers.get('cache-control'), why).to.equal('no-store');
  expect(answer.json['error'], why).to.equal(error);
  expect(answer.json, why).not.to.have.any.keys('access_token', 'refresh_token', 'id_token');
}
