import { expect } from 'chai';
import { projectsApi, webSecret } from '../../support/contract-seed.js';
import { signIn } from '../../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret } from '../../support/two-tenants.js';
import { endpoints, openStage } from '../endpoints.js';
import { authorizeUrl, post, redeem, send, tokensOf, type Answer } from '../requests.js';
import { ask } from './ask.js';
import { cachingOf } from './sound.js';

const clients = {
  web: webSecret,
  rs: webSecret,
  plain: thirdPartySecret,
  'third-party': thirdPartySecret,
  'globex-app': thirdPartySecret,
} as const;
type ClientId = keyof typeof clients;

describe('an answer to one', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  const introspect = (token: string, clientId: ClientId): Promise<Answer> =>
    post(issuer, 'introspect', { token }, [clientId, clients[clientId]]);

  async function tokenFor(clientId: ClientId, changes: Record<string, string>): Promise<string> {
    const { page } = await signIn(issuer, authorizeUrl(issuer, { client_id: clientId, ...changes }), consultant);
    const code = new URL(page.url).searchParams.get('code') ?? '';
    return String((await redeem(issuer, code, {}, [clientId, clients[clientId]])).json['access_token']);
  }

  it('sec-037 is not what another one is told of the same token, however they interleave', async () => {
    const scope = 'openid tenant projects:read';
    const tokens = {
      mine: (await tokensOf(issuer, { scope })).access_token,
      atAcme: await tokenFor('web', { scope: `${scope} projects:write`, tenant: 'acme' }),
      atGlobex: await tokenFor('web', { scope, tenant: 'globex' }),
      opaque: await tokenFor('plain', { scope: 'openid tenant', tenant: 'globex' }),
      ofGlobex: await tokenFor('globex-app', { scope: 'openid tenant' }),
    };
    const mayKnow: Record<keyof typeof tokens, ClientId[]> = {
      ...{ mine: ['web', 'rs'], atAcme: ['web', 'rs'], atGlobex: ['web', 'rs'] },
      ...{ opaque: ['plain'], ofGlobex: ['globex-app'] },
    };
    const expected = new Map<string, string>();
    const pairs = Object.keys(tokens).flatMap((name) =>
      Object.keys(clients).map((clientId) => [name as keyof typeof tokens, clientId as ClientId] as const),
    );
    for (const [name, clientId] of pairs) {
      const { text, json } = await introspect(tokens[name], clientId);
      if (mayKnow[name].includes(clientId)) expect(json, `${name} ${clientId}`).to.include({ active: true });
      else expect(text, `${name} ${clientId}`).to.equal('{"active":false}');
      expected.set(`${name} ${clientId}`, text);
    }
    const rounds = Array.from({ length: 4 }, (_, round) => (round % 2 === 0 ? pairs : [...pairs].reverse())).flat();
    await Promise.all(
      rounds.map(async ([name, clientId]) => {
        const { text } = await introspect(tokens[name], clientId);
        expect(text, `${name} ${clientId}`).to.equal(expected.get(`${name} ${clientId}`));
      }),
    );
    const told = (name: keyof typeof tokens): Record<string, unknown> =>
      JSON.parse(expected.get(`${name} web`) ?? '') as Record<string, unknown>;
    expect(told('atAcme')).to.include({ tenant_slug: 'acme', scope: `${scope} projects:write`, aud: projectsApi });
    expect(told('atGlobex')['tenant_slug']).to.equal('globex');
    expect(told('atGlobex')['scope']).not.to.contain('projects:write');
    expect(told('atAcme')['sub']).to.equal(told('atGlobex')['sub']);
  });

  it('sec-037 is not kept for another: no validators, no parts, no answer from before', async () => {
    const stage = await openStage(running);
    for (const endpoint of endpoints) {
      const why = `${endpoint.method} ${endpoint.path}`;
      const right = await endpoint.request(stage);
      const conditions = {
        ...{ 'If-None-Match': '*', 'If-Modified-Since': new Date().toUTCString(), Range: 'bytes=0-3' },
        ...{ 'Cache-Control': 'only-if-cached, max-stale=99999', Pragma: 'x' },
      };
      const answer = await ask(stage, endpoint, { ...right, headers: { ...right.headers, ...conditions } });
      const { caching } = cachingOf(endpoint, answer.status);
      expect(answer.status, why).to.be.oneOf(caching === undefined ? [200, 201, 204, 303] : [200, 204, 304]);
      expect(answer.headers.get('cache-control'), why).to.equal(caching ?? 'no-store');
      if (caching !== undefined) continue;
      for (const name of ['etag', 'last-modified', 'age', 'expires', 'content-range', 'accept-ranges']) {
        expect(answer.headers.get(name), `${why} ${name}`).to.equal(null);
      }
    }
  });

  it('sec-037 is made for the person who asks: two people at userinfo and on the pages', async () => {
    const ada = await tokensOf(issuer, { scope: 'openid email' });
    const other = await tokenFor('web', { scope: 'openid email', tenant: 'acme' });
    const mailOf = async (token: string): Promise<unknown> =>
      (await send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${token}` } })).json['email'];
    const asked = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? ada.access_token : other));
    const mails = await Promise.all(asked.map(mailOf));
    expect(mails).to.deep.equal(asked.map((token) => (token === other ? consultant.email : 'ada@example.com')));
  });
});
