import { expect } from 'chai';
import type { TokensOf } from '../../src/administration/index.js';
import { memberIdsOf, operator, tenantIdOf } from '../support/administered.js';
import { ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { eventually } from '../support/eventually.js';
import { fetchAt } from '../support/fetch-at.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { basic, codeOf, post, redeem, type TokenSet } from './requests.js';

const web = ['web', webSecret] as const;
const ci = ['acme-ci', ciKey] as const;
const boundMs = 5000;
const scope = 'openid offline_access projects:read';

describe('sec-016 what one process ends is refused by the others within five seconds', function () {
  this.timeout(60_000);
  let here: RunningApp;
  let there: RunningApp;
  let tenantId: string;
  let userId: string;
  beforeEach(async () => {
    here = await startApp();
    there = await startApp({ sharedWith: here });
    tenantId = await tenantIdOf(here, 'acme');
    [userId = ''] = await memberIdsOf(here, tenantId);
  });
  afterEach(closeApps);

  async function askThere(path: string, members: Record<string, string>, [id, secret]: readonly [string, string]) {
    const answer = await fetchAt(there.port)(`${here.issuer}/oauth2/${path}`, {
      method: 'POST',
      headers: { Authorization: basic(id, secret), 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(members).toString(),
    });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  }
  const userinfoThere = (token: string): Promise<number> =>
    fetchAt(there.port)(`${here.issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${token}` } }).then(
      ({ status }) => status,
    );
  const grantOf = async (): Promise<{ _id: string; sessionUid: string }> =>
    (await here.database.collection<{ _id: string; sessionUid: string }>('oidc_grants').findOne({ clientId: 'web' }))!;

  async function tokens(): Promise<TokenSet> {
    return (await redeem(here.issuer, await codeOf(here.issuer, { scope }))).json as unknown as TokenSet;
  }

  async function expectNothingLeft({ access_token: token, refresh_token: refreshToken = '' }: TokenSet): Promise<void> {
    await eventually(async () => {
      expect((await askThere('introspect', { token }, web)).json).to.deep.equal({ active: false });
      expect(await userinfoThere(token)).to.equal(401);
    }, boundMs);
    const refresh = { grant_type: 'refresh_token', refresh_token: refreshToken };
    const refused = await askThere('token', refresh, web);
    expect([refused.status, refused.json['error']]).to.deep.equal([400, 'invalid_grant']);
  }

  const ended: readonly (readonly [string, () => Promise<TokensOf>])[] = [
    ['a person', async () => ({ userId })],
    ['a session, those for offline access too', async () => ({ sessionUid: (await grantOf()).sessionUid })],
    ['a grant', async () => ({ grantId: (await grantOf())._id })],
    ['a tenant', async () => ({ tenantId })],
    ['a client', async () => ({ clientId: 'web' })],
  ];
  for (const [whose, of] of ended) {
    it(`tokens of ${whose}`, async () => {
      const issued = await tokens();
      expect((await askThere('introspect', { token: issued.access_token }, web)).json['active']).to.equal(true);
      expect(await userinfoThere(issued.access_token)).to.equal(200);
      await here.app.administration.endTokensOf(operator, await of());
      await expectNothingLeft(issued);
    });
  }

  it('what was ended is told of in the name of whoever ended it', async () => {
    await tokens();
    const { _id: grantId, sessionUid } = await grantOf();
    await here.app.administration.endTokensOf(operator, { grantId });
    await here.app.administration.endTokensOf(operator, { sessionUid });
    const { actor } = operator;
    for (const type of ['grant.revoked', 'session.ended'])
      expect(await here.database.collection('events').findOne({ type }), type).to.deep.include({ actor });
  });

  it('a single token, and no other', async () => {
    const [one, other] = [await tokens(), await tokens()];
    await post(here.issuer, 'revoke', { token: one.access_token }, ['web', webSecret]);
    await eventually(async () => {
      expect((await askThere('introspect', { token: one.access_token }, web)).json).to.deep.equal({ active: false });
    }, boundMs);
    expect((await askThere('introspect', { token: other.access_token }, web)).json['active']).to.equal(true);
  });

  it('tokens of a service account; new ones are good', async () => {
    const ask = { grant_type: 'client_credentials', resource: projectsApi };
    const token = String((await askThere('token', ask, ci)).json['access_token']);
    expect((await askThere('introspect', { token }, ci)).json['active']).to.equal(true);
    await here.app.administration.endTokensOf(operator, { serviceAccount: { tenantId, clientId: 'acme-ci' } });
    await eventually(async () => {
      expect((await askThere('introspect', { token }, ci)).json).to.deep.equal({ active: false });
    }, boundMs);
    await eventually(async () => {
      const renewed = String((await askThere('token', ask, ci)).json['access_token']);
      expect((await askThere('introspect', { token: renewed }, ci)).json['active']).to.equal(true);
    }, boundMs);
  });

  it('a suspended tenant, at all six endpoints, and lets everybody in again when it is active', async () => {
    const issued = await tokens();
    const ask = { grant_type: 'client_credentials', resource: projectsApi };
    const service = String((await askThere('token', ask, ci)).json['access_token']);
    await here.app.administration.changeStatus(operator, tenantId, 'suspended');
    await eventually(async () => {
      expect((await askThere('token', ask, ci)).status, 'token').to.equal(401);
      expect((await askThere('introspect', { token: service }, web)).json['active'], 'introspection').to.equal(false);
      expect((await askThere('introspect', { token: issued.access_token }, web)).json).to.deep.equal({ active: false });
      expect(await userinfoThere(issued.access_token), 'userinfo').to.equal(401);
      expect(await codeOf(here.issuer, { scope }).catch((error: Error) => error.message), 'authorize').to.match(
        /access_denied/,
      );
    }, boundMs);
    const refresh = { grant_type: 'refresh_token', refresh_token: issued.refresh_token ?? '' };
    expect((await askThere('token', refresh, web)).json['error'], 'refresh').to.equal('invalid_grant');
    await here.app.administration.changeStatus(operator, tenantId, 'active');
    await eventually(async () => {
      expect((await askThere('token', ask, ci)).status).to.equal(200);
      expect((await askThere('introspect', { token: issued.access_token }, web)).json['active']).to.equal(true);
    }, boundMs);
  });
});
