import { expect } from 'chai';
import type { mongo } from 'mongoose';
import * as client from 'openid-client';
import { policy } from '../../config/policy.js';
import { browser, type Browser } from '../support/browser.js';
import { ada, ciKey, contractSeed, projectsApi } from '../support/contract-seed.js';
import { relyingParty, signIn, type RelyingParty, type Tokens } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { signInBy, twoServers } from '../support/second-server.js';
import { requireTool } from '../support/tools.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';
import { post } from '../http/requests.js';

/**
 * How many commands a flow sends to the database once what may be cached is cached. A round trip costs more than
 * everything else in a small request, so one more is a decision and not an accident. Beside each: the calls of storage
 * that the bare library makes for the same.
 */
describe('round trips to the database', () => {
  let running: RunningApp;
  let party: RelyingParty;
  let visitor: Browser;
  let commands: string[];

  beforeEach(async () => {
    const remembering = { ...policy, lifetimes: { ...policy.lifetimes, decisionCacheSeconds: 3600 } };
    const opaque = { identifier: 'https://opaque.example.com', name: 'Opaque', permissions: ['projects:read'] };
    const resources = [...(contractSeed.resources ?? []), { ...opaque, accessToken: { format: 'opaque' as const } }];
    running = await startApp({
      seed: { ...contractSeed, resources },
      policy: remembering,
      monitorCommands: true,
    });
    party = await relyingParty(running.issuer);
    visitor = browser(running.issuer);
    commands = [];
    running.database.connection
      .getClient()
      .on('commandStarted', ({ commandName, command }: mongo.CommandStartedEvent) => {
        const collection: unknown = command[commandName];
        commands.push(typeof collection === 'string' ? `${commandName} ${collection}` : commandName);
      });
  });
  afterEach(closeApps);

  async function commandsOf(work: () => Promise<unknown>): Promise<string[]> {
    commands.length = 0;
    await work();
    return [...commands];
  }

  async function tokensOfAda(scope = 'openid tenant projects:read'): Promise<Tokens> {
    const { url, finish } = await party.begin({ scope });
    const page =
      visitor.cookies.size > 0 ? await visitor.get(url) : (await signIn(running.issuer, url, ada, visitor)).page;
    return finish(page.url);
  }

  const serviceToken = (resource: string): Promise<unknown> =>
    post(running.issuer, 'token', { grant_type: 'client_credentials', resource, scope: 'projects:read' }, [
      'acme-ci',
      ciKey,
    ]);

  it('client_credentials with a JWT: none (the library: 1)', async () => {
    await serviceToken(projectsApi);
    expect(await commandsOf(() => serviceToken(projectsApi))).to.deep.equal([]);
  });

  it('client_credentials with an opaque token: one (the library: 2)', async () => {
    await serviceToken('https://opaque.example.com');
    expect(await commandsOf(() => serviceToken('https://opaque.example.com'))).to.have.length(1);
  });

  it('code exchange: four (the library: 5)', async () => {
    await tokensOfAda();
    const { url, finish } = await party.begin({ scope: 'openid tenant projects:read' });
    const { url: callback } = await visitor.get(url);
    const sent = await commandsOf(() => finish(callback));
    expect(sent.filter((command) => !command.endsWith(' oidc_authorization_codes'))).to.have.length(2);
    expect(sent).to.have.length(4);
  });

  it('refresh with rotation: four (the library: 5)', async () => {
    await client.refreshTokenGrant(party.configuration, (await tokensOfAda()).refresh_token ?? '');
    const tokens = await tokensOfAda();
    const sent = await commandsOf(() => client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? ''));
    expect(sent).to.have.length(4);
  });

  it('introspection of a JWT: two, whether it was revoked and whether its grant stands; none for a while (the library: 5)', async () => {
    await client.tokenIntrospection(party.configuration, (await tokensOfAda()).access_token);
    visitor = browser(running.issuer); // another session, and so another grant
    const { access_token: token } = await tokensOfAda();
    const ask = (): Promise<unknown> => client.tokenIntrospection(party.configuration, token);
    expect(await commandsOf(ask)).to.deep.equal(['find oidc_revoked_jwts', 'find oidc_grants']);
    expect(await commandsOf(ask)).to.deep.equal([]);
  });

  it('userinfo: two, and a third for the profile; that alone for a while (the library: 3)', async () => {
    const tokens = await tokensOfAda('openid tenant profile projects:read');
    const { sub = '' } = tokens.claims() ?? {};
    const ask = (): Promise<unknown> => client.fetchUserInfo(party.configuration, tokens.access_token, sub);
    expect(await commandsOf(ask)).to.have.members(['find oidc_revoked_jwts', 'find oidc_grants', 'find users']);
    expect(await commandsOf(ask)).to.deep.equal(['find users']);
  });

  it('a silent authorization request: five of the protocol (the library: 5), three for the person and their tenant', async () => {
    await tokensOfAda();
    await tokensOfAda();
    const { url } = await party.begin({ scope: 'openid tenant projects:read', prompt: 'none' });
    const sent = await commandsOf(() => visitor.get(url));
    expect(sent.filter((command) => command.includes(' oidc_'))).to.have.length(5);
    expect(sent.filter((command) => !command.includes(' oidc_'))).to.have.members([
      'find memberships',
      'find tenants',
      'find users',
    ]);
  });

  it('a pushed request: one (the library: 2)', async () => {
    const push = (): Promise<unknown> =>
      client.buildAuthorizationUrlWithPAR(party.configuration, {
        redirect_uri: 'http://localhost:3001/callback',
        scope: 'openid',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      });
    await push();
    expect(await commandsOf(push)).to.have.length(1);
  });

  it('discovery and keys: none', async () => {
    const paths = ['/.well-known/openid-configuration', '/oauth2/jwks'];
    const sent = await commandsOf(() => Promise.all(paths.map((path) => fetch(running.issuer + path))));
    expect(sent).to.deep.equal([]);
  });

  it('a first sign-in with the tenant picker: 28 of the protocol (the library: 36 with consent)', async () => {
    const two = await startApp({ seed: seedWithTwoTenants, monitorCommands: true });
    const asked: string[] = [];
    two.database.connection.getClient().on('commandStarted', ({ commandName, command }: mongo.CommandStartedEvent) => {
      asked.push(`${commandName} ${String(command[commandName])}`);
    });
    const { url, finish } = await (await relyingParty(two.issuer)).begin();
    const { browser: chooser, page } = await signIn(two.issuer, url, consultant);
    expect(page.html).to.contain('value="globex"');
    const { url: callback } = await chooser.submit(page, { tenant: 'globex' });
    const ofProtocol = asked.filter((command) => command.includes(' oidc_'));
    expect(ofProtocol.length, ofProtocol.join(', ')).to.be.at.most(28);
    expect((await finish(callback)).claims()).to.include({ tenant_slug: 'globex' });
  });

  it('a whole sign-in by password, from the request to the code: 28, events and transactions included (the library: 36 with its picker and consent)', async () => {
    const before = await signIn(running.issuer, (await party.begin()).url);
    for (const [key, cookie] of before.browser.cookies) if (cookie.name === 'device') visitor.cookies.set(key, cookie);
    expect(visitor.cookies.size, 'a browser that is known, without a session').to.equal(1);
    const { url } = await party.begin();
    const sent = await commandsOf(() => signIn(running.issuer, url, ada, visitor));
    expect(sent.length, sent.join(', ')).to.be.at.most(28);
    expect(sent).not.to.include('insert mail_outbox');
  });

  it('the same in a new browser: one more, the mail that tells of it', async () => {
    await signIn(running.issuer, (await party.begin()).url);
    const { url } = await party.begin();
    const sent = await commandsOf(() => signIn(running.issuer, url, ada, visitor));
    expect(sent.length, sent.join(', ')).to.be.at.most(29);
    expect(sent.filter((command) => command === 'insert mail_outbox')).to.have.length(1);
  });

  it('a whole sign-in at an upstream provider: six more than by password', async function () {
    if (requireTool('openssl') === undefined) return this.skip();
    const remembering = { ...policy, lifetimes: { ...policy.lifetimes, decisionCacheSeconds: 3600 } };
    const servers = await twoServers({ options: { policy: remembering, monitorCommands: true } });
    const { issuer, database } = servers.main;
    const asked: string[] = [];
    database.connection.getClient().on('commandStarted', ({ commandName, command }: mongo.CommandStartedEvent) => {
      asked.push(`${commandName} ${String(command[commandName])}`);
    });
    const begin = async (): Promise<string> => (await (await relyingParty(issuer)).begin()).url;
    const countOf = async (work: (url: string) => Promise<unknown>): Promise<string[]> => {
      await work(await begin());
      const url = await begin();
      asked.length = 0;
      await work(url);
      return [...asked];
    };
    const byPassword = await countOf((url) => signIn(issuer, url));
    const byProvider = await countOf((url) => signInBy(servers, url));
    expect(byProvider.length, byProvider.join(', ')).to.be.at.most(byPassword.length + 6);
  });

  it('a read of the management API asks for what it shows and for nothing about its token', async () => {
    await running.app.seeding.applySeed({
      tenants: [
        {
          ...{ slug: 'acme', name: 'Acme Inc', type: 'enterprise', plan: 'enterprise' },
          roles: contractSeed.tenants?.[0]?.roles ?? [],
          serviceAccounts: [
            { clientId: 'reader', name: 'Reader', roles: ['viewer'], keys: [{ label: 'one', secret: ciKey + '2' }] },
          ],
        },
      ],
    });
    const form = { grant_type: 'client_credentials', resource: `${running.issuer}/api` };
    const { json } = await post(running.issuer, 'token', form, ['reader', ciKey + '2']);
    const headers = { Authorization: `Bearer ${String(json['access_token'])}` };
    const read = async (path: string): Promise<Response> => fetch(`${running.issuer}/api/v1${path}`, { headers });
    const tenant = (await (await read('/tenants')).json()) as { items: { id: string }[] };
    const base = `/tenants/${tenant.items[0]?.id ?? ''}`;
    const budgets: Record<string, string[]> = {
      [base]: ['find tenants'],
      [`${base}/members?limit=20`]: ['find memberships', 'find users'],
      [`${base}/roles`]: ['find roles', 'find tenants'],
      [`${base}/service-accounts`]: ['find service_accounts'],
      [`${base}/clients`]: ['find clients'],
      [`${base}/invitations`]: ['find invitations'],
      [`${base}/policies`]: ['find tenants'],
    };
    for (const [path, budget] of Object.entries(budgets)) {
      await read(path);
      expect((await commandsOf(() => read(path))).sort(), path).to.deep.equal(budget);
    }
  });
});
