import { expect } from 'chai';
import { calculateJwkThumbprint, createRemoteJWKSet, decodeProtectedHeader, exportJWK, jwtVerify } from 'jose';
import * as client from 'openid-client';
import type { PrivateJwk } from '../../src/signing-keys/index.js';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { newKeyPair } from '../support/key-pair.js';

async function newKey(alg: 'ES256' | 'RS256'): Promise<PrivateJwk> {
  const { privateKey } = await newKeyPair(alg);
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' };
}

describe('signing keys', () => {
  afterEach(closeApps);

  it('are swapped while people sign in: what was begun goes on, and the new key signs', async () => {
    const { issuer, app } = await startApp();
    const party = await relyingParty(issuer);
    const begun = await party.begin({ scope: 'openid projects:read' });
    const before = await begun.finish((await signIn(issuer, begun.url)).page.url);
    const pending = await party.begin({ scope: 'openid projects:read' });
    const waiting = await signIn(issuer, pending.url);

    const published = [await newKey('ES256'), await newKey('RS256')];
    app.useSigningKeys(published);
    const after = await pending.finish(waiting.page.url);
    expect(decodeProtectedHeader(after.access_token).kid).to.equal(published[0]?.kid);
    expect(decodeProtectedHeader(before.access_token).kid).not.to.equal(published[0]?.kid);
    const renewed = await client.refreshTokenGrant(party.configuration, before.refresh_token ?? '');
    const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`));
    await jwtVerify(renewed.access_token, keys, { issuer, audience: projectsApi, typ: 'at+jwt' });
  });

  it('of many swaps under load none fails a request', async () => {
    const { issuer, app } = await startApp();
    const { configuration } = await relyingParty(issuer, 'acme-ci', ciKey);
    const keySets = [
      [await newKey('ES256'), await newKey('RS256')],
      [await newKey('ES256'), await newKey('RS256')],
    ];
    let swaps = 0;
    const swapping = setInterval(() => app.useSigningKeys(keySets[swaps++ % 2] ?? []), 5);
    try {
      for (let round = 0; round < 20; round++) {
        await Promise.all(
          Array.from({ length: 5 }, () => client.clientCredentialsGrant(configuration, { resource: projectsApi })),
        );
      }
    } finally {
      clearInterval(swapping);
    }
    expect(swaps).to.be.greaterThan(5);
  });

  it('are never published with their private half, and never those of the library', async () => {
    const { issuer } = await startApp();
    const { keys } = (await (await fetch(`${issuer}/oauth2/jwks`)).json()) as { keys: Record<string, unknown>[] };
    expect(keys.map((key) => key['alg']).sort()).to.deep.equal(['ES256', 'RS256']);
    for (const key of keys) {
      expect(key).to.not.have.any.keys('d', 'p', 'q', 'dp', 'dq', 'qi', 'k');
      expect(key['kid']).to.not.match(/keystore-CHANGE-ME/);
    }
  });
});
