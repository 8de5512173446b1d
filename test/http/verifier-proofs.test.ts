// Tokens that are bound to a key (RFC 9449) or a certificate (RFC 8705), as an API checks them.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer, request as nodeRequest, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { base64url } from 'jose';
import * as client from 'openid-client';
import type { AccessRefused } from '../../src/verifier/index.js';
import { createVerifier, presentedRequest, type Verifier } from '../../src/verifier/index.js';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { dpopSender, type DpopSender, type ProofDraft } from '../support/dpop-sender.js';
import { refusalOf } from '../support/refusal-of.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { tinyIssuer, type TinyIssuer } from '../support/tiny-issuer.js';

const here = { method: 'GET', url: 'https://api.example.com/projects' };
const expectRefusal = (answer: string, why: string): void =>
  void expect(answer, why).to.match(/^401 invalid_dpop_proof: /);

describe('the verifier and bound tokens', () => {
  let app: RunningApp;
  let verifier: Verifier;
  let sender: DpopSender;
  let token: string;

  beforeEach(async () => {
    app = await startApp();
    verifier = createVerifier({ issuer: app.issuer, audience: projectsApi });
    sender = await dpopSender();
    token = await serviceToken(sender);
  });
  afterEach(closeApps);

  async function serviceToken(by: DpopSender | null): Promise<string> {
    const endpoint = `${app.issuer}/oauth2/token`;
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${Buffer.from(`acme-ci:${ciKey}`).toString('base64')}`,
        ...(by ? { DPoP: await by.proof({ method: 'POST', url: endpoint }) } : {}),
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: projectsApi, scope: 'projects:read' }),
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  }

  const send = (dpop: string | string[] | undefined, authorization = `DPoP ${token}`, by = verifier): Promise<string> =>
    refusalOf(by.verify({ ...here, authorization, dpop }));
  const sendDraft = async (draft: ProofDraft): Promise<string> => send(await sender.proof(here, token, draft));

  it('a proof by the key of the token is accepted, whatever kind of key that is', async () => {
    expect(await send(await sender.proof(here, token))).to.equal('accepted');
    for (const alg of ['EdDSA', 'RS256', 'PS256']) {
      const other = await dpopSender(alg);
      const bound = await serviceToken(other);
      expect(await send(await other.proof(here, bound), `dpop ${bound}`), alg).to.equal('accepted');
    }
  });

  it('a bound token as Bearer is refused, and one that is not bound as DPoP', async () => {
    const proof = await sender.proof(here, token);
    expect(await send(proof, `Bearer ${token}`)).to.match(/^401 invalid_token: the token is bound to a key/);
    const free = await serviceToken(null);
    const proofOfFree = await sender.proof(here, free);
    expect(await send(proofOfFree, `DPoP ${free}`)).to.match(/^401 invalid_token: the token is not bound/);
    expect(await send(undefined, `Bearer ${free}`)).to.equal('accepted');
  });

  it('another key is refused, also when it proves everything else', async () => {
    const thief = await dpopSender();
    expect(await send(await thief.proof(here, token))).to.match(
      /^401 invalid_token: the token is bound to another key/,
    );
    const pretending = await thief.proof(here, token, { header: { jwk: sender.publicKey } });
    expectRefusal(await send(pretending), 'signed by one key and naming another');
  });

  it('there is exactly one proof', async () => {
    const [one, two] = [await sender.proof(here, token), await sender.proof(here, token)];
    const wrong: (string | string[] | undefined)[] = [undefined, '', [], [one, two], [one, one], `${one}, ${two}`];
    for (const dpop of [...wrong, 'x', `${one}.x`, ` ${one}`, `${one}=`, 'a.b.c'])
      expectRefusal(await send(dpop), String(dpop));
    expect(await send([one])).to.equal('accepted');
  });

  it('a proof is of its kind, and names a public key', async () => {
    const headers: Record<string, unknown>[] = [
      { typ: 'JWT' },
      { typ: undefined },
      { jwk: undefined },
      { jwk: null },
      { jwk: sender.privateJwk },
      { jwk: { kty: 'oct', k: 'c2VjcmV0' } },
      { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } },
      { jwk: { ...sender.publicKey, x: 'AAAA' } },
    ];
    for (const header of headers) expectRefusal(await sendDraft({ header }), JSON.stringify(header));
    const [, claims = '', signature = ''] = (await sender.proof(here, token)).split('.');
    for (const alg of ['none', 'HS256', 'ES384']) {
      const head = base64url.encode(JSON.stringify({ alg, typ: 'dpop+jwt', jwk: sender.publicKey }));
      expectRefusal(await send(`${head}.${claims}.${signature}`), alg);
    }
  });

  it('a proof is for this method, this address and this token', async () => {
    const wrong: Record<string, unknown>[] = [
      ...['POST', 'get', '', undefined].map((htm) => ({ htm })),
      ...['http://api.example.com/projects', 'https://api.example.org/projects', 'https://api.example.com:444/projects']
        .concat('https://api.example.com/projects/', 'https://api.example.com/Projects', '/projects', '')
        .map((htu) => ({ htu })),
      ...[undefined, 7, ['https://api.example.com/projects']].map((htu) => ({ htu })),
      ...[undefined, '', createHash('sha256').update('another token').digest('base64url')].map((ath) => ({ ath })),
      ...[undefined, '', 7].map((jti) => ({ jti })),
    ];
    for (const claims of wrong) expectRefusal(await sendDraft({ claims }), JSON.stringify(claims));
    const same = { htu: 'HTTPS://API.example.com:443/a/../%70rojects?x=1#y' };
    expect(await sendDraft({ claims: same })).to.equal('accepted');
    const asked = { ...here, url: `${here.url}?page=2`, authorization: `DPoP ${token}` };
    const dpop = await sender.proof(here, token);
    expect(await refusalOf(verifier.verify({ ...asked, dpop }))).to.equal('accepted');
    const nowhere = { ...asked, url: '', dpop: await sender.proof({ ...here, url: '' }, token) };
    expectRefusal(await refusalOf(verifier.verify(nowhere)), 'an address that is none');
  });

  it('a proof is recent', async () => {
    const second = Math.floor(Date.now() / 1000);
    const now = () => new Date(second * 1000);
    const dated = createVerifier({ issuer: app.issuer, audience: projectsApi, proofWindowSeconds: 60, now });
    const sendAt = async (iat: unknown): Promise<string> =>
      send(await sender.proof(here, token, { claims: { iat } }), undefined, dated);
    for (const good of [second - 60, second, second + 60]) expect(await sendAt(good)).to.equal('accepted');
    for (const bad of [second - 61, second + 61, undefined, String(second), null, 1e300])
      expectRefusal(await sendAt(bad), String(bad));
  });

  it('a proof is used once, as long as it is recent', async () => {
    let nowMs = Date.now();
    const timed = createVerifier({ issuer: app.issuer, audience: projectsApi, now: () => new Date(nowMs) });
    const claims = { iat: Math.floor(nowMs / 1000) + 60, jti: randomUUID() };
    const proof = await sender.proof(here, token, { claims });
    expect(await send(proof, undefined, timed)).to.equal('accepted');
    const again = await sender.proof(here, token, { claims });
    for (const waitedMs of [0, 60_000, 119_000]) {
      nowMs = claims.iat * 1000 - 60_000 + waitedMs;
      for (const dpop of [proof, again])
        expect(await send(dpop, undefined, timed)).to.equal('401 invalid_dpop_proof: the proof was used before');
    }
    const other = await dpopSender();
    const bound = await serviceToken(other);
    const sameId = await other.proof(here, bound, { claims });
    expect(await send(sameId, `DPoP ${bound}`, timed)).to.equal('accepted');
  });

  it('of fifty uses of one proof at once exactly one is accepted', async () => {
    const proof = await sender.proof(here, token);
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(proof)));
    expect(answers.filter((answer) => answer === 'accepted')).to.have.length(1);
    expect(answers.filter((answer) => answer.endsWith('the proof was used before'))).to.have.length(49);
  });

  it('what was refused for another reason is not used up', async () => {
    const jti = randomUUID();
    expectRefusal(await sendDraft({ claims: { jti, htm: 'POST' } }), 'another method');
    expect(await sendDraft({ claims: { jti } })).to.equal('accepted');
  });

  it('when no more proofs can be remembered, or the shared memory fails, nothing is accepted', async () => {
    const options = { issuer: app.issuer, audience: projectsApi };
    const small = createVerifier({ ...options, proofCapacity: 2 });
    const answers = [];
    for (let count = 0; count < 3; count++) answers.push(await send(await sender.proof(here, token), undefined, small));
    expect(answers).to.deep.equal(['accepted', 'accepted', 'unavailable']);
    const claimProof = () => Promise.reject(new Error('connection lost'));
    const failing = createVerifier({ ...options, claimProof });
    expect(await send(await sender.proof(here, token), undefined, failing)).to.equal('unavailable');
  });

  it('processes that share the memory of proofs accept one between them', async () => {
    const claimed = new Set<string>();
    const claimProof = async (proofId: string) => !claimed.has(proofId) && claimed.add(proofId).has(proofId);
    const [left, right] = [1, 2].map(() => createVerifier({ issuer: app.issuer, audience: projectsApi, claimProof }));
    const proof = await sender.proof(here, token);
    expect(await send(proof, undefined, left)).to.equal('accepted');
    expect(await send(proof, undefined, right)).to.match(/used before$/);
  });

  describe('over HTTP', () => {
    let api: Server;
    let origin: string;

    beforeEach(async () => {
      api = createServer((req, res) => {
        verifier.verify(presentedRequest(req, origin)).then(
          ({ subject }) => res.end(subject),
          (error: AccessRefused) => res.writeHead(error.status, { 'WWW-Authenticate': error.wwwAuthenticate }).end(),
        );
      }).listen(0, '127.0.0.1');
      await once(api, 'listening');
      origin = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    });
    afterEach(() => api.close());

    async function statusOf(headers: string[], path = '/'): Promise<number | undefined> {
      const sent = nodeRequest(`${origin}/`, { path, headers, agent: false }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode;
    }

    it('a standard client gets through, and understands a refusal', async () => {
      const { configuration } = await relyingParty(app.issuer, 'acme-ci', ciKey);
      const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'));
      const bound = await client.clientCredentialsGrant(configuration, { resource: projectsApi }, { DPoP });
      const call = (accessToken: string, options?: client.DPoPOptions): Promise<Response> => {
        const url = new URL(`${origin}/projects?page=1`);
        return client.fetchProtectedResource(configuration, accessToken, url, 'GET', null, undefined, options);
      };
      const answer = await call(bound.access_token, { DPoP });
      expect([answer.status, await answer.text()]).to.deep.equal([200, 'acme-ci']);
      const refusal: unknown = await call(bound.access_token).catch((error: unknown) => error);
      if (!(refusal instanceof client.WWWAuthenticateChallengeError)) throw new Error('no challenge was understood');
      expect(refusal.cause.map(({ scheme }) => scheme)).to.deep.equal(['bearer', 'dpop']);
      expect(refusal.cause[0]?.parameters).to.include({ error: 'invalid_token' });
    });

    it('headers that come twice, and targets with an origin of their own, are refused', async () => {
      const free = ['Authorization', `Bearer ${await serviceToken(null)}`];
      expect(await statusOf(['Host', 'x', ...free])).to.equal(200);
      expect(await statusOf(['Host', 'x', ...free, ...free])).to.equal(401);
      const proofFor = (url: string): Promise<string> => sender.proof({ method: 'GET', url }, token);
      const headers = ['Host', 'evil.example', 'Authorization', `DPoP ${token}`];
      const good = ['DPoP', await proofFor(`${origin}/`)];
      expect(await statusOf([...headers, ...good, 'DPoP', await proofFor(`${origin}/`)])).to.equal(401);
      expect(await statusOf([...headers, ...good])).to.equal(200);
      expect(await statusOf([...headers, 'DPoP', await proofFor('http://evil.example/')])).to.equal(401);
      for (const path of ['http://evil.example/', '//evil.example/'])
        expect(await statusOf([...headers, 'DPoP', await proofFor('http://evil.example/')], path), path).to.equal(401);
    });
  });
});

describe('the verifier and tokens that are bound to a certificate', () => {
  let tiny: TinyIssuer;
  const certificate = randomBytes(700);
  const thumbprint = createHash('sha256').update(certificate).digest('base64url');
  before(async () => (tiny = await tinyIssuer()));
  after(() => tiny.close());

  async function answerTo(cnf: unknown, clientCertificate?: Uint8Array | string): Promise<string> {
    const verifier = createVerifier({ issuer: tiny.issuer, audience: projectsApi });
    const authorization = `Bearer ${await tiny.sign({ cnf })}`;
    return refusalOf(verifier.verify({ ...here, authorization, clientCertificate }));
  }

  it('want that certificate, as DER or as its thumbprint', async () => {
    const cnf = { 'x5t#S256': thumbprint };
    expect(await answerTo(cnf, certificate)).to.equal('accepted');
    expect(await answerTo(cnf, thumbprint)).to.equal('accepted');
    for (const other of [undefined, '', randomBytes(700), thumbprint.toLowerCase(), new Uint8Array()])
      expect(await answerTo(cnf, other)).to.equal('401 invalid_token: the token is bound to another certificate');
    expect(await answerTo(undefined, certificate)).to.equal('accepted');
  });

  it('want the key too when they are bound to both', async () => {
    const sender = await dpopSender();
    const jkt = await client.calculatePKCECodeChallenge(
      JSON.stringify({ crv: 'P-256', kty: 'EC', x: sender.publicKey.x, y: sender.publicKey.y }),
    );
    const cnf = { jkt, 'x5t#S256': thumbprint };
    expect(await answerTo(cnf, certificate)).to.match(/^401 invalid_token: the token is bound to a key/);
    const verifier = createVerifier({ issuer: tiny.issuer, audience: projectsApi });
    const token = await tiny.sign({ cnf });
    const answer = async (clientCertificate: Uint8Array): Promise<string> => {
      const dpop = await sender.proof(here, token);
      return refusalOf(verifier.verify({ ...here, authorization: `DPoP ${token}`, dpop, clientCertificate }));
    };
    expect(await answer(randomBytes(700))).to.match(/bound to another certificate$/);
    expect(await answer(certificate)).to.equal('accepted');
  });

  it('a binding that is not understood is not taken for none', async () => {
    for (const cnf of [null, {}, [], 'x', { kid: 'x' }, { jkt: 7 }, { jkt: '' }, { 'x5t#S256': thumbprint, jwk: {} }])
      expect(await answerTo(cnf, certificate), JSON.stringify(cnf)).to.match(/^401 invalid_token: (?:cnf|jkt) /);
  });
});
