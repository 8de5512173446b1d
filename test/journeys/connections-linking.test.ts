// Two connections at once, and what an account is linked by.
import { expect } from 'chai';
import { browser } from '../support/browser.js';
import { relyingParty } from '../support/relying-party.js';
import {
  chooseConnection,
  clientFor,
  grace,
  signInBy,
  twoServers,
  upstreamSecret,
  type TwoServers,
} from '../support/second-server.js';
import { closeApps } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';

const ofGrace = (password: string) => ({ ...grace, name: 'Somebody', password });

describe('linking an upstream account, and answers of two providers', function () {
  this.timeout(60_000);
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  afterEach(closeApps);

  const identitiesOf = ({ main }: TwoServers): Promise<number> =>
    main.database.collection('identities').countDocuments();

  it('sec-005 sec-007 nothing is linked by what does not hold any more when the owner proves the account', async () => {
    for (const changes of [{ isAuthoritative: false }, { mode: 'link-only' }, { status: 'disabled' }]) {
      const servers = await twoServers();
      const own = ofGrace('a password of her own here');
      await servers.main.app.seeding.applySeed({
        users: [{ ...own, memberships: [{ tenant: 'acme', roles: ['member'] }] }],
      });
      const { url, finish } = await (await relyingParty(servers.main.issuer)).begin();
      const { page, visitor } = await signInBy(servers, url);
      expect(page.html).to.contain('id="linking"');
      await servers.main.database.collection('connections').updateOne({}, { $set: changes });
      const back = await visitor.submit(page, { login: grace.email, password: own.password });
      expect((await finish(back.url)).claims()).to.include({ email: grace.email });
      expect(await identitiesOf(servers), JSON.stringify(changes)).to.equal(0);
      await closeApps();
    }
  });

  it('sec-001 another provider that is linked to the account proves it too, and whoever does not want to goes on', async () => {
    const servers = await twoServers({ seed: seedWithTwoTenants });
    const { main, upstream } = servers;
    await main.app.seeding.applySeed({
      users: [{ ...ofGrace('a password of her own here'), memberships: [{ tenant: 'acme', roles: ['member'] }] }],
      connections: [
        {
          ...{ key: 'second', name: 'Second', issuer: upstream.issuer, clientId: 'second', idTokenAlgorithm: 'ES256' },
          clientSecret: upstreamSecret,
        },
      ],
    });
    const second = await main.database.collection<{ _id: string }>('connections').findOne({ key: 'second' });
    const connectionId = second?._id ?? '';
    const redirectUri = `${main.issuer}/connections/callback/${connectionId}`;
    await upstream.app.seeding.applySeed({ clients: [clientFor(redirectUri, { client_id: 'second' })] });
    const { id: userId } = await main.app.administration.getUserByEmail(grace.email);
    const { id: subject } = await upstream.app.administration.getUserByEmail(grace.email);
    const { id: tenantId } = await main.app.administration.getTenant('platform');
    const identity = { tenantId, connectionId, issuer: upstream.issuer, subject, email: null };
    expect(await main.app.accounts.linkIdentity({ ...identity, userId })).to.equal('linked');

    const dropped = await (await relyingParty(main.issuer)).begin();
    const first = await signInBy(servers, dropped.url);
    const without = await first.visitor.submit(first.page, { connection: 'none' });
    expect(without.status).to.equal(200);
    expect(without.html).not.to.contain('id="linking"').and.not.contain(grace.email);
    const own = await first.visitor.submit(without, { login: grace.email, password: 'a password of her own here' });
    expect((await dropped.finish(own.url)).claims()).to.include({ email: grace.email });
    expect(await identitiesOf(servers)).to.equal(1);

    const { url, finish } = await (await relyingParty(main.issuer)).begin();
    const { page, visitor } = await signInBy(servers, url);
    const away = await chooseConnection({ connectionId }, visitor, page);
    const back = await visitor.get(await servers.atProvider(away.url));
    expect((await finish(back.url)).claims()).to.include({ email: grace.email });
    expect(await identitiesOf(servers)).to.equal(2);
  });

  it('sec-010 an answer that was meant for another connection is sent to no provider', async () => {
    const servers = await twoServers({ seed: seedWithTwoTenants });
    const { main, upstream, connectionId, redirectUri } = servers;
    const other = { key: 'mallory', name: 'Mallory', tenant: 'acme', issuer: 'https://mallory.example.com' };
    await main.app.seeding.applySeed({
      connections: [{ ...other, clientId: 'gatehouse', clientSecret: 'of no importance' }],
    });
    const another = await main.database.collection<{ _id: string }>('connections').findOne({ key: 'mallory' });
    const visitor = browser(main.issuer);
    const begin = async (): Promise<URL> => {
      const login = await visitor.get((await (await relyingParty(main.issuer)).begin({ tenant: 'acme' })).url);
      return new URL(await servers.atProvider((await chooseConnection(servers, visitor, login)).url));
    };
    for (const id of [another?._id ?? '', 'con_0', `${connectionId}0`]) {
      const callback = await begin();
      callback.pathname = callback.pathname.replace(connectionId, id);
      callback.searchParams.append('connection', connectionId);
      const page = await visitor.get(callback.href);
      expect(page.status, id).to.equal(400);
    }
    const codes = await upstream.database.collection('oidc_authorization_codes').find({}).toArray();
    expect(codes).to.have.length(3);
    expect(codes.filter((code) => 'consumed' in code)).to.deep.equal([]);
    expect(redirectUri).to.equal(`${main.issuer}/connections/callback/${connectionId}`);
    expect((await visitor.get(`${main.issuer}/connections/callback?state=x&code=y`)).status).to.equal(404);
  });
});
