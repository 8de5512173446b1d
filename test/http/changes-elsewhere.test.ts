import { expect } from 'chai';
import { ada, ciKey, contractSeed, projectsApi, webSecret } from '../support/contract-seed.js';
import { eventually } from '../support/eventually.js';
import { fetchAt } from '../support/fetch-at.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { basic, post, tokensOf } from './requests.js';

const web = ['web', webSecret] as const;
const ci = ['acme-ci', ciKey] as const;
/** What holds everywhere. */
const boundMs = 5000;

describe('what one process changes shows in the others within five seconds', function () {
  this.timeout(30_000);
  let here: RunningApp;
  let there: RunningApp;
  beforeEach(async () => {
    here = await startApp();
    there = await startApp({ sharedWith: here });
  });
  afterEach(closeApps);

  async function askThere(
    path: string,
    members: Record<string, string>,
    [id, secret]: readonly [string, string],
  ): Promise<Record<string, unknown>> {
    const answer = await fetchAt(there.port)(`${here.issuer}/oauth2/${path}`, {
      method: 'POST',
      headers: { Authorization: basic(id, secret), 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(members).toString(),
    });
    return (await answer.json()) as Record<string, unknown>;
  }
  const introspectThere = (token: string): Promise<Record<string, unknown>> => askThere('introspect', { token }, web);

  it('sec-016 a narrower role', async () => {
    const { access_token: token } = await tokensOf(here.issuer, { scope: 'openid projects:read projects:write' });
    expect((await introspectThere(token))['scope']).to.contain('projects:write');
    await here.app.seeding.applySeed({
      users: [{ email: ada.email, memberships: [{ tenant: 'acme', roles: ['viewer'] }] }],
    });
    await eventually(async () => {
      expect((await introspectThere(token))['scope']).not.to.contain('projects:write');
    }, boundMs);
  });

  it('sec-016 a revoked token', async () => {
    const { access_token: token } = await tokensOf(here.issuer);
    expect((await introspectThere(token))['active']).to.equal(true);
    expect((await post(here.issuer, 'revoke', { token }, web)).status).to.equal(200);
    expect((await post(here.issuer, 'introspect', { token }, web)).json, 'at once here').to.deep.equal({
      active: false,
    });
    await eventually(async () => {
      expect(await introspectThere(token)).to.deep.equal({ active: false });
    }, boundMs);
  });

  it('sec-071 another role of a service account', async () => {
    const ask = { grant_type: 'client_credentials', resource: projectsApi, scope: 'projects:read projects:write' };
    const [tenant] = contractSeed.tenants ?? [];
    const [account] = tenant?.serviceAccounts ?? [];
    if (!tenant || !account) throw new Error('no service account in the seed');
    expect((await askThere('token', ask, ci))['scope']).to.contain('projects:write');
    await here.app.seeding.applySeed({
      tenants: [{ ...tenant, serviceAccounts: [{ ...account, roles: ['viewer'] }] }],
    });
    await eventually(async () => {
      expect((await askThere('token', ask, ci))['scope']).to.equal('projects:read');
    }, boundMs);
  });

  it('a transaction that is rolled back raises no revision and is not told of', async () => {
    const revisions = (): Promise<unknown> => here.database.collection('revisions').find().sort({ _id: 1 }).toArray();
    const before = await revisions();
    const refused = here.app.seeding.applySeed({
      tenants: [{ slug: 'initech', name: 'Initech', type: 'team' }],
      users: [{ email: ada.email, memberships: [{ tenant: 'nobody', roles: ['viewer'] }] }],
    });
    expect((await Promise.allSettled([refused]))[0]?.status).to.equal('rejected');
    expect(await revisions()).to.deep.equal(before);
  });

  it('many changes of one tenant in one transaction raise its revision by one', async () => {
    const of = async (): Promise<number[]> =>
      (await here.database.collection<{ _id: string; revision: number }>('revisions').find().toArray()).map(
        ({ revision }) => revision,
      );
    const before = (await of()).reduce((sum, one) => sum + one, 0);
    const roles = ['one', 'two', 'three'].map((key) => ({ key, permissions: ['projects:read'] }));
    await here.app.seeding.applySeed({ tenants: [{ ...contractSeed.tenants![0]!, roles }] });
    expect((await of()).reduce((sum, one) => sum + one, 0)).to.equal(before + 1);
  });
});
