// Access tokens that are bound to a certificate (RFC 8705 §3): what they open with it, and that they open nothing without.
import { expect } from 'chai';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet } from 'jose';
import * as client from 'openid-client';
import { createVerifier } from '../../src/verifier/index.js';
import { tenantIdOf } from '../support/administered.js';
import { makeAuthority, type Authority } from '../support/authority.js';
import { browser } from '../support/browser.js';
import { thumbprintOf, type Identity } from '../support/client-certificates.js';
import { ada, projectsApi } from '../support/contract-seed.js';
import { fetchTrusting } from '../support/fetch-trusting.js';
import { refusalOf } from '../support/refusal-of.js';
import { relyingParty, signIn, type RelyingParty, type Tokens } from '../support/relying-party.js';
import { closeApps, type RunningApp } from '../support/start-app.js';
import { closeTlsFronts } from '../support/tls-front.js';
import { requireTool } from '../support/tools.js';
import { tokenExchange } from '../support/two-tenants.js';
import { answerOf, behindProxy, direct, makeCertificates, postAs, seedFor, type Certificates } from './mtls-roads.js';
import { expectOAuthError, type Answer } from './requests.js';

for (const road of [direct, behindProxy]) {
  describe(`tokens that are bound to a certificate, ${road.name}`, () => {
    let host: Authority;
    let made: Certificates;
    let running: RunningApp;
    let others: readonly (Identity | undefined)[];

    before(function () {
      if (requireTool('openssl') === undefined) return this.skip();
      host = makeAuthority();
      made = makeCertificates();
      others = [undefined, made.nextJob, made.own, made.expired];
    });
    beforeEach(async () => {
      running = await road.start(host, made.authority, { seed: seedFor(made) });
    });
    afterEach(async () => {
      await closeTlsFronts();
      await closeApps();
    });

    /** A standard client that knows the issuer, its id and its certificate. */
    const party = (clientId: string, identity = made.job): Promise<RelyingParty> =>
      relyingParty(running.issuer, clientId, client.TlsClientAuth(), fetchTrusting(host.certificate, identity));

    async function tokensOfAda(by: RelyingParty, scope: string): Promise<Tokens> {
      const begun = await by.begin({ scope, tenant: 'acme' });
      const visitor = browser(running.issuer, fetchTrusting(host.certificate));
      return begun.finish((await signIn(running.issuer, begun.url, ada, visitor)).page.url);
    }

    const get = async (path: string, token: string, identity?: Identity): Promise<Answer> =>
      answerOf(
        await fetchTrusting(host.certificate, identity)(running.issuer + path, {
          headers: { Authorization: `Bearer ${token}` },
        }),
      );

    it('an OpenID client signs a person in, renews, and reads userinfo with nothing but its certificate', async () => {
      const app = await party('by-dn-app');
      const tokens = await tokensOfAda(app, 'openid profile email offline_access');
      const subject = tokens.claims()?.sub ?? '';
      const info = await client.fetchUserInfo(app.configuration, tokens.access_token, subject);
      expect(info.email).to.equal(ada.email);
      const renewed = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '');
      expect((await get('/oauth2/userinfo', renewed.access_token, made.job)).status).to.equal(200);
      expect((await get('/oauth2/userinfo', renewed.access_token)).status).to.equal(401);
    });

    it('userinfo refuses a stolen token, whatever certificate comes with it', async () => {
      const { access_token: token } = await tokensOfAda(await party('by-dn-app'), 'openid profile');
      expect((await get('/oauth2/userinfo', token, made.job)).status).to.equal(200);
      for (const identity of others) {
        const answer = await get('/oauth2/userinfo', token, identity);
        expect(answer.status).to.equal(401);
        expect(answer.headers.get('www-authenticate')).to.contain('invalid_token');
      }
    });

    it('an exchange takes a token with its certificate alone, and gives one that is bound to the same', async () => {
      const { access_token: token } = await tokensOfAda(await party('by-dn-app'), 'openid tenant projects:read');
      const members = {
        ...{ grant_type: tokenExchange, client_id: 'by-dn-app', subject_token: token, tenant: 'beta' },
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      };
      const exchange = (identity: Identity): Promise<Answer> =>
        postAs(`${running.issuer}/oauth2/token`, members, { host, identity });
      const answer = await exchange(made.job);
      expect(answer.status, answer.text).to.equal(200);
      const { cnf, tenant_slug: tenant } = decodeJwt(String(answer.json['access_token']));
      expect({ cnf, tenant }).to.deep.equal({ cnf: { 'x5t#S256': thumbprintOf(made.job) }, tenant: 'beta' });
      // the client proves itself with its next certificate; the token is of the one before
      expectOAuthError(await exchange(made.nextJob), 400, 'invalid_grant');
    });

    it('the management API takes one with its certificate alone', async () => {
      const { configuration } = await party('by-dn');
      const resource = `${running.issuer}/api`;
      const { access_token: token } = await client.clientCredentialsGrant(configuration, { resource });
      const path = `/api/v1/tenants/${await tenantIdOf(running, 'acme')}/service-accounts`;
      expect((await get(path, token, made.job)).status).to.equal(200);
      for (const identity of others) {
        const answer = await get(path, token, identity);
        expect(answer.status).to.equal(401);
        expect(answer.headers.get('www-authenticate')).to.contain('invalid_token');
      }
    });

    it('the verifier of an API takes one with its certificate alone', async () => {
      const { configuration } = await party('by-dn');
      const { access_token: token } = await client.clientCredentialsGrant(configuration, { resource: projectsApi });
      const keys = await fetchTrusting(host.certificate)(`${running.issuer}/oauth2/jwks`);
      const verifier = createVerifier({
        ...{ issuer: running.issuer, audience: projectsApi },
        keys: createLocalJWKSet((await keys.json()) as JSONWebKeySet),
      });
      const request = { method: 'GET', url: 'https://api.example.com/', authorization: `Bearer ${token}` };
      const shown = (identity?: Identity): object => (identity ? { clientCertificate: thumbprintOf(identity) } : {});
      expect((await verifier.verify({ ...request, ...shown(made.job) })).subject).to.equal('by-dn');
      for (const identity of others)
        expect(await refusalOf(verifier.verify({ ...request, ...shown(identity) }))).to.match(/^401 invalid_token/);
    });

    it('introspection tells an API to which certificate a token is bound', async () => {
      const { configuration } = await party('by-dn');
      const { access_token: token } = await client.clientCredentialsGrant(configuration, { resource: projectsApi });
      const answer = await client.tokenIntrospection(configuration, token);
      expect(answer.active).to.equal(true);
      expect(answer.cnf).to.deep.equal({ 'x5t#S256': thumbprintOf(made.job) });
    });
  });
}
