import { randomUUID } from 'node:crypto';
import { systemAuthority } from '../../src/kernel/actor.js';
import { totpCode } from '../../src/credentials/totp.js';
import { ceremonyOn, newAuthenticator, type Authenticator } from '../support/authenticator.js';
import { factorsOf } from '../support/factors-of.js';
import { secretOn } from '../support/second-factor.js';
import type { RunningApp } from '../support/start-app.js';
import type { Endpoint, EndpointRequest, Stage } from './endpoint.js';
import { asOpenPage, openSignIn, type OpenPage } from './requests.js';

/** A new member of acme with a passkey, recovery codes and codes by e-mail; or with nothing. */
export interface Secured {
  email: string;
  password: string;
  key: Authenticator;
  recoveryCode: string;
}

const now = (): Date => new Date();
const by = systemAuthority('command');

export async function newSecured(running: RunningApp, hasFactors: boolean): Promise<Secured> {
  const { administration } = running.app;
  const [email, password] = [`secured-${randomUUID()}@example.com`, 'a password of the secured'];
  const key = newAuthenticator(running.issuer);
  const user = await administration.createUser(by, { email, emailVerified: true, password });
  const { id: tenantId } = await administration.getTenant('acme');
  await administration.addMember(by, tenantId, { userId: user.id, roles: ['editor'] });
  if (!hasFactors) return { email, password, key, recoveryCode: '' };
  const factors = await factorsOf(running, now);
  const fresh = { provenAt: now(), level: 'aal2', amr: ['pwd', 'otp'] };
  const { options, ticket } = await factors.passkeys.beginRegistration('row', { id: user.id, email, name: email });
  const answer = { response: key.register(JSON.parse(options) as never), ticket, binding: 'row', name: 'A key' };
  const added = await factors.addPasskey(user, fresh, answer);
  await factors.allowEmailCodes(user, fresh);
  return { email, password, key, recoveryCode: added?.recoveryCodes?.[0] ?? '' };
}

type Fill = (open: OpenPage, person: Secured) => Record<string, string>;

interface Row {
  method?: Endpoint['method'];
  step: string;
  /** Where it stands in the sign-in: at the login page, after the password, or where a first factor is set up. */
  at: 'login' | 'half' | 'enrol';
  fill: Fill;
}

async function pageAt(stage: Stage, at: Row['at']): Promise<{ open: OpenPage; person: Secured }> {
  const person = await newSecured(stage.running, at !== 'enrol');
  const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'aal2' } } });
  const open = await openSignIn(stage.issuer, { tenant: 'acme', ...(at === 'enrol' ? { claims } : {}) });
  if (at === 'login') return { open, person };
  const { email, password } = person;
  return { open: asOpenPage(open.visitor, await open.visitor.submit(open.page, { login: email, password })), person };
}

function row({ method = 'POST', step, at, fill }: Row): Endpoint {
  async function request(stage: Stage): Promise<EndpointRequest> {
    const { open, person } = await pageAt(stage, at);
    const path = `/sign-in/${open.uid}/${step}`;
    const parameters = method === 'POST' ? { csrf: open.csrf, ...fill(open, person) } : {};
    return { path, parameters, headers: { Cookie: open.visitor.cookieHeader(path) } };
  }
  return { method, path: `/sign-in/:uid/${step}`, kind: 'page', request };
}

const asserted: Fill = ({ page }, { key }) => {
  const { options, ticket } = ceremonyOn(page);
  return { response: key.assert(options), ticket };
};

export const secondFactorRows: readonly Endpoint[] = [
  row({ step: 'passkey', at: 'login', fill: asserted }),
  row({ method: 'GET', step: 'second-factor', at: 'half', fill: () => ({}) }),
  row({
    ...{ step: 'second-factor', at: 'half' },
    fill: (_open, { recoveryCode: code }) => ({ method: 'recovery_code', code }),
  }),
  row({ step: 'second-factor/passkey', at: 'half', fill: asserted }),
  row({ step: 'second-factor/email', at: 'half', fill: () => ({ send: 'yes' }) }),
  row({
    ...{ step: 'second-factor/enrol', at: 'enrol' },
    fill: ({ page }) => ({
      factor: /name="factor" value="([^"]+)"/.exec(page.html)?.[1] ?? '',
      code: totpCode(secretOn(page), now()),
    }),
  }),
  row({
    ...{ step: 'second-factor/enrol-passkey', at: 'enrol' },
    fill({ page }, { key }) {
      const { options, ticket } = ceremonyOn(page);
      return { response: key.register(options), ticket };
    },
  }),
];
