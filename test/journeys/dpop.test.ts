import { expect } from 'chai';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { relyingParty, signIn } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';

describe('sender-constrained tokens (DPoP, RFC 9449)', () => {
  afterEach(closeApps);

  it('are bound to the key at token and userinfo endpoint; another key is refused', async () => {
    const { issuer } = await startApp();
    const party = await relyingParty(issuer);
    const DPoP = client.getDPoPHandle(party.configuration, await client.randomDPoPKeyPair('ES256'));
    const begun = await party.begin({ scope: 'openid email projects:read' });
    const { page } = await signIn(issuer, begun.url);
    const tokens = await begun.finish(page.url, { DPoP });
    expect(tokens.token_type).to.equal('dpop');
    expect(decodeJwt(tokens.access_token)['cnf']).to.have.property('jkt');

    const { sub } = tokens.claims() ?? { sub: '' };
    const info = await client.fetchUserInfo(party.configuration, tokens.access_token, sub, { DPoP });
    expect(info.email).to.equal('ada@example.com');
    const other = client.getDPoPHandle(party.configuration, await client.randomDPoPKeyPair('ES256'));
    const refused = await client.fetchUserInfo(party.configuration, tokens.access_token, sub, { DPoP: other }).then(
      () => 'accepted',
      () => 'refused',
    );
    expect(refused).to.equal('refused');
    const asBearer = await fetch(`${issuer}/oauth2/userinfo`, {
      headers: { Authorization: `Bearer ${tokens.access_token}` },
    });
    expect(asBearer.status).to.equal(401);
  });
});
