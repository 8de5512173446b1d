import { authorizeUrl, post, redeem, refreshing, type TokenSet } from '../http/requests.js';
import { browser, type Browser } from '../support/browser.js';
import { ada, redirectUri, webSecret } from '../support/contract-seed.js';
import { startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';

/** Has an account and no membership. */
export const solo = { email: 'solo@example.com', password: 'on my own everywhere' };
export const newPassword = 'quite another long password';

/** A running app whose clock a test puts forward. */
export interface AccountGround {
  running: RunningApp;
  issuer: string;
  now(): Date;
  later(seconds: number): void;
  /** A browser that says of itself that it is this one. */
  browserAs(userAgent: string): Browser;
  idOf(email: string): Promise<string>;
  refusesRefresh(tokens: TokenSet): Promise<boolean>;
  /** Signs in at the app in this browser, which may be signed in already. */
  tokensIn(visitor: Browser, scope?: string): Promise<TokenSet>;
}

export async function openGround(): Promise<AccountGround> {
  let begin = Date.now();
  const begunAt = performance.now();
  const now = (): Date => new Date(begin + performance.now() - begunAt);
  const users = [...(seedWithTwoTenants.users ?? []), { ...solo, emailVerified: true }];
  const running = await startApp({ seed: { ...seedWithTwoTenants, users }, now });
  const { issuer } = running;
  return {
    ...{ running, issuer, now },
    later: (seconds) => void (begin += seconds * 1000),
    browserAs: (userAgent) =>
      browser(issuer, (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('User-Agent', userAgent);
        return fetch(input, { ...init, headers });
      }),
    idOf: async (email) => (await running.app.administration.getUserByEmail(email)).id,
    async refusesRefresh(tokens) {
      const { json } = await post(issuer, 'token', refreshing(tokens), ['web', webSecret]);
      return json['error'] === 'invalid_grant';
    },
    async tokensIn(visitor, scope = 'openid') {
      const asked = await visitor.get(authorizeUrl(issuer, { scope }));
      const done = asked.url.startsWith(redirectUri)
        ? asked
        : await visitor.submit(asked, { login: ada.email, password: ada.password });
      const { json } = await redeem(issuer, new URL(done.url).searchParams.get('code') ?? '');
      return json as unknown as TokenSet;
    },
  };
}
