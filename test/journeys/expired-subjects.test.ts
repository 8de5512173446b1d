import { expect } from 'chai';
import { calculateJwkThumbprint, decodeJwt, exportJWK, importJWK, SignJWT, type JWTPayload } from 'jose';
import * as client from 'openid-client';
import type { PrivateJwk } from '../../src/signing-keys/index.js';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { relyingParty, signIn, type RelyingParty } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret, tokenExchange } from '../support/two-tenants.js';
import { newKeyPair } from '../support/key-pair.js';

const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const seed = {
  ...seedWithTwoTenants,
  clients: (seedWithTwoTenants.clients ?? []).map((each) =>
    each.client_id === 'switcher' ? { ...each, actors: ['acme-ci'] } : each,
  ),
};

async function newKey(alg: 'ES256' | 'RS256'): Promise<PrivateJwk> {
  const { privateKey } = await newKeyPair(alg);
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' };
}

describe('sec-063 tokens that are shown for an exchange', () => {
  let running: RunningApp;
  let party: RelyingParty;
  let key: PrivateJwk;
  beforeEach(async () => {
    running = await startApp({ seed });
    key = await newKey('ES256');
    running.app.useSigningKeys([key, await newKey('RS256')]);
    party = await relyingParty(running.issuer, 'switcher', thirdPartySecret);
  });
  afterEach(closeApps);

  /** The server's own token with other claims, signed by the server's own key. */
  async function changed(token: string, claims: JWTPayload): Promise<string> {
    const signed = new SignJWT({ ...decodeJwt(token), ...claims });
    signed.setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'at+jwt' });
    return signed.sign(await importJWK(key, 'ES256'));
  }
  const exchange = (parameters: Record<string, string>): Promise<string> =>
    client
      .genericGrantRequest(party.configuration, tokenExchange, { subject_token_type: accessToken, ...parameters })
      .then(
        () => 'given',
        (error: { error?: string }) => String(error.error),
      );
  const hourAgo = (): number => Math.floor(Date.now() / 1000) - 3600;

  it('are refused once they have expired, or when nobody shows the certificate that they are bound to, as subject and as actor', async () => {
    const begun = await party.begin({ scope: 'openid projects:read', tenant: 'globex' });
    const visit = await signIn(running.issuer, begun.url, consultant);
    const { access_token: subject } = await begun.finish(visit.page.url);
    const service = await relyingParty(running.issuer, 'acme-ci', ciKey);
    const { access_token: actor } = await client.clientCredentialsGrant(service.configuration, {
      resource: projectsApi,
    });

    const bound = { cnf: { 'x5t#S256': 'x'.repeat(43) } };
    const acting = { tenant: 'acme', actor_token_type: accessToken };
    expect(await exchange({ tenant: 'acme', subject_token: await changed(subject, {}) }), 'as it is').to.equal('given');
    expect(await exchange({ ...acting, subject_token: subject, actor_token: await changed(actor, {}) })).to.equal(
      'given',
    );
    for (const claims of [{ exp: hourAgo() }, { nbf: hourAgo() + 7200 }, { iss: 'https://other.example' }, bound]) {
      const subjectToken = await changed(subject, claims);
      expect(await exchange({ tenant: 'acme', subject_token: subjectToken }), JSON.stringify(claims)).to.equal(
        'invalid_grant',
      );
      const actorToken = await changed(actor, claims);
      expect(await exchange({ ...acting, subject_token: subject, actor_token: actorToken })).to.equal('invalid_grant');
    }
  });
});
