// Accounts elsewhere, linked and unlinked by people themselves, and how a linked one stands beside second factors.
import { expect } from 'chai';
import { authorizeUrl } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { undoLink } from '../support/mail-links.js';
import { openPortal } from '../support/portal.js';
import { relyingParty } from '../support/relying-party.js';
import { grace, signInBy, twoServers, type TwoServers } from '../support/second-server.js';
import { enrolApp, movedClock, seedWithVault } from '../support/second-factor.js';
import { closeApps } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';

const path = '/account/identities';

describe('linked accounts', function () {
  this.timeout(60_000);
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  afterEach(closeApps);

  const identitiesOf = ({ main }: TwoServers): Promise<number> =>
    main.database.collection('identities').countDocuments();

  /** Ada at her portal, back from the provider as Grace. */
  async function link(servers: TwoServers): Promise<{ visitor: Browser; page: Page }> {
    const { visitor, page } = await openPortal(servers.main.issuer, { path });
    const away = await visitor.submit(page, { connection: servers.connectionId });
    return { visitor, page: await visitor.get(await servers.atProvider(away.url)) };
  }

  it('are linked by who has proven both sides, whatever the addresses, and open the account then', async () => {
    const servers = await twoServers({ connection: { authoritative: false } });
    const { visitor, page } = await link(servers);
    expect(page.html).to.contain('signs in to this one from now on').and.contain(grace.email);
    const { url, finish } = await (await relyingParty(servers.main.issuer)).begin();
    const elsewhere = await signInBy(servers, url);
    expect((await finish(elsewhere.page.url)).claims()).to.include({ email: ada.email, tenant_slug: 'acme' });
    const isSignedIn = async (who: Browser): Promise<boolean> =>
      new URL((await who.get(authorizeUrl(servers.main.issuer, { prompt: 'none' }))).url).searchParams.has('code');
    expect([await isSignedIn(elsewhere.visitor), await isSignedIn(visitor)]).to.deep.equal([true, true]);

    const [, identity = ''] = /name="identity" value="(\w+)"/.exec(page.html) ?? [];
    const after = await visitor.submit(page, { identity });
    expect(after.html).to.contain('does not sign in to this account any more');
    expect([await isSignedIn(elsewhere.visitor), await isSignedIn(visitor)]).to.deep.equal([false, true]);
    const again = await signInBy(servers, (await (await relyingParty(servers.main.issuer)).begin()).url);
    expect(again.page.status).to.equal(403);
    await servers.main.deliverMail();
    expect(servers.main.mailbox.slice(-2).map(({ to }) => to)).to.deep.equal([ada.email, ada.email]);
  });

  it('one opens one account: the second who links it is told', async () => {
    const other = { email: 'other@example.com', password: 'another person of acme' };
    const servers = await twoServers({ connection: { authoritative: false } });
    await servers.main.app.seeding.applySeed({ users: [{ ...other, emailVerified: true }] });
    await link(servers);
    const { visitor, page } = await openPortal(servers.main.issuer, { path, person: other });
    const away = await visitor.submit(page, { connection: servers.connectionId });
    const refused = await visitor.get(await servers.atProvider(away.url));
    expect([refused.status, await identitiesOf(servers)]).to.deep.equal([409, 1]);
  });

  it('sec-005 an answer counts in the session that asked for it, and once', async () => {
    const servers = await twoServers({ connection: { authoritative: false } });
    const { visitor, page } = await openPortal(servers.main.issuer, { path });
    const away = await visitor.submit(page, { connection: servers.connectionId });
    const callback = await servers.atProvider(away.url);
    const stranger = await openPortal(servers.main.issuer, { path });
    expect((await stranger.visitor.get(callback)).status).to.equal(400);
    expect(await identitiesOf(servers)).to.equal(0);
    expect((await visitor.get(callback)).status).to.equal(200);
    expect((await visitor.get(callback)).status).to.equal(400);
    expect(await identitiesOf(servers)).to.equal(1);
  });

  it('sec-026 are gone with a change of address that is undone, but for those of before', async () => {
    const clock = movedClock();
    const servers = await twoServers({ connection: { authoritative: false }, options: { now: clock.now } });
    const { main } = servers;
    const thief = 'thief@example.org';
    const { id: userId } = await main.app.administration.getUserByEmail(ada.email);
    const { id: tenantId } = await main.app.administration.getTenant('platform');
    const key = { tenantId, connectionId: servers.connectionId, issuer: servers.upstream.issuer };
    await main.app.accounts.linkIdentity({ ...key, subject: 'ada', email: null, userId });
    clock.pass(86_400 + 601);
    const undoing = await undoLink(main, browser(main.issuer), { from: ada.email, to: thief, provenAt: clock.now() });
    await main.app.accounts.linkIdentity({ ...key, subject: 'thief', email: null, userId });
    expect(await identitiesOf(servers)).to.equal(2);
    const visitor = browser(main.issuer);
    const page = await visitor.submit(await visitor.get(undoing), { password: 'nine lives of a black cat' });
    expect(page.html).to.contain('linked accounts and second factors that were added');
    const event = await main.database.collection('events').findOne({ type: 'identity.unlinked' });
    const [left] = await main.database.collection<{ _id: string }>('identities').find({}).toArray();
    expect([await identitiesOf(servers), event?.['subjectId']]).to.deep.equal([1, userId]);
    expect((event?.['data'] as { identityId: string }).identityId).to.not.equal(left?._id);
  });

  it('a provider that refuses, or a connection that was closed meanwhile, links nothing, and is recorded', async () => {
    const servers = await twoServers({ connection: { authoritative: false } });
    const { database, issuer } = servers.main;
    const { visitor, page } = await openPortal(issuer, { path });
    const answers: Record<string, (url: string) => Promise<string>> = {
      async denied(url) {
        const { searchParams } = new URL(url);
        const error = { state: searchParams.get('state') ?? '', error: 'access_denied', iss: servers.upstream.issuer };
        return `${servers.redirectUri}?${new URLSearchParams(error)}`;
      },
      async closed(url) {
        const back = await servers.atProvider(url);
        await database.collection('connections').updateOne({}, { $set: { status: 'disabled' } });
        return back;
      },
    };
    for (const [failure, answer] of Object.entries(answers)) {
      const away = await visitor.submit(page, { connection: servers.connectionId });
      const refused = await visitor.get(await answer(away.url));
      expect(refused.html, failure).to.contain('role="alert"');
      const [event] = await database.collection('events').find().sort({ at: -1, _id: -1 }).limit(1).toArray();
      expect(event, failure).to.deep.include({
        ...{ type: 'connection.sign_in_failed', subjectId: servers.connectionId },
        data: { clientId: 'gatehouse-account', failure },
      });
    }
    expect(await identitiesOf(servers)).to.equal(0);
  });

  it('the last way in is not removed', async () => {
    const servers = await twoServers();
    const { url } = await (await relyingParty(servers.main.issuer)).begin();
    const { visitor } = await signInBy(servers, url);
    const page = await visitor.get(path);
    const [, identity = ''] = /name="identity" value="(\w+)"/.exec(page.html) ?? [];
    const kept = await visitor.submit(page, { identity });
    expect([kept.status, await identitiesOf(servers)]).to.deep.equal([409, 1]);
    expect(kept.html).to.contain('only way into the account');
  });

  it('whoever has a second factor is asked for it after the provider too', async () => {
    const clock = movedClock();
    const servers = await twoServers({ seed: seedWithVault, options: { now: clock.now } });
    const { issuer } = servers.main;
    const { freshCode } = await enrolApp(issuer, clock);
    const [user] = contractSeed.users ?? [];
    const { id: userId } = await servers.main.app.administration.getUserByEmail(user?.email ?? '');
    const { id: tenantId } = await servers.main.app.administration.getTenant('platform');
    const people = await servers.upstream.database.collection<{ _id: string }>('memberships').find({}).toArray();
    for (const { userId: subject } of people as unknown as { userId: string }[]) {
      const key = { tenantId, connectionId: servers.connectionId, issuer: servers.upstream.issuer, subject };
      await servers.main.app.accounts.linkIdentity({ ...key, email: null, userId });
    }
    const { url, finish } = await (await relyingParty(issuer)).begin({ tenant: 'acme' });
    const { page, visitor } = await signInBy(servers, url, { visitor: browser(issuer) });
    expect(page.url).to.match(/\/second-factor$/);
    const done = await visitor.submit(page, { code: freshCode() }, '/second-factor');
    const claims = (await finish(done.url)).claims();
    expect(claims).to.include({ email: ada.email, acr: 'aal2' });
    expect(claims?.['amr']).to.have.members(['fed', 'otp', 'mfa']);
  });
});
