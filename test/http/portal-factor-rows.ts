import { totpCode } from '../../src/credentials/totp.js';
import { ceremonyOn, newAuthenticator } from '../support/authenticator.js';
import type { Page } from '../support/browser.js';
import { factorsOf } from '../support/factors-of.js';
import { csrfOf, openPortal, type PortalVisit } from '../support/portal.js';
import { secretOn } from '../support/second-factor.js';
import type { Endpoint, Stage } from './endpoint.js';
import { newcomer, portalRow, type Newcomer } from './portal-endpoints.js';

const now = (): Date => new Date();

/** A form that sets something up, filled from the page that shows it. */
function setUpRow(path: string, fill: (page: Page, stage: Stage) => Record<string, string>): Endpoint {
  return {
    ...{ method: 'POST', path, kind: 'page' },
    async request(stage) {
      const { visitor, page } = await openPortal(stage.issuer, { path, person: await newcomer(stage) });
      const headers = { Cookie: visitor.cookieHeader(path) };
      return { path, parameters: { csrf: csrfOf(page), ...fill(page, stage) }, headers };
    },
  };
}

/** Signed in with an app, by one of the recovery codes that came with it. */
async function withApp({ running, issuer }: Stage, who: Newcomer): Promise<PortalVisit & { factor: string }> {
  const factors = await factorsOf(running, now);
  const user = await running.app.administration.getUserByEmail(who.email);
  const fresh = { provenAt: now(), level: 'aal2', amr: ['pwd', 'otp'] };
  const { factorId: factor, secret } = await factors.beginTotp(user, fresh);
  const added = await factors.confirmTotp(user, fresh, { factorId: factor, code: totpCode(secret, now()) });
  const { visitor, page } = await openPortal(issuer, { path: '/account/factors', person: who });
  const code = added?.recoveryCodes?.[0] ?? '';
  return { visitor, factor, page: await visitor.submit(page, { method: 'recovery_code', code }) };
}

/** A form about what somebody has. */
function ownerRow(path: string, fill: (factor: string) => Record<string, string>): Endpoint {
  return {
    ...{ method: 'POST', path, kind: 'page' },
    async request(stage) {
      const { visitor, page, factor } = await withApp(stage, await newcomer(stage));
      const headers = { Cookie: visitor.cookieHeader(path) };
      return { path, parameters: { csrf: csrfOf(page), ...fill(factor) }, headers };
    },
  };
}

/** Forms of the portal about second factors. */
export const portalFactorRows: readonly Endpoint[] = [
  setUpRow('/account/factors/app', (page) => ({
    factor: /name="factor" value="([^"]+)"/.exec(page.html)?.[1] ?? '',
    code: totpCode(secretOn(page), now()),
  })),
  setUpRow('/account/factors/passkey', (page, { issuer }) => {
    const { options, ticket } = ceremonyOn(page);
    return { response: newAuthenticator(issuer).register(options), ticket };
  }),
  portalRow(['POST', '/account/factors/email'], '/account/factors'),
  ownerRow('/account/factors/rename', (factor) => ({ factor, name: 'Mine' })),
  ownerRow('/account/factors/remove', (factor) => ({ factor })),
  ownerRow('/account/factors/recovery-codes', () => ({})),
  ownerRow('/account/factors/forget-browsers', () => ({})),
];
