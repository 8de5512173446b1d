import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import { ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp, type StartOptions } from '../support/start-app.js';
import { basic, post, send, type Answer } from './requests.js';

const service = { grant_type: 'client_credentials', resource: projectsApi };

/** A login post that ends at the first check behind the door, or at the door. */
function loginPost(
  issuer: string,
  headers: Record<string, string> = {},
  path = '/sign-in/nobody/login',
): Promise<Answer> {
  return send(issuer + path, { method: 'POST', headers, body: new URLSearchParams({ login: 'x' }) });
}

/** How many of these were let in; all refusals must be 429. */
async function letIn(answers: readonly Promise<Answer>[]): Promise<number> {
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  return statuses.filter((status) => status !== 429).length;
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('limits by client address', function () {
  this.timeout(30_000); // hundreds of requests each
  afterEach(closeApps);

  async function start(options: StartOptions = {}): Promise<RunningApp> {
    return startApp({ rateLimitFactor: 1, ...options });
  }

  const forgeries: readonly ((index: number) => string)[] = [
    (index) => `203.0.113.${index}`,
    (index) => `a${index}`,
    (index) => `2001:db8:${index}::1`,
    (index) => `::ffff:203.0.113.${index}`,
    (index) => times(20, (hop) => `198.51.${hop}.${index}`).join(', '),
    (index) => `203.0.113.${index}:80, ,`,
    (index) => `"${index}"`,
    (index) => '9'.repeat(index + 1),
  ];

  it('sec-049 whatever is forged in X-Forwarded-For, thirty logins a minute pass without a proxy', async () => {
    const { issuer } = await start();
    const forged = times(500, (index) => forgeries[index % forgeries.length]?.(index % 250) ?? '');
    expect(await letIn(forged.map((value) => loginPost(issuer, { 'X-Forwarded-For': value })))).to.equal(30);
  });

  it('sec-049 behind a proxy only what that proxy wrote counts', async () => {
    const { issuer } = await start({ trustedProxies: 1 });
    const forged = times(120, (index) => `${forgeries[index % forgeries.length]?.(index % 250)}, 198.51.100.1`);
    expect(await letIn(forged.map((value) => loginPost(issuer, { 'X-Forwarded-For': value })))).to.equal(30);
    expect((await loginPost(issuer, { 'X-Forwarded-For': '203.0.113.1, 198.51.100.2' })).status).to.equal(400);
  });

  it('sec-049 what is no address never skips the count', async () => {
    const { issuer } = await start({ trustedProxies: 1 });
    const junk = times(
      500,
      (index) => ['', 'a', `junk${index}`, `${index}`, `1.2.3.${256 + index}`, ','][index % 6] ?? '',
    );
    expect(await letIn(junk.map((value) => loginPost(issuer, { 'X-Forwarded-For': value })))).to.equal(30);
  });

  it('sec-049 an IPv6 network of 64 bits is one source, and an IPv4 address is itself in IPv6 too', async () => {
    const { issuer } = await start({ trustedProxies: 1 });
    const from = (address: string): Promise<Answer> => loginPost(issuer, { 'X-Forwarded-For': address });
    expect(await letIn(times(40, (index) => from(`2001:db8:1:2:${index}::${index}`)))).to.equal(30);
    expect((await from('2001:db8:1:3::1')).status, 'another network').to.equal(400);
    const spellings = ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '0:0:0:0:0:FFFF:C000:0201'];
    expect(await letIn(times(40, (index) => from(spellings[index % 4] ?? '')))).to.equal(30);
  });

  it('every spelling that the router takes for the path is counted', async () => {
    const { issuer } = await start();
    const paths = ['/sign-in/a/login', '/sign-in/b/login/', '/Sign-In/c/LOGIN', '/sign-in/d/login?x=1'];
    expect(await letIn(times(40, (index) => loginPost(issuer, {}, paths[index % 4])))).to.equal(30);
  });

  it('each row of the policy holds', async () => {
    const few = policy.addressLimits.map((limit) => ({ ...limit, points: 3, seconds: 60 }));
    const { issuer } = await start({ trustedProxies: 1, policy: { ...policy, addressLimits: few } });
    const rows = few.flatMap(({ method, paths, name }) => paths.map((path) => ({ method, path, name })));
    for (const [index, { method, path, name }] of rows.entries()) {
      const headers = { 'X-Forwarded-For': `198.51.100.${index}` };
      const form = method === 'POST' ? { body: new URLSearchParams({ x: '1' }) } : {};
      const statuses: number[] = [];
      for (let count = 0; count < 5; count++) {
        statuses.push((await send(issuer + path.replace(':uid', 'nobody'), { method, headers, ...form })).status);
      }
      expect(statuses.slice(0, 3), `${name} ${path}`).not.to.include(429);
      expect(statuses.at(-1), `${name} ${path}`).to.equal(429);
    }
  });

  it('documents, probes and pages are never counted', async () => {
    const few = policy.addressLimits.map((limit) => ({ ...limit, points: 1, seconds: 60 }));
    const { issuer } = await start({ policy: { ...policy, addressLimits: few } });
    for (const path of ['/.well-known/openid-configuration', '/oauth2/jwks', '/health/live', '/health/ready', '/']) {
      for (let count = 0; count < 5; count++) expect((await send(issuer + path)).status, path).to.equal(200);
    }
  });

  it('the answer names the quota and the time, in the form that who asked can read', async () => {
    const few = policy.addressLimits.map((limit) => ({ ...limit, points: 1, seconds: 60 }));
    const { issuer } = await start({ policy: { ...policy, addressLimits: few } });
    await loginPost(issuer);
    await post(issuer, 'token', service, ['acme-ci', ciKey]);
    const [page, problem, oauth] = [
      await loginPost(issuer, { Accept: 'text/html' }),
      await loginPost(issuer),
      await post(issuer, 'token', service, ['acme-ci', ciKey]),
    ];
    for (const { status, headers } of [page, problem, oauth]) {
      expect(status).to.equal(429);
      expect(Number(headers.get('retry-after'))).to.be.within(55, 60);
      expect(headers.get('x-request-id')).to.match(/^[\da-f-]{36}$/);
    }
    expect(page.headers.get('ratelimit-policy')).to.equal('"login";q=1;w=60');
    expect(page.headers.get('ratelimit')).to.equal(`"login";r=0;t=${page.headers.get('retry-after')}`);
    expect(page.text)
      .to.match(/<h1>Too many attempts<\/h1>/)
      .and.match(/Try again in \d\d seconds\./);
    expect(problem.headers.get('content-type')).to.contain('application/problem+json');
    expect(problem.json).to.include({ status: 429, code: 'request.too_many' });
    expect(oauth.json['error']).to.equal('temporarily_unavailable');
    expect(oauth.headers.get('ratelimit-policy')).to.equal('"token";q=1;w=60');
    expect(oauth.headers.get('cache-control')).to.equal('no-store');
  });

  it('clients at one address have a quota each, in any spelling of their id; a client elsewhere has its own', async () => {
    const few = policy.addressLimits.map((limit) => ({ ...limit, points: 4, seconds: 60 }));
    const { issuer } = await start({ trustedProxies: 1, policy: { ...policy, addressLimits: few } });
    const token = (id: string, address = '198.51.100.1'): Promise<Answer> => {
      const credentials = Buffer.from(`${id}:${ciKey}`).toString('base64');
      const headers = { Authorization: `Basic ${credentials}`, 'X-Forwarded-For': address };
      return send(`${issuer}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(service) });
    };
    for (const id of ['acme-ci', '%61cme-ci', 'acme%2Dci', '%61%63%6D%65-ci']) {
      expect((await token(id)).status, id).to.equal(200);
    }
    for (const id of ['acme-ci', 'acme-c%69', '%61cme-ci']) expect((await token(id)).status, id).to.equal(429);
    expect((await token('acme-ci', '198.51.100.2')).status).to.equal(200);
    const web = await post(issuer, 'token', { grant_type: 'refresh_token', refresh_token: 'x' }, ['web', webSecret]);
    expect(web.status).to.equal(400);
  });

  it('a quota is full again after its time', async () => {
    const few = policy.addressLimits.map((limit) => ({ ...limit, points: 1, seconds: 1 }));
    const { issuer } = await start({ policy: { ...policy, addressLimits: few } });
    expect(await letIn(times(5, () => loginPost(issuer)))).to.equal(1);
    const deadline = Date.now() + 5000;
    while ((await loginPost(issuer)).status === 429) expect(Date.now(), 'it stays empty').to.be.lessThan(deadline);
  });

  it('guesses at client secrets are counted by address, whatever client they name; good requests are not', async () => {
    const limits = policy.addressLimits.map((limit) => ({ ...limit, points: limit.counts === 'failures' ? 10 : 1000 }));
    const { issuer } = await start({ trustedProxies: 1, policy: { ...policy, addressLimits: limits } });
    const ask = (credentials: readonly [string, string], address: string): Promise<Answer> => {
      const headers = { Authorization: basic(...credentials), 'X-Forwarded-For': address };
      return send(`${issuer}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(service) });
    };
    for (let count = 0; count < 30; count++) {
      expect((await ask(['acme-ci', ciKey], '198.51.100.1')).status).to.equal(200);
    }
    const statuses: number[] = [];
    for (let count = 0; count < 20; count++) {
      statuses.push((await ask([count % 2 ? 'acme-ci' : `made-up-${count}`, 'a guess'], '198.51.100.1')).status);
    }
    expect(statuses.filter((status) => status === 401)).to.have.length.within(10, 12);
    expect(statuses.slice(-5)).to.deep.equal([429, 429, 429, 429, 429]);
    expect((await ask(['acme-ci', ciKey], '198.51.100.2')).status, 'elsewhere').to.equal(200);
  });

  it('the factor of the operator multiplies them', async () => {
    const { issuer } = await start({ rateLimitFactor: 2 });
    expect(await letIn(times(80, () => loginPost(issuer)))).to.equal(60);
  });
});
