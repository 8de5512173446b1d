import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { browser, type Browser } from './browser.js';
import { ada } from './contract-seed.js';
import { fetchAt } from './fetch-at.js';
import type { RelyingParty, Tokens } from './relying-party.js';

/** Each request on a connection of its own; the address counts for a server with TRUSTED_PROXIES=1. */
export function sendFrom(address: string): typeof fetch {
  return (input, init) => {
    const request = new Request(input, init);
    request.headers.set('X-Forwarded-For', address);
    return fetchAt(Number(new URL(request.url).port))(request);
  };
}

/** A whole sign-in of which any worker may get any request, each time from another address. */
export async function signInAs(
  party: RelyingParty,
  issuer: string,
): Promise<{ visitor: Browser; tokens: Tokens; requestIds: string[] }> {
  const visitor = browser(issuer, sendFrom(`10.${randomBytes(3).join('.')}`));
  const begun = await party.begin({ tenant: 'acme' });
  const sent = await visitor.request(begun.url);
  const login = await visitor.get(new URL(sent.headers.get('location') ?? '', sent.url).href);
  const done = await visitor.submit(login, { login: ada.email, password: ada.password });
  const requestIds = [sent, login, done].map(({ headers }) => headers.get('x-request-id') ?? '');
  return { visitor, tokens: await begun.finish(done.url), requestIds };
}

export async function expectSession(party: RelyingParty, visitor: Browser): Promise<void> {
  const silent = await party.begin({ tenant: 'acme', prompt: 'none' });
  expect((await visitor.get(silent.url)).url).to.contain('code=');
}
