import { expect } from 'chai';
import { basic, authorizeUrl, asOpenPage, type Answer } from '../http/requests.js';
import { totpCode } from '../../src/credentials/totp.js';
import { ceremonyOn, newAuthenticator, type Authenticator } from '../support/authenticator.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { contractSeed } from '../support/contract-seed.js';
import { csrfOf, openPortal, type Person } from '../support/portal.js';
import { recoveryCodesOn, secretOn } from '../support/second-factor.js';
import { race, sendToPair, type PairRequest, type ServerPair } from '../support/server-pair.js';
import type { SeedInput } from '../../src/seeding/index.js';

/** Two servers, and what was sent by mail. */
export interface OpenedAccounts {
  pair: ServerPair;
  /** The text of the last mail to this address that has such a text in it, once it is there. */
  mailTo(address: string, text: RegExp): Promise<string>;
}

const parallel = 50;
const inviter = { clientId: 'inviter', secret: 'sk_inviter-key-of-at-least-32-characters' };

/** Somebody for each round of each race, so that no round meets what another one has left. */
const personOf = (kind: string, round: number): Person => ({
  email: `${kind}-${round}@example.com`,
  password: `a password of ${kind} ${round} alone`,
});

const kinds = ['recover', 'verify', 'change', 'undo', 'invited', 'totp', 'code', 'mailed', 'key'] as const;

export function accountSeed(rounds: number): SeedInput {
  const [acme] = contractSeed.tenants ?? [];
  const keys = [{ label: 'first', secret: inviter.secret }];
  const account = { clientId: inviter.clientId, name: 'Inviter', roles: ['owner'], keys };
  const people = kinds.flatMap((kind) =>
    Array.from({ length: rounds }, (_, round) => ({
      ...personOf(kind, round),
      emailVerified: kind !== 'verify',
      memberships: kind === 'invited' ? [] : [{ tenant: 'acme', roles: ['viewer'] }],
    })),
  );
  return {
    ...contractSeed,
    tenants: [{ ...acme!, serviceAccounts: [account] }],
    users: [...(contractSeed.users ?? []), ...people],
  };
}

/** What one use is: a form at its address with what the browser sends along. */
interface Use extends PairRequest {
  form: Record<string, string>;
}

/**
 * What a person may use once is used once, whoever of the two servers is asked: of 50 parallel uses one wins, and none
 * ends in a server error.
 */
export function describeAccountSingleUse(rounds: number, opened: () => OpenedAccounts): void {
  const uses: Readonly<Record<string, { win: number; lose: readonly number[]; make(round: number): Promise<Use> }>> = {
    'sec-023 a link to a new password': { win: 303, lose: [410], make: recovery },
    'sec-023 a link that proves an address': { win: 303, lose: [410], make: verification },
    'sec-023 a link to another address': { win: 303, lose: [410], make: change },
    'sec-023 a link back to the former address': { win: 303, lose: [410], make: undo },
    'sec-023 a link to a new account': { win: 303, lose: [409, 410], make: signUp },
    'sec-019 an invitation': { win: 303, lose: [400, 404, 409, 410], make: invitation },
    'sec-044 a step of an app': { win: 303, lose: [422, 429], make: totp },
    'sec-044 a recovery code': { win: 303, lose: [422, 429], make: recoveryCode },
    'sec-044 a code by e-mail': { win: 303, lose: [422, 429], make: emailCode },
    'sec-030 a challenge of a passkey': { win: 303, lose: [422], make: passkey },
  };

  for (const [what, { win, lose, make }] of Object.entries(uses))
    it(`${what}: one of ${parallel} wins in each of ${rounds} rounds`, async () => {
      for (let round = 0; round < rounds; round++) {
        const use = await make(round);
        const answers = await race(opened().pair, parallel, () => use);
        const winners = answers.filter(({ status }) => status === win);
        expect(winners, summary(answers)).to.have.length(1);
        for (const answer of answers)
          if (answer !== winners[0]) expect(lose, summary(answers)).to.include(answer.status);
        const late = await sendToPair(opened().pair, round, use);
        expect(late.status, 'afterwards').to.be.within(400, 499);
      }
    });

  const newBrowser = (): Browser => browser(opened().pair.issuer);

  async function linkTo(email: string, path: string): Promise<string> {
    const link = new RegExp(`/${path}/[\\w-]{43}`);
    return link.exec(await opened().mailTo(email, link))?.[0] ?? '';
  }

  async function formAt(visitor: Browser, path: string, members: Record<string, string>): Promise<Use> {
    return { path, form: { csrf: csrfOf(await visitor.get(path)), ...members }, headers: headersOf(visitor, path) };
  }

  async function recovery(round: number): Promise<Use> {
    const visitor = newBrowser();
    const { email } = personOf('recover', round);
    await visitor.submit(await visitor.get('/recover'), { login: email });
    return formAt(visitor, await linkTo(email, 'recover'), { password: 'nine lives of a black cat' });
  }

  async function signUp(round: number): Promise<Use> {
    const visitor = newBrowser();
    const email = `newcomer-${round}@example.com`;
    await visitor.submit(await visitor.get('/sign-up'), { login: email });
    const members = { name: 'A Newcomer', password: 'nine lives of a black cat' };
    return formAt(visitor, await linkTo(email, 'sign-up'), members);
  }

  async function verification(round: number): Promise<Use> {
    const person = personOf('verify', round);
    const { visitor, page } = await openPortal(opened().pair.issuer, { path: '/account/email', person });
    await visitor.submit(page, {}, '/account/email/verify');
    return formAt(visitor, await linkTo(person.email, 'verify-email'), { confirm: 'yes' });
  }

  async function changeOf(kind: 'change' | 'undo', round: number): Promise<{ visitor: Browser; use: Use }> {
    const person = personOf(kind, round);
    const { visitor, page } = await openPortal(opened().pair.issuer, { path: '/account/email', person });
    const email = `moved-${person.email}`;
    await visitor.submit(page, { email });
    return { visitor, use: await formAt(visitor, await linkTo(email, 'change-email'), { confirm: 'yes' }) };
  }

  async function change(round: number): Promise<Use> {
    return (await changeOf('change', round)).use;
  }

  async function undo(round: number): Promise<Use> {
    const { visitor, use } = await changeOf('undo', round);
    expect((await sendToPair(opened().pair, round, use)).status).to.equal(303);
    const link = await linkTo(personOf('undo', round).email, 'undo-email-change');
    return formAt(visitor, link, { password: 'nine lives of a black cat' });
  }

  async function invitation(round: number): Promise<Use> {
    const { pair } = opened();
    const person = personOf('invited', round);
    const token = await inviterToken();
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    const call = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
      const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
      return (await (await fetch(`${pair.issuer}/api/v1${path}`, init)).json()) as Record<string, unknown>;
    };
    const [tenant] = (await call('/tenants'))['items'] as { id: string }[];
    await call(`/tenants/${tenant?.id ?? ''}/invitations`, { email: person.email, roles: ['viewer'] });
    const link = await linkTo(person.email, 'invitations');
    const visitor = newBrowser();
    const login = await visitor.get(authorizeUrl(pair.issuer, { invitation: link.slice(-43) }));
    const question = await visitor.submit(login, { login: person.email, password: person.password }, '/login');
    return stepAt(visitor, question, 'invitation', { decision: 'accept' });
  }

  async function inviterToken(): Promise<string> {
    const { pair } = opened();
    const form = { grant_type: 'client_credentials', resource: `${pair.issuer}/api` };
    const headers = { Authorization: basic(inviter.clientId, inviter.secret) };
    const { json, text } = await sendToPair(pair, 0, { path: '/oauth2/token', form, headers });
    expect(json['access_token'], text).to.be.a('string');
    return String(json['access_token']);
  }

  /** A sign-in of a person that waits for the second factor. */
  async function half(person: Person): Promise<{ visitor: Browser; page: Page }> {
    const visitor = newBrowser();
    const login = await visitor.get(authorizeUrl(opened().pair.issuer, { tenant: 'acme' }));
    const page = await visitor.submit(login, { login: person.email, password: person.password }, '/login');
    expect(page.url).to.contain('/second-factor');
    return { visitor, page };
  }

  async function withApp(person: Person): Promise<{ secret: string; codes: string[] }> {
    const { visitor, page } = await openPortal(opened().pair.issuer, { path: '/account/factors/app', person });
    const secret = secretOn(page);
    // the code of half a minute ago is still good, and leaves that of now for the race
    const code = totpCode(secret, new Date(Date.now() - 30_000));
    const shown = await visitor.submit(page, { code }, '/factors/app');
    return { secret, codes: recoveryCodesOn(shown) };
  }

  async function totp(round: number): Promise<Use> {
    const person = personOf('totp', round);
    const { secret } = await withApp(person);
    const { visitor, page } = await half(person);
    return stepAt(visitor, page, 'second-factor', { method: 'totp', code: totpCode(secret, new Date()) });
  }

  async function recoveryCode(round: number): Promise<Use> {
    const person = personOf('code', round);
    const { codes } = await withApp(person);
    const { visitor, page } = await half(person);
    return stepAt(visitor, page, 'second-factor', { method: 'recovery_code', code: codes[0] ?? '' });
  }

  async function emailCode(round: number): Promise<Use> {
    const person = personOf('mailed', round);
    const portal = await openPortal(opened().pair.issuer, { path: '/account/factors', person });
    await portal.visitor.submit(portal.page, {}, '/account/factors/email');
    const { visitor, page } = await half(person);
    const sent = await visitor.submit(page, { send: 'yes' }, '/second-factor/email');
    const digits = /\b(\d{6})\b/;
    const [, code = ''] = digits.exec(await opened().mailTo(person.email, digits)) ?? [];
    return stepAt(visitor, sent, 'second-factor', { method: 'email_code', code });
  }

  async function passkey(round: number): Promise<Use> {
    const person = personOf('key', round);
    const { issuer } = opened().pair;
    const key: Authenticator = newAuthenticator(issuer);
    const portal = await openPortal(issuer, { path: '/account/factors/passkey', person });
    const { options, ticket } = ceremonyOn(portal.page);
    await portal.visitor.submit(portal.page, { response: key.register(options), ticket }, '/factors/passkey');
    const { visitor, page } = await half(person);
    const asked = ceremonyOn(page);
    const answer = { response: key.assert(asked.options), ticket: asked.ticket };
    return stepAt(visitor, page, 'second-factor/passkey', answer);
  }
}

function stepAt(visitor: Browser, page: Page, step: string, members: Record<string, string>): Use {
  const { uid, csrf } = asOpenPage(visitor, page);
  const path = `/sign-in/${uid}/${step}`;
  return { path, form: { csrf, ...members }, headers: headersOf(visitor, path) };
}

function headersOf(visitor: Browser, path: string): Record<string, string> {
  return { Cookie: visitor.cookieHeader(path), Accept: 'text/html' };
}

function summary(answers: readonly Answer[]): string {
  const counted = new Map<number, number>();
  for (const { status } of answers) counted.set(status, (counted.get(status) ?? 0) + 1);
  return [...counted].map(([status, count]) => `${count} × ${status}`).join(', ');
}
