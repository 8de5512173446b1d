// What a connection takes over of how somebody signed in at the provider.
import { expect } from 'chai';
import { makeAuthority } from '../support/authority.js';
import { browser, type Browser } from '../support/browser.js';
import { contractSeed } from '../support/contract-seed.js';
import { closeHttpsHosts } from '../support/https-host.js';
import { relyingParty, type RelyingParty, type Tokens } from '../support/relying-party.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { startUpstreamProvider, type UpstreamProvider } from '../support/upstream/oidc-provider.js';
import { bringBack } from '../http/upstream/stage.js';

type SeedConnection = NonNullable<SeedInput['connections']>[number];

describe('what a connection trusts', function () {
  this.timeout(60_000);
  let running: RunningApp;
  let provider: UpstreamProvider;
  let party: RelyingParty;
  before(function () {
    if (requireTool('openssl') === undefined) this.skip();
  });
  beforeEach(async () => {
    const authority = makeAuthority();
    provider = await startUpstreamProvider(authority);
    running = await startApp({
      seed: contractSeed,
      egress: { allow: [provider.host.hostAndPort], extraAuthorities: [authority.certificate] },
    });
    const admin = { email: 'operator@example.com', password: 'the operator has this one' };
    await running.app.seeding.firstStart({ ...admin, mfa: 'optional' });
    party = await relyingParty(running.issuer);
    await connect();
  });
  afterEach(async () => {
    await closeApps();
    await closeHttpsHosts();
  });

  async function connect(changes: Partial<SeedConnection> = {}): Promise<void> {
    const { issuer, clientId, clientSecret } = provider;
    const trusted = { authoritative: true, makesAccounts: true };
    const connection = { key: 'corp', name: 'Corp', issuer, clientId, clientSecret, ...trusted, ...changes };
    await running.app.seeding.applySeed({ connections: [connection] });
  }

  async function signIn(
    parameters: Record<string, string> = {},
    visitor = browser(running.issuer),
  ): Promise<{ tokens: Tokens; visitor: Browser }> {
    const { url, finish } = await party.begin(parameters);
    const login = await visitor.get(url);
    const [, connection = ''] = /value="(con_[0-9a-f]{32})"/.exec(login.html) ?? [];
    const away = await visitor.submit(login, { connection });
    const page = await bringBack(visitor, provider.agree(away.url));
    return { tokens: await finish(page.url), visitor };
  }

  it('of how they signed in there, tokens say what it names and that came, and nothing else', async () => {
    const said = async (): Promise<unknown> => {
      const claims = (await signIn()).tokens.claims();
      return [claims?.['acr'], claims?.['amr']];
    };
    provider.person = { ...provider.person, amr: ['pwd', 'hwk', 'mfa', 'otp'], acr: 'urn:two' };
    expect(await said()).to.deep.equal(['aal1', ['fed']]);
    await connect({ secondLevel: { acr: [], amr: ['hwk', 'pwd', 'urn:own'] } });
    expect(await said()).to.deep.equal(['aal2', ['fed', 'hwk', 'mfa']]);
    await connect({ secondLevel: { acr: ['urn:two'], amr: ['sc'] } });
    expect(await said()).to.deep.equal(['aal2', ['fed', 'mfa']]);
    for (const amr of ['hwk', [1, { hwk: 1 }], Array.from({ length: 10_000 }, (_, index) => `m${index}`)]) {
      await connect({ secondLevel: { acr: [], amr: ['hwk'] } });
      provider.person = { ...provider.person, amr };
      expect(await said()).to.deep.equal(['aal1', ['fed']]);
    }
  });
});
