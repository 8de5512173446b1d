// Keys of services: what they open, what they never open, and how they end.
import { expect } from 'chai';
import * as client from 'openid-client';
import { newApiKeySecret } from '../../src/service-accounts/index.js';
import { tenantIdOf } from '../support/administered.js';
import { newClientKey } from '../support/client-keys.js';
import { projectsApi, webSecret } from '../support/contract-seed.js';
import { eventually } from '../support/eventually.js';
import { fetchAt } from '../support/fetch-at.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { basic } from '../http/requests.js';
import { apiOf, roleSeed, type Api } from './api.js';
import { addConsole, apiOfPerson } from './people.js';

const manager = { email: 'manager@example.com', password: 'a manager of service accounts' };

describe('service accounts and their keys', () => {
  let running: RunningApp;
  let acme: string;
  let owner: Api;
  beforeEach(async () => {
    running = await startApp({
      seed: {
        ...roleSeed,
        users: [
          ...(roleSeed.users ?? []),
          { ...manager, emailVerified: true, memberships: [{ tenant: 'acme', roles: ['admin'] }] },
        ],
      },
    });
    acme = await tenantIdOf(running, 'acme');
    owner = await apiOf(running, 'acme-owner');
  });
  afterEach(closeApps);

  async function newAccount(api: Api, members: object = {}): Promise<{ id: string; clientId: string }> {
    const answer = await api.call('POST', `/tenants/${acme}/service-accounts`, {
      body: { name: 'Nightly job', roles: ['editor'], ...members },
    });
    expect(answer.status, answer.text).to.equal(201);
    return answer.json as unknown as { id: string; clientId: string };
  }

  async function newKey(api: Api, accountId: string, label = 'first'): Promise<{ id: string; secret: string }> {
    const path = `/tenants/${acme}/service-accounts/${accountId}/keys`;
    const answer = await api.call('POST', path, { body: { label } });
    expect(answer.status, answer.text).to.equal(201);
    return answer.json as unknown as { id: string; secret: string };
  }

  /** At one of several processes of the issuer. */
  async function ask(at: RunningApp, endpoint: string, form: Record<string, string>, pair: [string, string]) {
    const response = await fetchAt(at.port)(`${at.issuer}/oauth2/${endpoint}`, {
      method: 'POST',
      headers: { Authorization: basic(...pair) },
      body: new URLSearchParams(form),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  }

  const tokenWith = (clientId: string, secret: string, at = running): ReturnType<typeof ask> =>
    ask(at, 'token', { grant_type: 'client_credentials', resource: projectsApi }, [clientId, secret]);

  const isActive = async (token: unknown, at = running): Promise<unknown> =>
    (await ask(at, 'introspect', { token: String(token) }, ['rs', webSecret])).json['active'];

  const memberId = async (roles: string[]): Promise<string> => {
    const found = await running.database
      .collection<{ userId: string; roles: string[]; tenantId: string }>('memberships')
      .findOne({ tenantId: acme, roles });
    return found?.userId ?? '';
  };

  it('a key is 256 bits with a checksum, shown once and stored as a hash', async () => {
    const account = await newAccount(owner);
    const { secret } = await newKey(owner, account.id);
    expect(secret).to.match(/^sk_[0-9A-Za-z]{49}$/);
    const listed = await owner.call('GET', `/tenants/${acme}/service-accounts/${account.id}/keys`);
    expect(listed.text).not.to.contain(secret);
    const stored = JSON.stringify(await running.database.collection('api_keys').find().toArray());
    expect(stored).not.to.contain(secret.slice(3));
    expect(new Set(Array.from({ length: 1000 }, newApiKeySecret)).size).to.equal(1000);
  });

  for (const [how, authentication] of [
    ['client_secret_basic', client.ClientSecretBasic],
    ['client_secret_post', client.ClientSecretPost],
  ] as const) {
    it(`an OpenID client gets a token by ${how} with nothing but issuer, client id and key`, async () => {
      const account = await newAccount(owner);
      const { secret } = await newKey(owner, account.id);
      const configuration = await client.discovery(
        new URL(running.issuer),
        account.clientId,
        undefined,
        authentication(secret),
        { execute: [client.allowInsecureRequests] },
      );
      const tokens = await client.clientCredentialsGrant(configuration, { resource: projectsApi });
      expect(tokens.scope?.split(' ').sort()).to.deep.equal(['projects:read', 'projects:write']);
    });
  }

  it('an OpenID client gets a token by private_key_jwt once a key is registered, and the API keys rest', async () => {
    const account = await newAccount(owner);
    const { secret } = await newKey(owner, account.id);
    const key = await newClientKey('ES256', 'one');
    const path = `/tenants/${acme}/service-accounts/${account.id}/jwks`;
    const body = { jwks: { keys: [key.jwk] } };
    expect((await owner.call('PUT', path, { body })).status).to.equal(200);
    const configuration = await client.discovery(
      new URL(running.issuer),
      account.clientId,
      undefined,
      client.PrivateKeyJwt({ key: key.privateKey, kid: 'one' }),
      { execute: [client.allowInsecureRequests] },
    );
    const tokens = await client.clientCredentialsGrant(configuration, { resource: projectsApi });
    expect(tokens.access_token).to.be.a('string');
    expect((await tokenWith(account.clientId, secret)).status).to.equal(401);
    expect((await owner.call('DELETE', path)).status).to.equal(204);
    expect((await tokenWith(account.clientId, secret)).status).to.equal(200);
  });

  it('several keys are live at once, and one is revoked without the others, in every process within five seconds', async () => {
    const other = await startApp({ sharedWith: running });
    const account = await newAccount(owner);
    const first = await newKey(owner, account.id, 'first');
    const second = await newKey(owner, account.id, 'second');
    for (const { secret } of [first, second])
      expect((await tokenWith(account.clientId, secret, other)).status).to.equal(200);
    const path = `/tenants/${acme}/service-accounts/${account.id}/keys/${first.id}`;
    expect((await owner.call('DELETE', path)).status).to.equal(204);
    expect((await tokenWith(account.clientId, first.secret)).status).to.equal(401);
    await eventually(async () => {
      expect((await tokenWith(account.clientId, first.secret, other)).status).to.equal(401);
    }, 5000);
    expect((await tokenWith(account.clientId, second.secret, other)).status).to.equal(200);
  });

  it('a key that has expired opens nothing, whatever is cached', async () => {
    let now = new Date();
    const later = await startApp({ sharedWith: running, now: () => now });
    const account = await newAccount(owner);
    const { secret } = await newKey(owner, account.id);
    expect((await tokenWith(account.clientId, secret, later)).status).to.equal(200);
    now = new Date(now.getTime() + 91 * 86_400_000);
    expect((await tokenWith(account.clientId, secret, later)).status).to.equal(401);
  });

  it('tells when a key was last used', async () => {
    const account = await newAccount(owner);
    const { id, secret } = await newKey(owner, account.id);
    await tokenWith(account.clientId, secret);
    await eventually(async () => {
      const { json } = await owner.call('GET', `/tenants/${acme}/service-accounts/${account.id}/keys`);
      const [key] = json['items'] as { id: string; lastUsedAt: string | null }[];
      expect(key?.id).to.equal(id);
      expect(key?.lastUsedAt).to.be.a('string');
    });
  });

  describe('of a member who', () => {
    let admin: Api;
    let account: { id: string; clientId: string };
    let secret: string;
    let userId: string;
    beforeEach(async () => {
      await addConsole(running);
      admin = await apiOfPerson(running, { who: manager, scope: 'service-accounts:write service-accounts:read' });
      account = await newAccount(admin);
      ({ secret } = await newKey(admin, account.id));
      userId = await memberId(['admin']);
      expect((await tokenWith(account.clientId, secret)).status).to.equal(200);
    });

    it('sec-071 is removed open nothing any more, and their tokens are inactive', async () => {
      const { json } = await tokenWith(account.clientId, secret);
      const other = await startApp({ sharedWith: running });
      expect((await owner.call('DELETE', `/tenants/${acme}/members/${userId}`)).status).to.equal(204);
      await eventually(async () => {
        expect((await tokenWith(account.clientId, secret, other)).status).to.equal(401);
        expect(await isActive(json['access_token'], other)).to.equal(false);
      }, 5000);
    });

    it('sec-071 may do less open less', async () => {
      const path = `/tenants/${acme}/members/${userId}`;
      expect((await owner.call('PATCH', path, { body: { roles: ['viewer'] } })).status).to.equal(200);
      await eventually(async () => {
        const { json } = await tokenWith(account.clientId, secret);
        expect(json['scope']).to.equal('projects:read');
      }, 5000);
    });

    it('sec-071 is disabled open nothing any more', async () => {
      const operators = await apiOf(running, 'platform-owner');
      expect((await operators.call('POST', `/users/${userId}/disable`)).status).to.equal(200);
      await eventually(async () => expect((await tokenWith(account.clientId, secret)).status).to.equal(401), 5000);
    });

    it('leaves live on once somebody else answers for them', async () => {
      const path = `/tenants/${acme}/service-accounts/${account.id}/adopt`;
      expect((await owner.call('POST', path)).status, 'nobody answers for what a seed has made').to.equal(409);
      const adas = await apiOfPerson(running, { scope: 'service-accounts:write service-accounts:read' });
      expect((await adas.call('POST', path)).status).to.equal(200);
      await owner.call('DELETE', `/tenants/${acme}/members/${userId}`);
      expect((await tokenWith(account.clientId, secret)).status).to.equal(200);
    });

    it('sec-070 cannot make one that may do more than they', async () => {
      await owner.call('PATCH', `/tenants/${acme}/members/${userId}`, { body: { roles: ['viewer'] } });
      const answer = await owner.call('POST', `/tenants/${acme}/roles`, {
        body: { key: 'keeper', name: 'Keeper', permissions: ['service-accounts:write', 'service-accounts:read'] },
      });
      expect(answer.status, answer.text).to.equal(201);
      await owner.call('PATCH', `/tenants/${acme}/members/${userId}`, { body: { roles: ['keeper'] } });
      const keeper = await apiOfPerson(running, { who: manager, scope: 'service-accounts:write' });
      for (const role of ['owner', 'admin', 'editor', 'viewer']) {
        const refused = await keeper.call('POST', `/tenants/${acme}/service-accounts`, {
          body: { name: 'More', roles: [role] },
        });
        expect([role, refused.status, refused.json['code']]).to.deep.equal([role, 403, 'role.beyond_own']);
      }
      const path = `/tenants/${acme}/service-accounts/${account.id}/keys`;
      expect((await keeper.call('POST', path, { body: { label: 'more' } })).status).to.equal(403);
    });
  });

  it('keeps the last fifty of the keys that open nothing any more, to look at', async function () {
    this.timeout(60_000);
    const { id } = await newAccount(owner);
    const path = `/tenants/${acme}/service-accounts/${id}/keys`;
    for (let index = 0; index < 53; index++) {
      const key = await newKey(owner, id, `k${index}`);
      if (index > 0) await owner.call('DELETE', `${path}/${key.id}`);
    }
    const { json } = await owner.call('GET', `${path}?limit=100`);
    const labels = (json['items'] as { label: string }[]).map(({ label }) => label);
    expect(labels).to.have.length(52); // the live one, and the last is revoked after it was made
    expect(labels).to.include.members(['k0', 'k52', 'k2']).and.not.include('k1');
  });

  it('ends with its account, and the seat is free', async () => {
    const account = await newAccount(owner);
    const { secret } = await newKey(owner, account.id);
    const { json } = await tokenWith(account.clientId, secret);
    expect((await owner.call('DELETE', `/tenants/${acme}/service-accounts/${account.id}`)).status).to.equal(204);
    expect((await tokenWith(account.clientId, secret)).status).to.equal(401);
    expect(await isActive(json['access_token'])).to.equal(false);
    expect(await running.database.collection('api_keys').countDocuments({ serviceAccountId: account.id })).to.equal(0);
  });

  it('50 that are made at once take the seats that there are, and no more', async function () {
    this.timeout(60_000);
    const operators = await apiOf(running, 'platform-owner');
    const before = (await operators.call('GET', `/tenants/${acme}`)).json['seats'] as { serviceAccounts: number };
    const limits = { members: null, serviceAccounts: before.serviceAccounts + 7 };
    expect((await operators.call('PATCH', `/tenants/${acme}`, { body: { limits } })).status).to.equal(200);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        owner.call('POST', `/tenants/${acme}/service-accounts`, { body: { name: `n${index}`, roles: ['viewer'] } }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses.filter((status) => status === 201)).to.have.length(7);
    expect(new Set(statuses)).to.deep.equal(new Set([201, 409]));
  });
});
