// From an invitation by mail to a member with a token.
import { expect } from 'chai';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { seatsOf, tenantIdOf } from '../support/administered.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant } from '../support/two-tenants.js';
import { authorizeUrl } from '../http/requests.js';
import { signIn } from '../support/relying-party.js';
import { apiOf, roleSeed, type Api } from '../management/api.js';
import { addConsole, apiOfPerson } from '../management/people.js';

const invited = { email: 'new.colleague@example.com', password: 'a password of a new colleague' };
/** Has an account and no membership. */
const loner = { email: 'loner@example.com', password: 'nobody knows this loner' };

describe('an invitation', () => {
  let running: RunningApp;
  /** Moves on by itself, from where a test puts it. */
  let now: Date;
  let begunAt: number;
  let acme: string;
  let owner: Api;
  beforeEach(async () => {
    now = new Date();
    begunAt = performance.now();
    const users = [...(roleSeed.users ?? []), { ...loner, emailVerified: true }];
    running = await startApp({
      seed: { ...roleSeed, users },
      now: () => new Date(now.getTime() + performance.now() - begunAt),
    });
    acme = await tenantIdOf(running, 'acme');
    owner = await apiOf(running, 'acme-owner');
  });
  afterEach(closeApps);

  async function invite(email: string, by = owner, roles = ['editor']): Promise<string> {
    const answer = await by.call('POST', `/tenants/${acme}/invitations`, { body: { email, roles } });
    expect(answer.status, answer.text).to.equal(201);
    return String(answer.json['id']);
  }

  /** The link in the last mail to this address. */
  async function linkTo(email: string): Promise<string> {
    await running.deliverMail();
    const mail = running.mailbox.findLast(({ to }) => to === email);
    return /https?:\/\/\S+\/invitations\/[\w-]{43}/.exec(mail?.text ?? '')?.[0] ?? '';
  }

  const tokenOf = (link: string): string => link.split('/').at(-1) ?? '';

  async function signUp(visitor: Browser, link: string): Promise<Page> {
    const page = await visitor.get(link);
    return visitor.submit(page, { name: 'New Colleague', password: invited.password }, '/sign-up');
  }

  it('brings somebody new from the mail to a token of the tenant, with an account made on the way', async () => {
    await invite(invited.email);
    const visitor = browser(running.issuer);
    const link = await linkTo(invited.email);
    const question = await signUp(visitor, link);
    expect(question.html).to.contain('Join Acme Inc').and.contain('editor');
    const done = await visitor.submit(question, { decision: 'accept' }, '/invitation');
    expect(done.html).to.contain('You are a member now');
    const { page } = await signIn(running.issuer, authorizeUrl(running.issuer, { tenant: 'acme' }), invited);
    expect(new URL(page.url).searchParams.has('code')).to.equal(true);
    const members = await owner.call('GET', `/tenants/${acme}/members?limit=100`);
    const member = (members.json['items'] as { email: string; roles: string[] }[]).find(
      ({ email }) => email === invited.email,
    );
    expect(member?.roles).to.deep.equal(['editor']);
  });

  it('works in the sign-in of any app that sends its token along', async () => {
    await invite(loner.email);
    const token = tokenOf(await linkTo(loner.email));
    const { browser: visitor, page } = await signIn(
      running.issuer,
      authorizeUrl(running.issuer, { invitation: token }),
      loner,
    );
    const done = await visitor.submit(page, { decision: 'accept' }, '/invitation');
    expect(new URL(done.url).searchParams.has('code')).to.equal(true);
  });

  it('sec-020 never signs in who has an account: the link asks for the password', async () => {
    await invite(loner.email);
    const page = await browser(running.issuer).get(await linkTo(loner.email));
    expect(page.html).to.contain('name="password"').and.not.contain('/sign-up"');
    const visitor = browser(running.issuer);
    const login = await visitor.get(await linkTo(loner.email));
    const csrf = /name="csrf" value="([^"]+)"/.exec(login.html)?.[1] ?? '';
    const signUpAddress = (/action="([^"]+)\/login"/.exec(login.html)?.[1] ?? '') + '/sign-up';
    const refused = await visitor.request(signUpAddress, {
      method: 'POST',
      body: new URLSearchParams({ csrf, name: 'X', password: 'a password of somebody else' }),
    });
    expect(refused.status).to.equal(422);
    const { page: after } = await signIn(running.issuer, authorizeUrl(running.issuer), {
      email: loner.email,
      password: 'a password of somebody else',
    });
    expect(after.status).to.equal(422);
  });

  it('sec-004 gives an account that nobody has proven to who reads the mail, with nothing of what was there', async () => {
    const squatter = { email: invited.email, password: 'the password of somebody else' };
    await running.app.seeding.applySeed({ users: [{ ...squatter, name: 'Somebody Else' }] });
    const before = await signIn(running.issuer, authorizeUrl(running.issuer), squatter);
    await invite(invited.email);
    const visitor = browser(running.issuer);
    const question = await signUp(visitor, await linkTo(invited.email));
    const done = await visitor.submit(question, { decision: 'accept' }, '/invitation');
    expect(done.html).to.contain('You are a member now');
    const tried = await signIn(running.issuer, authorizeUrl(running.issuer), squatter);
    expect(tried.page.html).to.contain('name="password"');
    const silent = await before.browser.get(authorizeUrl(running.issuer, { prompt: 'none' }));
    expect(silent.url).to.contain('error=login_required');
    const [user] = await running.app.administration
      .listUsers({ limit: 1000 })
      .then((all) => all.filter(({ email }) => email === invited.email));
    expect(user).to.include({ emailVerified: true });
    expect(user?.profile).to.deep.equal({ name: 'New Colleague' });
  });

  it('sec-020 leaves a member their account, also where nobody has proven its address', async () => {
    const member = { email: invited.email, password: 'the password of a member' };
    const memberships = [{ tenant: 'globex', roles: ['owner'] }];
    await running.app.seeding.applySeed({ users: [{ ...member, memberships }] });
    await invite(invited.email);
    const page = await browser(running.issuer).get(await linkTo(invited.email));
    expect(page.html).not.to.contain('/sign-up"');
    const posted = await browser(running.issuer).submit(page, { login: member.email, password: 'x' }, '/login');
    expect(posted.status).not.to.equal(303);
    const { page: entered } = await signIn(running.issuer, authorizeUrl(running.issuer), member);
    expect(new URL(entered.url).searchParams.has('code')).to.equal(true);
  });

  it('sec-019 is of use to nobody but whose address it is, and to nobody after its time', async () => {
    await addConsole(running);
    const id = await invite(loner.email);
    const link = await linkTo(loner.email);
    const consultants = await apiOfPerson(running, { who: consultant, scope: 'account:write', tenant: 'globex' });
    const accept = (token: string, api = consultants): ReturnType<Api['call']> =>
      api.call('POST', '/me/invitations/accept', { body: { token } });

    const other = await accept(tokenOf(link));
    expect([other.status, other.json['code']]).to.deep.equal([403, 'invitation.other_address']);
    const token = tokenOf(link);
    const changed = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
    expect((await accept(changed)).status).to.equal(404);
    expect((await browser(running.issuer).get(link.slice(0, -43) + changed)).status).to.equal(404);
    now = new Date(now.getTime() + 7 * 86_400_000 + 1000);
    expect((await browser(running.issuer).get(link)).status).to.equal(410);
    now = new Date(now.getTime() - 7 * 86_400_000 - 1000);
    expect((await owner.call('DELETE', `/tenants/${acme}/invitations/${id}`)).status).to.equal(204);
    expect((await browser(running.issuer).get(link)).status).to.equal(410);
    expect(await running.database.collection('memberships').countDocuments({ tenantId: acme })).to.equal(2);
  });

  it('sec-019 gives nothing that its sender may not give any more', async () => {
    await addConsole(running);
    const adas = await apiOfPerson(running, { scope: 'invitations:write' });
    await invite(loner.email, adas);
    const operators = await apiOf(running, 'platform-owner');
    const found = await operators.call('GET', `/users?email=${ada.email}`);
    const adaId = (found.json['items'] as { id: string }[])[0]?.id ?? '';
    const path = `/tenants/${acme}/members/${consultantId(await members())}`;
    expect((await owner.call('PATCH', path, { body: { roles: ['owner'] } })).status).to.equal(200);
    const demoted = await owner.call('PATCH', `/tenants/${acme}/members/${adaId}`, { body: { roles: ['viewer'] } });
    expect(demoted.status, demoted.text).to.equal(200);

    const { browser: visitor, page } = await signIn(running.issuer, await linkTo(loner.email), loner);
    const refused = await visitor.submit(page, { decision: 'accept' }, '/invitation');
    expect(refused.status).to.equal(403);
    expect(await running.database.collection('memberships').countDocuments({ tenantId: acme })).to.equal(2);
  });

  async function members(): Promise<{ userId: string; email: string }[]> {
    return (await owner.call('GET', `/tenants/${acme}/members?limit=100`)).json['items'] as {
      userId: string;
      email: string;
    }[];
  }

  function consultantId(all: readonly { userId: string; email: string }[]): string {
    return all.find(({ email }) => email === consultant.email)?.userId ?? '';
  }

  it('sec-019 that is accepted twenty times at once in two processes makes one membership in one seat', async () => {
    await invite(loner.email);
    const token = tokenOf(await linkTo(loner.email));
    const other = await startApp({ sharedWith: running, now: () => now });
    const before = (await seatsOf(running, acme))?.['members'] ?? 0;
    const user = await running.app.administration.getUserByEmail(loner.email);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? running : other).app.administration.acceptInvitation(user, token),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    const codes = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : [],
    );
    expect(new Set(codes)).to.deep.equal(new Set(['invitation.over']));
    expect((await seatsOf(running, acme))?.['members']).to.equal(before + 1);
    const found = await running.database.collection('memberships').countDocuments({ tenantId: acme, userId: user.id });
    expect(found).to.equal(1);
  });

  it('that is sent again has a new link, and the one before opens nothing', async () => {
    const id = await invite(loner.email);
    const first = await linkTo(loner.email);
    expect((await owner.call('POST', `/tenants/${acme}/invitations/${id}/resend`)).status).to.equal(200);
    const second = await linkTo(loner.email);
    expect(second).not.to.equal(first);
    expect((await browser(running.issuer).get(first)).status).to.equal(404);
    expect((await browser(running.issuer).get(second)).html).to.contain('name="password"');
  });

  it('is one at a time for an address, none for a member, and none for a role beyond the sender’s', async () => {
    await invite(loner.email);
    const again = await owner.call('POST', `/tenants/${acme}/invitations`, {
      body: { email: 'LONER@example.com', roles: ['viewer'] },
    });
    expect([again.status, again.json['code']]).to.deep.equal([409, 'invitation.open']);
    const member = await owner.call('POST', `/tenants/${acme}/invitations`, {
      body: { email: ada.email, roles: ['viewer'] },
    });
    expect([member.status, member.json['code']]).to.deep.equal([409, 'member.exists']);
    const admin = await apiOf(running, 'acme-admin');
    const beyond = await admin.call('POST', `/tenants/${acme}/invitations`, {
      body: { email: 'x@example.com', roles: ['owner'] },
    });
    expect([beyond.status, beyond.json['code']]).to.deep.equal([403, 'role.beyond_own']);
  });

  it('says to who is signed in as somebody else whose it is, and lets them come as another', async () => {
    await invite(loner.email);
    const link = await linkTo(loner.email);
    const { browser: visitor, page } = await signIn(running.issuer, link, ada);
    expect(page.html).to.contain('was sent to').and.contain(loner.email).and.not.contain('invitation-accept');
    const login = await visitor.get(`${link}?as=another`);
    const between = await visitor.submit(login, { login: loner.email, password: loner.password });
    const question = await visitor.submit(between, { logout: 'yes' }); // the library ends the session of the first
    expect(question.html).to.contain('id="invitation-accept"');
  });

  it('declined changes nothing, and can still be accepted', async () => {
    await invite(loner.email);
    const link = await linkTo(loner.email);
    const { browser: visitor, page } = await signIn(running.issuer, link, loner);
    const declined = await visitor.submit(page, { decision: 'decline' }, '/invitation');
    expect(declined.html).to.contain('was not accepted');
    const again = await visitor.get(link);
    expect((await visitor.submit(again, { decision: 'accept' }, '/invitation')).html).to.contain(
      'You are a member now',
    );
  });

  it('sec-027 carries names as text, and sec-021 leads to the configured issuer whatever the request said', async () => {
    await owner.call('PATCH', `/tenants/${acme}`, { body: { name: '<a href=//evil.example>Acme</a>' } });
    const answer = await owner.call('POST', `/tenants/${acme}/invitations`, {
      body: { email: invited.email, roles: ['editor'] },
      headers: { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' },
    });
    expect(answer.status, answer.text).to.equal(201);
    await running.deliverMail();
    const mail = running.mailbox.at(-1);
    expect(mail?.html).to.contain('&lt;a href=//evil.example&gt;').and.not.contain('<a href=//evil');
    const links = [...(mail?.html.matchAll(/href="([^"]+)"/g) ?? [])].map(([, href]) => new URL(href ?? '').origin);
    expect(new Set(links)).to.deep.equal(new Set([running.issuer]));
    for (const name of ['x\r\nBcc: evil@example.com', 'x\u202egro.elpmaxe']) {
      const refused = await owner.call('PATCH', `/tenants/${acme}`, { body: { name } });
      expect(refused.status).to.equal(400);
    }
  });
});
