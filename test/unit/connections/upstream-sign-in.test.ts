import { expect } from 'chai';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { connectionFrom } from '../../../src/connections/draft.js';
import type { Connection, UpstreamPerson } from '../../../src/connections/connection.js';
import { testConnection } from '../../../src/connections/test-connection.js';
import { upstreamClients, type UpstreamClients } from '../../../src/connections/upstream-client.js';
import { upstreamSignIn, type UpstreamResult } from '../../../src/connections/upstream-sign-in.js';
import { createLogger } from '../../../src/platform/log/logger.js';
import type { OneTimeRecords } from '../../../src/platform/mongo/one-time-records.js';
import { draftFrom, type ConnectionPart } from '../../../src/platform/schemas/connection.js';
import { connectionPresets } from '../../../config/connection-presets.js';
import { newKeyPair } from '../../support/key-pair.js';

const at = new Date(0);
const issuer = 'https://login.example.com';
const us = 'https://id.example.com';
const here = { place: 'abcdefghij', browserId: 'browser' };

function connection(members: ConnectionPart = {}, id = 'con_1'): Connection {
  const draft = draftFrom({ name: 'A provider', issuer, clientId: 'us', idTokenAlgorithm: 'ES256' }, members);
  return connectionFrom(draft, { id, tenantId: 'ten_1', key: 'a', publicKey: null, createdAt: at, updatedAt: at });
}

const sound = {
  ...{ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
  ...{ jwks_uri: `${issuer}/jwks`, userinfo_endpoint: `${issuer}/userinfo` },
};

/** Answers by the path that is asked for; what was posted is kept. */
class Provider {
  readonly answers: Record<string, unknown> = { '/.well-known/openid-configuration': sound };
  readonly posted: URLSearchParams[] = [];

  readonly fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    if (init?.method === 'POST') this.posted.push(new URLSearchParams(init.body as URLSearchParams));
    return Response.json(this.answers[new URL(url).pathname] ?? null);
  };

  clients(): UpstreamClients {
    const calls = { fetchFor: () => this.fetch };
    return upstreamClients({ calls, openSecret: async () => 'between us', documentSeconds: 60 });
  }

  signIn() {
    return upstreamSignIn({
      ...{ issuer: us, clients: this.clients(), transactions: inMemory(), log: createLogger('silent') },
      limits: { transactionSeconds: 600, answerSeconds: 10 },
    });
  }

  /** A whole sign-in: what the ID token and the key set say may be broken on the way. */
  async person(
    of: Connection,
    {
      claims = {},
      keyOf = (jwk) => jwk,
      answer = {},
    }: { claims?: object; keyOf?: (jwk: JWK) => object; answer?: Record<string, string> },
  ): Promise<UpstreamResult<UpstreamPerson>> {
    const { privateKey, publicKey } = await newKeyPair('ES256');
    const signIn = this.signIn();
    const begun = await signIn.begin(of, here);
    if (begun.outcome !== 'done') return begun;
    const asked = new URL(begun.value).searchParams;
    const now = Math.floor(Date.now() / 1000);
    const token = new SignJWT({ sub: 's', nonce: asked.get('nonce'), ...claims }).setProtectedHeader({ alg: 'ES256' });
    token
      .setIssuer(issuer)
      .setAudience('us')
      .setIssuedAt(now)
      .setExpirationTime(now + 60);
    const id_token = await token.sign(privateKey);
    this.answers['/token'] = { access_token: 'token', token_type: 'bearer', id_token };
    this.answers['/jwks'] = { keys: [keyOf({ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' })] };
    const state = asked.get('state') ?? '';
    const transaction = await signIn.take({ state, connectionId: of.id }, here);
    if (!transaction) return expect.fail('no transaction');
    return signIn.finish(of, transaction, new URLSearchParams({ state, code: 'a-code', ...answer }));
  }
}

function inMemory(): OneTimeRecords {
  const kept = new Map<string, string>();
  const keyOf = (value: string, binding: readonly string[]): string => JSON.stringify([value, ...binding]);
  return {
    claim: async () => true,
    put: async (value, { binding, text }) => void kept.set(keyOf(value, binding), text),
    async take(value, binding) {
      const text = kept.get(keyOf(value, binding)) ?? null;
      kept.delete(keyOf(value, binding));
      return text;
    },
  };
}

const failureOf = <T>(result: UpstreamResult<T>): string =>
  result.outcome === 'failed' ? result.failure : 'no failure';

describe('a sign-in at a provider', () => {
  let provider: Provider;
  beforeEach(() => {
    provider = new Provider();
  });

  const valueOf = (result: UpstreamResult<UpstreamPerson>): UpstreamPerson =>
    result.outcome === 'done' ? result.value : expect.fail(result.failure);

  it('sec-006 whatever its documents hold, they make no failure of ours', async () => {
    for (const broken of [
      { authorization_endpoint: undefined },
      { authorization_endpoint: 'http://login.example.com/authorize' },
      { authorization_endpoint: 'nothing' },
      { authorization_endpoint: 7 },
      { issuer: 'nothing' },
      { issuer: 7 },
      { issuer: 'https://other.example.com' },
      { token_endpoint: undefined },
      { token_endpoint: 'nothing' },
      { jwks_uri: 'nothing' },
      { jwks_uri: {} },
      { userinfo_endpoint: 'nothing' },
      { userinfo_endpoint: [] },
    ]) {
      provider.answers['/.well-known/openid-configuration'] = { ...sound, ...broken };
      expect(failureOf(await provider.person(connection(), {})), JSON.stringify(broken)).to.equal('invalid');
    }
  });

  it('sec-006 a key set that holds no keys verifies nothing, and is no failure of ours', async () => {
    for (const keyOf of [
      (jwk: JWK) => ({ ...jwk, x: 7 }),
      ({ x: _x, ...jwk }: JWK) => jwk,
      (jwk: JWK) => ({ ...jwk, kty: 'RSA' }),
      () => ({}),
    ])
      expect(failureOf(await provider.person(connection(), { keyOf }))).to.equal('invalid');
    provider.answers['/userinfo'] = { sub: 's' };
    expect(valueOf(await provider.person(connection(), {})).subject).to.equal('s');
  });

  it('sec-010 each connection is sent back to its own address, and takes up no other one’s answer', async () => {
    const signIn = provider.signIn();
    const begun = await signIn.begin(connection(), here);
    const asked = new URL(begun.outcome === 'done' ? begun.value : '').searchParams;
    expect(asked.get('redirect_uri')).to.equal(`${us}/connections/callback/con_1`);
    const state = asked.get('state') ?? '';
    expect(await signIn.take({ state, connectionId: 'con_2' }, here)).to.equal(null);
    expect(await signIn.take({ state, connectionId: 'con_1' }, here)).to.include({ connectionId: 'con_1' });
    expect(await signIn.take({ state, connectionId: 'con_1' }, here), 'once').to.equal(null);
    provider.answers['/userinfo'] = { sub: 's' };
    await provider.person(connection({}, 'con_3'), {});
    expect(provider.posted.at(-1)?.get('redirect_uri')).to.equal(`${us}/connections/callback/con_3`);
  });

  it('sec-003 userinfo is asked where the ID token lacks something that is looked at', async () => {
    const email = 'ada@example.com';
    provider.answers['/userinfo'] = { sub: 's', email, email_verified: true, groups: ['staff'] };
    const named = { email, name: 'Ada' };
    const person = valueOf(await provider.person(connection(), { claims: named }));
    expect(person).to.include({ email, isEmailVerified: true });
    const mapped = connection({ roleMapping: { claim: 'groups', values: [], syncs: false } });
    const whole = { ...named, email_verified: true };
    expect(valueOf(await provider.person(mapped, { claims: whole })).claims['groups']).to.deep.equal(['staff']);
    provider.answers['/userinfo'] = { sub: 'somebody else' };
    expect(failureOf(await provider.person(mapped, { claims: whole }))).to.equal('invalid');
    expect(valueOf(await provider.person(connection(), { claims: whole })).subject).to.equal('s');
  });

  it('takes of what comes by the browser a name, and nothing else', async () => {
    provider.answers['/userinfo'] = { sub: 's' };
    const apple = { name: { firstName: 'Ada', lastName: 'Lovelace' }, email: 'victim@example.com' };
    const typed = async (user: string, claims = {}): Promise<UpstreamPerson> =>
      valueOf(await provider.person(connection(), { claims, answer: { user } }));
    const person = await typed(JSON.stringify(apple));
    expect(person.profile).to.deep.equal({ name: 'Ada Lovelace', givenName: 'Ada', familyName: 'Lovelace' });
    expect(person.email).to.equal(null);
    expect(person.claims).not.to.have.property('name');
    expect((await typed(JSON.stringify(apple), { name: 'Augusta' })).profile.name).to.equal('Augusta');
    for (const text of ['', '{', '[]', 'null', '{"name":"Ada"}', '{"name":{"firstName":7}}'])
      expect((await typed(text)).profile, text).to.deep.equal({});
  });

  it('the test of a connection tells a wrong secret at GitHub, which answers it with status 200', async () => {
    const of = connection({ ...connectionPresets.github });
    const credentials = async (error: string): Promise<boolean | undefined> => {
      provider.answers['/login/oauth/access_token'] = { error };
      const checks = await testConnection({ issuer: us, clients: provider.clients() }, of);
      return checks.find(({ check }) => check === 'credentials')?.passes;
    };
    expect(await credentials('bad_verification_code')).to.equal(true);
    expect(await credentials('incorrect_client_credentials')).to.equal(false);
    expect(await credentials('something else')).to.equal(false);
  });

  it('the test of a connection reads every document', async () => {
    for (const broken of [{ authorization_endpoint: 7 }, { jwks_uri: [] }, { token_endpoint: 'https://' }]) {
      provider.answers['/.well-known/openid-configuration'] = { ...sound, ...broken, response_modes_supported: 7 };
      const checks = await testConnection({ issuer: us, clients: provider.clients() }, connection());
      expect(checks.find(({ check }) => check === 'endpoints')?.passes, JSON.stringify(broken)).to.equal(false);
    }
  });
});
