import { expect } from 'chai';
import { ada, ciKey, projectsApi, redirectUri, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret } from '../support/two-tenants.js';
import { dump } from './dump.js';
import { codeOf, post, redeem, refreshing, tokensOf } from './requests.js';

describe('what is stored', () => {
  afterEach(closeApps);

  it('sec-077 no password, secret, token, address or name of a person stands anywhere in the database', async () => {
    const { issuer, database } = await startApp({
      seed: {
        ...seedWithTwoTenants,
        users: (seedWithTwoTenants.users ?? []).map((user) => ({
          ...user,
          name: 'Ada Lovelace',
          ...{
            givenName: 'Ada-given-name',
            familyName: 'Lovelace-family-name',
            locale: 'fy-NL',
            zoneinfo: 'Europe/Busingen',
          },
        })),
      },
    });
    const scope = 'openid profile email tenant offline_access projects:read';
    const code = await codeOf(issuer, { scope, nonce: 'canary-nonce-of-the-request', login_hint: ada.email });
    const tokens = (await redeem(issuer, code)).json as unknown as Record<string, string> & { refresh_token: string };
    const renewed = (await post(issuer, 'token', refreshing(tokens), ['web', webSecret])).json;
    const pending = await codeOf(issuer, { state: 'canary-state-of-the-request' });
    const opaque = (await post(issuer, 'token', { grant_type: 'client_credentials' }, ['acme-ci', ciKey])).json;
    const pushed = await post(
      issuer,
      'par',
      {
        client_id: 'web',
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid',
        login_hint: ada.email,
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      },
      ['web', webSecret],
    );
    expect(pushed.status, pushed.text).to.equal(201);
    await post(issuer, 'revoke', { token: String(renewed['access_token']) }, ['web', webSecret]);

    const stored = await dump(database);
    expect(Object.keys(stored)).to.include.members([
      'users',
      'passwords',
      'clients',
      'api_keys',
      'events',
      'signing_keys',
    ]);
    const text = JSON.stringify(stored);
    const decoded = text.replace(/[\w-]{16,}={0,2}/g, (part) => Buffer.from(part, 'base64url').toString('latin1'));
    const canaries = [
      ...[
        ada.email,
        ada.password,
        consultant.email,
        consultant.password,
        'Lovelace',
        'Ada-given-name',
        'fy-NL',
        'Busingen',
      ],
      ...[webSecret, thirdPartySecret, ciKey, code, pending, tokens.refresh_token, tokens['id_token'] ?? '-'],
      ...[tokens['access_token'] ?? '-', String(renewed['refresh_token']), String(opaque['access_token'])],
      ...[
        String(pushed.json['request_uri']).split(':').at(-1) ?? '-',
        'canary-state-of-the-request',
        'canary-nonce-of-the-request',
      ],
    ];
    for (const canary of canaries) {
      expect(canary).to.have.length.greaterThan(4);
      expect(text.includes(canary), `${canary} in the database`).to.be.false;
      expect(decoded.includes(canary), `${canary} in base64`).to.be.false;
      expect(text.includes(Buffer.from(canary).toString('base64url').slice(0, -2)), `${canary} as base64`).to.be.false;
    }
    expect(text).not.to.match(/"d":|"p":|"PRIVATE KEY/);
    expect(projectsApi.length > 0 && text.includes(projectsApi), 'the dump does hold what may be read').to.be.true;
  });

  it('sec-077 what a log says of a sign-in names neither person nor credential', async () => {
    const { issuer, logLines } = await startApp();
    const tokens = await tokensOf(issuer);
    await post(issuer, 'token', { grant_type: 'client_credentials' }, [
      'acme-ci',
      'sk_wrong-wrong-wrong-wrong-wrong-wrong',
    ]);
    const text = logLines.join('');
    expect(logLines.length).to.be.greaterThan(4);
    for (const canary of [ada.email, ada.password, webSecret, 'sk_wrong', tokens.access_token, tokens.refresh_token]) {
      expect(text.includes(canary), canary).to.be.false;
    }
    expect(logLines.map((line) => JSON.parse(line) as object)).to.have.length(logLines.length);
  });
});
