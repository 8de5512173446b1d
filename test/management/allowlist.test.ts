// From where a tenant and its service accounts may be used: sign-in, tokens, refresh, exchange and the API.
import { expect } from 'chai';
import { browser } from '../support/browser.js';
import { ada, projectsApi } from '../support/contract-seed.js';
import { tenantIdOf } from '../support/administered.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, thirdPartySecret, tokenExchange } from '../support/two-tenants.js';
import { authorizeUrl, redeem, refreshing, send, type TokenSet } from '../http/requests.js';
import { signIn } from '../support/relying-party.js';
import { apiOf, keyOf, roleSeed, type Api } from './api.js';

const inside = '10.1.2.3';
const outside = '192.0.2.7';

describe('the allowlist of a tenant', () => {
  let running: RunningApp;
  let acme: string;
  let owner: Api;
  beforeEach(async () => {
    running = await startApp({ seed: roleSeed, trustedProxies: 1 });
    acme = await tenantIdOf(running, 'acme');
    owner = await apiOf(running, 'acme-owner');
  });
  afterEach(closeApps);

  const from = (address: string) => ({ 'X-Forwarded-For': address });
  const fetchFrom =
    (address: string): typeof fetch =>
    (url, init) => {
      const headers = new Headers(init?.headers);
      headers.set('X-Forwarded-For', address);
      return fetch(url, { ...init, headers });
    };

  const allow = (networks: string[], address = inside, query = ''): ReturnType<Api['call']> =>
    owner.call('PATCH', `/tenants/${acme}/policies${query}`, {
      body: { ipAllowlist: networks },
      headers: from(address),
    });

  const token = (address: string, form: Record<string, string>, [id, secret]: readonly [string, string]) =>
    send(`${running.issuer}/oauth2/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`, ...from(address) },
      body: new URLSearchParams(form),
    });

  const service = (address: string, clientId = 'acme-viewer') =>
    token(address, { grant_type: 'client_credentials', resource: projectsApi }, [clientId, keyOf(clientId)]);

  async function tokensFrom(address: string, who = ada, clientId = 'web', secret?: string): Promise<TokenSet> {
    const visitor = browser(running.issuer, fetchFrom(address));
    const url = authorizeUrl(running.issuer, { client_id: clientId, tenant: 'acme', scope: 'openid projects:read' });
    const { page } = await signIn(running.issuer, url, who, visitor);
    const code = new URL(page.url).searchParams.get('code') ?? '';
    const { json } = await redeem(running.issuer, code, {}, secret ? [clientId, secret] : undefined);
    return json as unknown as TokenSet;
  }

  it('lets in who comes from one of its networks, and nobody else, with IPv4 and IPv6', async () => {
    expect((await allow(['10.0.0.0/8', '2001:db8::/32', '203.0.113.9'])).status).to.equal(200);
    for (const address of [inside, '2001:db8:1::5', '203.0.113.9', '::ffff:10.9.9.9'])
      expect((await service(address)).status, address).to.equal(200);
    for (const address of [outside, '2001:db9::1', '203.0.113.10', '11.0.0.1']) {
      const answer = await service(address);
      expect([address, answer.status, answer.json['error']]).to.deep.equal([address, 400, 'access_denied']);
    }
  });

  it('is asked at sign-in, code, refresh, exchange and the API, and what is refused is not used up', async () => {
    const { refresh_token: refreshToken } = await tokensFrom(inside);
    const switching = await tokensFrom(inside, consultant, 'switcher', thirdPartySecret);
    expect((await allow(['10.0.0.0/8'])).status).to.equal(200);

    const visitor = browser(running.issuer, fetchFrom(outside));
    const url = authorizeUrl(running.issuer, { tenant: 'acme' });
    const { page } = await signIn(running.issuer, url, ada, visitor);
    expect(new URL(page.url).searchParams.get('error')).to.equal('access_denied');
    expect(new URL(page.url).searchParams.get('error_description')).to.contain('this address');

    const refresh = refreshing({ refresh_token: refreshToken });
    const web = ['web', 's3cret-s3cret-s3cret-s3cret-s3cret'] as const;
    expect((await token(outside, refresh, web)).json['error']).to.equal('access_denied');
    expect((await token(inside, refresh, web)).status).to.equal(200);

    const exchange = {
      ...{ grant_type: tokenExchange, subject_token: switching.access_token, tenant: 'acme' },
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    const switcher = ['switcher', thirdPartySecret] as const;
    expect((await token(outside, exchange, switcher)).json['error']).to.equal('access_denied');
    expect((await token(inside, exchange, switcher)).status).to.equal(200);

    const elsewhere = await owner.call('GET', `/tenants/${acme}`, { headers: from(outside) });
    expect([elsewhere.status, elsewhere.json['code']]).to.deep.equal([403, 'address.not_allowed']);
    expect((await owner.call('GET', `/tenants/${acme}`, { headers: from(inside) })).status).to.equal(200);
  });

  it('shuts nobody out by mistake', async () => {
    const refused = await allow(['10.0.0.0/8'], outside);
    expect([refused.status, refused.json['code']]).to.deep.equal([409, 'policies.locks_out']);
    expect((await owner.call('GET', `/tenants/${acme}/policies`)).json['ipAllowlist']).to.deep.equal([]);
    expect((await allow(['10.0.0.0/8'], outside, '?allowLockout=true')).status).to.equal(200);
    // an operator comes in by their own tenant, and lets everybody in again
    const operators = await apiOf(running, 'platform-owner');
    const opened = await operators.call('PATCH', `/tenants/${acme}/policies`, {
      body: { ipAllowlist: [] },
      headers: from(outside),
    });
    expect(opened.status, opened.text).to.equal(200);
    expect((await service(outside)).status).to.equal(200);
  });

  it('of a service account bounds that account alone', async () => {
    const found = await owner.call('GET', `/tenants/${acme}/service-accounts?limit=100`);
    const account = (found.json['items'] as { id: string; clientId: string }[]).find(
      ({ clientId }) => clientId === 'acme-viewer',
    );
    const path = `/tenants/${acme}/service-accounts/${account?.id ?? ''}`;
    expect((await owner.call('PATCH', path, { body: { ipAllowlist: ['10.0.0.0/8'] } })).status).to.equal(200);
    expect((await service(outside)).status).to.equal(400);
    expect((await service(inside)).status).to.equal(200);
    expect((await service(outside, 'acme-admin')).status).to.equal(200);
  });

  it('sec-049 is asked about the address that the proxy saw, and no other that is claimed', async () => {
    expect((await allow(['10.0.0.0/8'])).status).to.equal(200);
    for (const claimed of [`${inside}, ${outside}`, `${inside},${outside}`, `"${inside}"`, 'unknown'])
      expect((await service(claimed)).status, claimed).to.equal(400);
  });

  it('can be tried without changing anything', async () => {
    expect((await allow(['10.0.0.0/8'])).status).to.equal(200);
    const explain = async (body: object): Promise<Record<string, unknown>> =>
      (await owner.call('POST', `/tenants/${acme}/policies/explain`, { body, headers: from(inside) })).json;
    expect((await explain({ address: inside }))['allowed']).to.equal(true);
    const told = await explain({ address: outside, clientId: 'acme-viewer' });
    expect(told['allowed']).to.equal(false);
    const failing = (told['checks'] as { check: string; passes: boolean }[]).filter(({ passes }) => !passes);
    expect(failing.map(({ check }) => check)).to.deep.equal(['tenant_address']);
    // a client of another tenant is told of as one that is not there
    const foreign = await explain({ address: inside, clientId: 'globex-viewer' });
    const missing = await explain({ address: inside, clientId: 'nobody-viewer' });
    expect(JSON.stringify(foreign)).to.equal(JSON.stringify(missing));
  });

  it('is refused where the plan does not hold it, and where it is no network', async () => {
    const globex = await tenantIdOf(running, 'globex');
    const other = await apiOf(running, 'globex-owner');
    const refused = await other.call('PATCH', `/tenants/${globex}/policies`, { body: { ipAllowlist: ['10.0.0.0/8'] } });
    expect([refused.status, refused.json['code']]).to.deep.equal([409, 'feature.not_in_plan']);
    for (const network of [
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/8/8',
      '2001:db8::/129',
      'fe80::1%eth0',
      'localhost',
      '',
    ]) {
      const answer = await owner.call('PATCH', `/tenants/${acme}/policies`, { body: { ipAllowlist: [network] } });
      expect([network, answer.status]).to.deep.equal([network, 400]);
    }
  });
});
