import { totpCode } from '../../src/credentials/totp.js';
import { authorizeUrl } from '../http/requests.js';
import { browser, type Browser, type Page } from './browser.js';
import { ada, contractSeed } from './contract-seed.js';
import { signIn } from './relying-party.js';
import type { SeedInput } from '../../src/seeding/index.js';

const [acme] = contractSeed.tenants ?? [];
const [person] = contractSeed.users ?? [];

/** Ada in a tenant that asks for nothing more (acme), and in one that asks for a second factor (vault). */
export const seedWithVault: SeedInput = {
  ...contractSeed,
  tenants: [
    acme!,
    { slug: 'vault', name: 'The Vault', type: 'enterprise', plan: 'enterprise', policies: { mfa: 'required' } },
  ],
  users: [
    {
      ...person!,
      memberships: [
        { tenant: 'acme', roles: ['owner'] },
        { tenant: 'vault', roles: ['owner'] },
      ],
    },
  ],
};

/** A clock that a test moves; codes of apps live for half a minute, and each works once. */
export interface MovedClock {
  now(): Date;
  pass(seconds: number): void;
}

export function movedClock(): MovedClock {
  let elapsedMs = 0;
  return {
    now: () => new Date(Date.now() + elapsedMs),
    pass: (seconds) => (elapsedMs += seconds * 1000),
  };
}

/** Somebody with an authenticator app. */
export interface Enrolled {
  visitor: Browser;
  recoveryCodes: string[];
  /** A code that was not used yet: the clock goes on for it. */
  freshCode(): string;
  /** What the app shows now. */
  code(): string;
  /** Where the sign-in ended in which it was set up. */
  callback: string;
}

export const secretOn = (page: Page): string =>
  (/<code id="secret">([A-Z2-7 ]+)<\/code>/.exec(page.html)?.[1] ?? '').replaceAll(' ', '');

export const recoveryCodesOn = (page: Page): string[] =>
  [...page.html.matchAll(/<li><code>([a-z2-7-]{19})<\/code>/g)].map(([, code = '']) => code);

export const linkOn = (page: Page): string =>
  (/<a class="button" href="([^"]+)"/.exec(page.html)?.[1] ?? '').replaceAll('&#x2F;', '/').replaceAll('&amp;', '&');

/** Sets an app up in the sign-in to the tenant that asks for it. */
export async function enrolApp(issuer: string, clock: MovedClock, who = ada): Promise<Enrolled> {
  const { browser: visitor, page } = await signIn(issuer, authorizeUrl(issuer, { tenant: 'vault' }), who);
  const secret = secretOn(page);
  const code = (): string => totpCode(secret, clock.now());
  const shown = await visitor.submit(page, { code: code() }, '/second-factor/enrol');
  const { url: callback } = await visitor.get(linkOn(shown));
  return {
    ...{ visitor, callback, code, recoveryCodes: recoveryCodesOn(shown) },
    freshCode() {
      clock.pass(30);
      return code();
    },
  };
}

/** A sign-in in a new browser that waits for the second factor. */
export async function halfSignedIn(
  issuer: string,
  changes: Record<string, string | null> = {},
  visitor = browser(issuer),
): Promise<{ visitor: Browser; page: Page }> {
  const request = { tenant: 'acme', ...changes };
  const { page } = await signIn(issuer, authorizeUrl(issuer, request), ada, visitor);
  return { visitor, page };
}
