// Two servers: people of one sign in to the other. Whose account they open, and what they never do.
import { expect } from 'chai';
import { browser } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { chooseConnection, grace, signInBy, twoServers, type TwoServers } from '../support/second-server.js';
import { closeApps } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { consultant, seedWithTwoTenants, thirdPartySecret, tokenExchange } from '../support/two-tenants.js';
import { post } from '../http/requests.js';

const ofGrace = (password: string) => ({ ...grace, name: 'Somebody', password });
const atUpstream = (person: { email: string; password: string }) => ({
  ...person,
  ...{ emailVerified: true, name: 'Somebody', memberships: [{ tenant: 'acme', roles: ['member'] }] },
});

describe('signing in at an upstream provider', function () {
  this.timeout(60_000);
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  afterEach(closeApps);

  const usersOf = ({ main }: TwoServers): Promise<number> => main.database.collection('users').countDocuments();
  const identitiesOf = ({ main }: TwoServers): Promise<number> =>
    main.database.collection('identities').countDocuments();

  it('somebody whom it vouches for gets an account, and comes back to it', async () => {
    const servers = await twoServers();
    const party = await relyingParty(servers.main.issuer);
    const before = await usersOf(servers);
    const subjects = new Set<string | undefined>();
    for (const _ of [1, 2]) {
      const { url, finish } = await party.begin();
      const { page } = await signInBy(servers, url);
      const claims = (await finish(page.url)).claims();
      expect(claims).to.include({ email: grace.email, email_verified: true, name: 'Grace Hopper', acr: 'aal1' });
      expect(claims).to.include({ tenant_type: 'personal' });
      expect(claims?.['amr']).to.deep.equal(['fed']);
      subjects.add(claims?.sub);
    }
    expect(subjects.size).to.equal(1);
    expect(await usersOf(servers)).to.equal(before + 1);
    expect(await identitiesOf(servers)).to.equal(1);
  });

  it('works with a key of ours in the place of a secret, and the answer by form_post', async () => {
    const servers = await twoServers({ connection: { authentication: 'private_key_jwt', responseMode: 'form_post' } });
    const stored = await servers.main.database.collection('connections').findOne({});
    const jwks = { keys: [(stored as unknown as { publicKey: Record<string, unknown> }).publicKey as { kty: string }] };
    const { issuer } = servers.main;
    await servers.upstream.app.seeding.applySeed({
      clients: [
        {
          ...{ client_id: 'gatehouse', redirect_uris: [servers.redirectUri], firstParty: true },
          ...{ token_endpoint_auth_method: 'private_key_jwt', jwks, id_token_signed_response_alg: 'ES256' },
        },
      ],
    });
    const { url, finish } = await (await relyingParty(issuer)).begin();
    const visitor = browser(issuer);
    const away = await chooseConnection(servers, visitor, await visitor.get(url));
    const provider = servers.providerBrowser();
    const { page } = await signIn(servers.upstream.issuer, away.url, grace, provider);
    const fields = [...page.html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    const answer = await fetch(servers.redirectUri, {
      ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) },
      headers: { Origin: servers.upstream.issuer, 'Sec-Fetch-Site': 'cross-site' },
    });
    expect(answer.status).to.equal(303);
    const back = await visitor.get(answer.headers.get('location') ?? '');
    expect((await finish(back.url)).claims()).to.include({ email: grace.email });
  });

  it('sec-001 whom it does not vouch for finds nobody, makes nobody, and learns nothing of who is there', async () => {
    const pages = new Set<string>();
    for (const users of [[], [{ ...ofGrace('a password of somebody'), memberships: [] }]]) {
      const servers = await twoServers({ connection: { authoritative: false } });
      await servers.main.app.seeding.applySeed({ users });
      const before = await usersOf(servers);
      const { page } = await signInBy(servers, (await (await relyingParty(servers.main.issuer)).begin()).url);
      expect(page.status).to.equal(403);
      pages.add(page.html.replace(/(?:nonce|href)="[^"]*"/g, '').replace(/[0-9a-f-]{36}/g, ''));
      expect([await usersOf(servers), await identitiesOf(servers)]).to.deep.equal([before, 0]);
      await closeApps();
    }
    expect([...pages]).to.have.length(1);
  });

  it('sec-001 the owner of the address proves the account in the same sign-in, and from then on the provider opens it', async () => {
    const servers = await twoServers();
    const own = ofGrace('a password of her own here');
    await servers.main.app.seeding.applySeed({
      users: [{ ...own, memberships: [{ tenant: 'acme', roles: ['member'] }] }],
    });
    const party = await relyingParty(servers.main.issuer);
    const first = await party.begin();
    const { page, visitor } = await signInBy(servers, first.url);
    expect(page.html).to.contain('id="linking"').and.contain(grace.email);
    expect(await identitiesOf(servers)).to.equal(0);

    const wrong = await visitor.submit(page, { login: grace.email, password: 'not her password here' });
    expect(wrong.status).to.equal(422);
    const back = await visitor.submit(wrong, { login: grace.email, password: own.password });
    const claims = (await first.finish(back.url)).claims();
    expect(claims).to.include({ email: grace.email, tenant_slug: 'acme' });
    expect(await identitiesOf(servers)).to.equal(1);
    await servers.main.deliverMail();
    expect(servers.main.mailbox.at(-1)).to.include({ to: grace.email });

    const second = await party.begin();
    const again = await second.finish((await signInBy(servers, second.url)).page.url);
    expect(again.claims()?.sub).to.equal(claims?.sub);
    expect(again.claims()?.['amr']).to.deep.equal(['fed']);
  });

  it('sec-005 whoever signs in to another account there links nothing', async () => {
    const servers = await twoServers();
    await servers.main.app.seeding.applySeed({
      users: [{ ...ofGrace('a password of her own here'), memberships: [] }],
    });
    const { url, finish } = await (await relyingParty(servers.main.issuer)).begin();
    const { page, visitor } = await signInBy(servers, url);
    const back = await visitor.submit(page, { login: ada.email, password: ada.password });
    expect((await finish(back.url)).claims()).to.include({ email: ada.email });
    expect(await identitiesOf(servers)).to.equal(0);
  });

  it('sec-001 sec-004 what somebody set up with her address before she came opens nothing any more', async () => {
    const servers = await twoServers();
    const attacker = { email: grace.email, password: 'the attacker waits for her' };
    await servers.main.app.seeding.applySeed({ users: [{ ...attacker, name: 'Not Grace', emailVerified: false }] });
    const party = await relyingParty(servers.main.issuer);
    const { url, finish } = await party.begin();
    const claims = (await finish((await signInBy(servers, url)).page.url)).claims();
    expect(claims).to.include({ email: grace.email, email_verified: true, name: 'Grace Hopper' });
    const { page } = await signIn(servers.main.issuer, (await party.begin()).url, attacker);
    expect(page.status).to.equal(422);
  });

  it('sec-007 what was closed while the person was away lets nobody in', async () => {
    const closings: Record<string, (servers: TwoServers) => Promise<unknown>> = {
      connection: ({ main }) => main.database.collection('connections').updateOne({}, { $set: { status: 'disabled' } }),
      mode: ({ main }) => main.database.collection('connections').updateOne({}, { $set: { mode: 'link-only' } }),
      tenant: ({ main }) =>
        main.database.collection('tenants').updateOne({ slugs: 'platform' }, { $set: { status: 'suspended' } }),
      person: ({ main }) => main.database.collection('users').updateMany({}, { $set: { status: 'disabled' } }),
    };
    for (const [what, close] of Object.entries(closings)) {
      const servers = await twoServers();
      const party = await relyingParty(servers.main.issuer);
      const first = await party.begin();
      await first.finish((await signInBy(servers, first.url)).page.url);
      const visitor = browser(servers.main.issuer);
      const login = await visitor.get((await party.begin()).url);
      const away = await chooseConnection(servers, visitor, login);
      const callback = await servers.atProvider(away.url);
      await close(servers);
      const page = await visitor.get(callback);
      expect(page.status, what).to.equal(403);
      expect(page.html, what).to.contain('Back to signing in');
      expect(
        [...visitor.cookies.values()].some(({ name }) => name.endsWith('session')),
        what,
      ).to.equal(false);
      await closeApps();
    }
  });

  it('sec-008 an answer counts once, and in the browser that began alone', async () => {
    const servers = await twoServers();
    const { issuer } = servers.main;
    const party = await relyingParty(issuer);
    const visitor = browser(issuer);
    const away = await chooseConnection(servers, visitor, await visitor.get((await party.begin()).url));
    const callback = await servers.atProvider(away.url);

    const stranger = browser(issuer);
    expect((await stranger.get(callback)).status).to.equal(400);
    await stranger.get((await party.begin()).url);
    expect((await stranger.get(callback)).status).to.equal(400);

    const { headers } = await visitor.request(callback);
    const place = headers.get('location') ?? '';
    const answers = await Promise.all(Array.from({ length: 20 }, () => visitor.request(place)));
    const wentOn = answers.filter(({ status }) => status === 303);
    expect(wentOn).to.have.length(1);
    expect(answers.filter(({ status }) => status >= 500)).to.deep.equal([]);
    expect(await identitiesOf(servers)).to.equal(1);
  });

  it('sec-008 sec-010 an answer with another state, or of another issuer, is refused', async () => {
    const servers = await twoServers();
    const { issuer } = servers.main;
    const party = await relyingParty(issuer);
    for (const [name, value, status] of [
      ['state', 'nonsense', 400],
      ['state', `${'x'.repeat(21)}.${'y'.repeat(43)}`, 400],
      ['iss', 'https://evil.example.com', 400],
      ['iss', '', 400],
      ['code', 'another', 400],
      ['error', 'access_denied', 200],
    ] as const) {
      const visitor = browser(issuer);
      const away = await chooseConnection(servers, visitor, await visitor.get((await party.begin()).url));
      const callback = new URL(await servers.atProvider(away.url));
      if (value === '') callback.searchParams.delete(name);
      else callback.searchParams.set(name, value);
      expect((await visitor.get(callback.href)).status, `${name}=${value}`).to.equal(status);
    }
    expect(await identitiesOf(servers)).to.equal(0);
  });

  it('a tenant’s own provider opens that tenant, and nothing else of the person', async () => {
    const servers = await twoServers({
      seed: seedWithTwoTenants,
      connection: { tenant: 'acme', makesAccounts: false },
      upstreamUsers: [atUpstream(consultant)],
    });
    const party = await relyingParty(servers.main.issuer);
    const linking = await party.begin({ tenant: 'acme' });
    const { page, visitor } = await signInBy(servers, linking.url, { person: consultant });
    await linking.finish((await visitor.submit(page, { login: consultant.email, password: consultant.password })).url);
    expect(await identitiesOf(servers)).to.equal(1);

    const fresh = browser(servers.main.issuer);
    const { url, finish } = await party.begin({ tenant: 'acme' });
    const inAcme = await finish((await signInBy(servers, url, { person: consultant, visitor: fresh })).page.url);
    expect(inAcme.claims()).to.include({ tenant_slug: 'acme', email: consultant.email });

    const elsewhere = await fresh.get((await party.begin({ tenant: 'globex', prompt: 'none' })).url);
    expect(elsewhere.url).to.contain('error=');
    const portal = await fresh.get(`${servers.main.issuer}/account`);
    expect(portal.html).to.contain('name="password"').and.not.contain(servers.connectionId);
  });

  it('nobody sees the connection of a tenant in the sign-in of another one', async () => {
    const servers = await twoServers({ seed: seedWithTwoTenants, connection: { tenant: 'acme' } });
    const party = await relyingParty(servers.main.issuer);
    const shown = async (parameters: Record<string, string>): Promise<boolean> =>
      (await browser(servers.main.issuer).get((await party.begin(parameters)).url)).html.includes(servers.connectionId);
    expect([await shown({}), await shown({ tenant: 'globex' }), await shown({ tenant: 'acme' })]).to.deep.equal([
      ...[false, false, true],
    ]);
  });

  it('a dead provider is told of at once, and every other way in stays open', async () => {
    const servers = await twoServers();
    const { issuer } = servers.main;
    const { url, finish } = await (await relyingParty(issuer)).begin();
    const visitor = browser(issuer);
    const login = await visitor.get(url);
    await servers.upstream.close();
    const page = await chooseConnection(servers, visitor, login);
    expect(page.status).to.equal(503);
    expect(page.headers.get('retry-after')).to.equal('30');
    const [, back = ''] = /href="(\/sign-in\/[\w-]+)"/.exec(page.html) ?? [];
    const done = await visitor.submit(await visitor.get(back), { login: ada.email, password: ada.password });
    expect((await finish(done.url)).claims()).to.include({ email: ada.email });
  });

  it('tokens of another tenant are not had for those of a sign-in by a tenant’s provider', async () => {
    const servers = await twoServers({
      seed: seedWithTwoTenants,
      connection: { tenant: 'acme' },
      upstreamUsers: [atUpstream(consultant)],
    });
    const { issuer } = servers.main;
    const party = await relyingParty(issuer, 'switcher', thirdPartySecret);
    const outcomes: string[] = [];
    for (const isBound of [false, true]) {
      const { url, finish } = await party.begin({ tenant: 'acme', scope: 'openid projects:read' });
      const { page, visitor } = await signInBy(servers, url, { person: consultant });
      const { email: login, password } = consultant;
      const tokens = await finish(isBound ? page.url : (await visitor.submit(page, { login, password })).url);
      const members = {
        ...{ grant_type: tokenExchange, subject_token: tokens.access_token, tenant: 'globex' },
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      };
      const { status, json } = await post(issuer, 'token', members, ['switcher', thirdPartySecret]);
      outcomes.push(`${status} ${(json['error'] as string | undefined) ?? ''}`);
    }
    expect(outcomes).to.deep.equal(['200 ', '400 invalid_target']);
  });
});
