import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, CompactSign, type JWK } from 'jose';
import type { SeedInput } from '../../../src/seeding/index.js';
import { newClientKey, type ClientKey } from '../../support/client-keys.js';
import { contractSeed, projectsApi, redirectUri } from '../../support/contract-seed.js';
import { connect, deviceGrant, startDevice } from '../../support/device.js';
import { closeApps, startApp } from '../../support/start-app.js';
import { authorizeUrl, basic, challenge, codeOf, expectOAuthError, send, verifier, type Answer } from '../requests.js';

const otherRedirectUri = 'http://localhost:3001/other';
const otherVerifier = verifier.replace('a-code', 'b-code');
const names = ['first', 'second'] as const;
type Name = (typeof names)[number];
const secretOf = (name: Name): string => `${name}-s3cret-s3cret-s3cret-s3cret-s3cret`;

/** Two clients that are alike in all but their names and secrets, and two public ones. */
const seed: SeedInput = {
  ...contractSeed,
  clients: [
    ...(contractSeed.clients ?? []),
    ...names.flatMap((name) => {
      const application = {
        redirect_uris: [redirectUri, otherRedirectUri],
        grant_types: ['authorization_code' as const, 'refresh_token' as const, deviceGrant as 'refresh_token'],
        ...{ firstParty: true, resources: [projectsApi] },
      };
      return [
        { ...application, client_id: name, client_secret: secretOf(name) },
        { ...application, client_id: `public-${name}`, token_endpoint_auth_method: 'none' as const },
      ];
    }),
  ],
};

type Members = Record<string, string>;

describe('what was given to one client', function () {
  this.timeout(60_000);
  let issuer: string;
  beforeEach(async () => {
    ({ issuer } = await startApp({ seed }));
  });
  afterEach(closeApps);

  const token = (members: Members, headers: Members = {}): Promise<Answer> =>
    send(`${issuer}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(members) });
  const as = (name: Name, secret = secretOf(name)): Members => ({ Authorization: basic(name, secret) });

  /** Makes the thing for this client, and says how to use it. */
  const things: readonly [what: string, make: (name: Name) => Promise<Members>][] = [
    ['a code', async (name) => redeeming(await codeOf(issuer, { client_id: name }))],
    [
      'a refresh token',
      async (name) => {
        const { json } = await token(redeeming(await codeOf(issuer, { client_id: name })), as(name));
        return { grant_type: 'refresh_token', refresh_token: String(json['refresh_token']) };
      },
    ],
    [
      'a device code',
      async (name) => {
        const device = await startDevice(issuer, {}, [name, secretOf(name)]);
        await connect(issuer, device);
        return { grant_type: deviceGrant, device_code: device.response.device_code };
      },
    ],
  ];

  for (const [what, make] of things) {
    it(`sec-057 ${what} is of use to that client alone, and only when it proves who it is`, async () => {
      for (const owner of names) {
        const thing = await make(owner);
        const [other] = names.filter((name) => name !== owner) as [Name];
        for (const [why, headers, status, error] of [
          ['the other one', as(other), 400, 'invalid_grant'],
          ['the other one with the secret of this one', as(other, secretOf(owner)), 401, 'invalid_client'],
          ['this one with the secret of the other one', as(owner, secretOf(other)), 401, 'invalid_client'],
          ['this one with an empty secret', as(owner, ''), 401, 'invalid_client'],
          // RFC 6749 §5.2 lets a server say either where no client is named at all; the library says this
          ['nobody', {}, 400, 'invalid_request'],
        ] as [string, Members, number, string][]) {
          const answer = await token(thing, headers);
          if (error === 'invalid_client') expect(answer.status, why).to.be.oneOf([400, 401]);
          else expectOAuthError(answer, status, error, `${owner}: ${why}`);
        }
        for (const [members, status, error] of [
          [{ client_id: owner }, 401, 'invalid_client'],
          [{ client_id: other }, 401, 'invalid_client'],
          [{ client_id: `public-${owner}` }, 400, 'invalid_grant'],
          [{ client_id: 'nobody' }, 401, 'invalid_client'],
        ] as [Members, number, string][]) {
          expectOAuthError(await token({ ...thing, ...members }), status, error, JSON.stringify(members));
        }
        const twoNames = await token({ ...thing, client_id: owner }, as(other));
        expectOAuthError(twoNames, 400, 'invalid_request', 'two names');
        const own = await token(thing, as(owner));
        expect(own.status, `none of that used it up: ${own.text}`).to.equal(200);
      }
    });
  }

  it('sec-057 a pushed request is of use to that client alone, and is pushed by nobody else', async () => {
    const push = (name: Name, headers: Members, members: Members = {}): Promise<Answer> =>
      send(`${issuer}/oauth2/par`, {
        ...{ method: 'POST', headers },
        body: new URLSearchParams({
          ...Object.fromEntries(new URL(authorizeUrl(issuer, { client_id: name })).searchParams),
          ...members,
        }),
      });
    for (const owner of names) {
      const [other] = names.filter((name) => name !== owner) as [Name];
      expectOAuthError(await push(owner, as(other)), 400, 'invalid_request', 'by the other one');
      expectOAuthError(await push(owner, {}), 401, 'invalid_client', 'without a secret');
      expectOAuthError(await push(owner, as(owner, secretOf(other))), 401, 'invalid_client', 'with another secret');
      const uri = String((await push(owner, as(owner))).json['request_uri']);
      const open = (client_id: string): Promise<Answer> =>
        send(`${issuer}/oauth2/authorize?${new URLSearchParams({ client_id, request_uri: uri }).toString()}`, {
          headers: { Accept: 'text/html' },
        });
      for (const thief of [other, `public-${owner}`, 'web', 'nobody', '']) {
        const answer = await open(thief);
        expect([answer.status, answer.location], thief).to.deep.equal([400, null]);
        // in the words of one that does not exist
        if (thief !== 'nobody' && thief !== '')
          expect(answer.text, thief).to.contain('request_uri is invalid, expired');
      }
      expect((await open(owner)).location).to.match(/^\/sign-in\//);
    }
  });

  it('sec-057 a code wants client, redirect URI, verifier and key together', async () => {
    const [right, wrong] = [await newClientKey('ES256'), await newClientKey('ES256')];
    const dpop_jkt = await calculateJwkThumbprint(right.jwk as JWK);
    const request = { client_id: 'first', code_challenge: challenge, dpop_jkt };
    let code = await codeOf(issuer, request);
    let refused = 0;
    for (let wrongs = 15; wrongs >= 0; wrongs--) {
      const isWrong = (bit: number): boolean => (wrongs & bit) !== 0;
      const members = {
        ...redeeming(code),
        redirect_uri: isWrong(1) ? otherRedirectUri : redirectUri,
        code_verifier: isWrong(2) ? otherVerifier : verifier,
      };
      const proof = await proofBy(isWrong(4) ? wrong : right, `${issuer}/oauth2/token`);
      const answer = await token(members, { ...as(isWrong(8) ? 'second' : 'first'), DPoP: proof });
      if (wrongs > 0) {
        expectOAuthError(answer, 400, 'invalid_grant', String(wrongs));
        refused++;
        // who proves to be the client and does all but hold the key has used the code up
        if (wrongs === 4) code = await codeOf(issuer, request);
      } else expect(answer.json, answer.text).to.include({ token_type: 'DPoP' });
    }
    expect(refused).to.equal(15);
    code = await codeOf(issuer, request);
    expectOAuthError(await token(redeeming(code), as('first')), 400, 'invalid_grant', 'no key');
  });

  it('sec-057 a refresh token of a public client that is bound to a key wants that key, and that client', async () => {
    const [right, wrong] = [await newClientKey('ES256'), await newClientKey('ES256')];
    const htu = `${issuer}/oauth2/token`;
    const code = await codeOf(issuer, { client_id: 'public-first' });
    const bound = await token({ ...redeeming(code), client_id: 'public-first' }, { DPoP: await proofBy(right, htu) });
    const refresh = { grant_type: 'refresh_token', refresh_token: String(bound.json['refresh_token']) };
    for (const [client_id, key] of [
      ['public-first', wrong],
      ['public-first', null],
      ['public-second', right],
      ['public-second', wrong],
    ] as [string, ClientKey | null][]) {
      const answer = await token({ ...refresh, client_id }, key ? { DPoP: await proofBy(key, htu) } : {});
      expectOAuthError(answer, 400, 'invalid_grant', `${client_id} ${key === right}`);
    }
    const own = await token({ ...refresh, client_id: 'public-first' }, { DPoP: await proofBy(right, htu) });
    expect(own.json, own.text).to.include({ token_type: 'DPoP' });
  });
});

function redeeming(code: string): Members {
  return { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
}

function proofBy({ jwk, privateKey }: ClientKey, htu: string): Promise<string> {
  const claims = { jti: randomUUID(), iat: Math.floor(Date.now() / 1000), htm: 'POST', htu };
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: jwk as JWK })
    .sign(privateKey);
}
