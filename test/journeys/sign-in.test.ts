import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as client from 'openid-client';
import { projectsApi } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';

describe('signing in with a standard client', () => {
  afterEach(closeApps);

  it('a person with one tenant gets tokens that carry it', async () => {
    const { issuer } = await startApp();
    const party = await relyingParty(issuer);
    const { url, finish } = await party.begin({ scope: 'openid profile email tenant projects:read' });

    const { page } = await signIn(issuer, url);
    expect(page.url).to.match(/^http:\/\/localhost:3001\/callback\?/);
    const tokens = await finish(page.url);

    const claims = tokens.claims();
    expect(claims).to.include({
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      email_verified: true,
      tenant_slug: 'acme',
      tenant_type: 'enterprise',
    });
    expect(claims?.['roles']).to.deep.equal(['owner']);
    const access = decodeJwt(tokens.access_token);
    expect(decodeProtectedHeader(tokens.access_token)).to.include({ typ: 'at+jwt', alg: 'ES256' });
    expect(access).to.include({
      iss: issuer,
      aud: projectsApi,
      client_id: 'web',
      tenant_slug: 'acme',
      acr: 'aal1',
      sub: claims?.sub,
    });
    expect(access['amr']).to.deep.equal(['pwd']);
    expect(access['scope']).to.equal('openid profile email tenant projects:read');
    const info = await client.fetchUserInfo(party.configuration, tokens.access_token, claims?.sub ?? '');
    expect(info).to.include({ email: 'ada@example.com', tenant_slug: 'acme' });
  });
});
