// Roads to more than one holds, each of which was open once.
import { expect } from 'chai';
import { operator, outcomeOf, tenantIdOf } from '../support/administered.js';
import { newClientKey, assertedBy, clientAssertion } from '../support/client-keys.js';
import { ada, projectsApi, webSecret } from '../support/contract-seed.js';
import { eventually } from '../support/eventually.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { post } from '../http/requests.js';
import { apiOf, apiWith, roleSeed, type Api } from './api.js';
import { addConsole, apiOfPerson } from './people.js';

const boss = { email: 'boss@example.com', password: 'the boss of all of acme' };
const admin = { email: 'second@example.com', password: 'the second one of acme' };

describe('sec-072 nobody comes to hold more', () => {
  let running: RunningApp;
  let acme: string;
  let platform: string;
  beforeEach(async () => {
    const member = (who: typeof boss, tenant: string, role: string) => ({
      ...{ ...who, emailVerified: true },
      memberships: [{ tenant, roles: [role] }],
    });
    const users = [...(roleSeed.users ?? []), member(boss, 'acme', 'owner'), member(admin, 'acme', 'admin')];
    running = await startApp({ seed: { ...roleSeed, users } });
    acme = await tenantIdOf(running, 'acme');
    platform = await tenantIdOf(running, 'platform');
    await addConsole(running);
  });
  afterEach(closeApps);

  const all = 'service-accounts:read service-accounts:write members:read members:write invitations:write';
  const idOf = async ({ email }: { email: string }): Promise<string> =>
    (await running.app.administration.getUserByEmail(email)).id;

  async function account(api: Api, tenantId: string, roles: string[]): Promise<{ id: string; clientId: string }> {
    const made = await api.call('POST', `/tenants/${tenantId}/service-accounts`, { body: { name: 'x', roles } });
    expect(made.status, made.text).to.equal(201);
    return made.json as unknown as { id: string; clientId: string };
  }

  async function key(
    api: Api,
    tenantId: string,
    accountId: string,
    label = 'k',
  ): Promise<{ id: string; secret: string }> {
    const path = `/tenants/${tenantId}/service-accounts/${accountId}/keys`;
    const made = await api.call('POST', path, { body: { label } });
    expect(made.status, made.text).to.equal(201);
    return made.json as unknown as { id: string; secret: string };
  }

  const tokenOf = (clientId: string, secret: string, resource = `${running.issuer}/api`) =>
    post(running.issuer, 'token', { grant_type: 'client_credentials', resource }, [clientId, secret]);

  async function apiBy(clientId: string, secret: string): Promise<Api> {
    const { json, text } = await tokenOf(clientId, secret);
    expect(json['access_token'], text).to.be.a('string');
    return apiWith(running.issuer, String(json['access_token']));
  }

  it('in the tenant of the operators by a permission that is meant for other tenants', async () => {
    const owner = await apiOf(running, 'platform-owner');
    const permissions = ['platform:tenants:read', 'platform:tenants:write'];
    const role = { key: 'desk', name: 'Desk', permissions };
    expect((await owner.call('POST', `/tenants/${platform}/roles`, { body: role })).status).to.equal(201);
    const made = await account(owner, platform, ['desk']);
    const desk = await apiBy(made.clientId, (await key(owner, platform, made.id)).secret);
    for (const [method, path, body] of [
      ['PATCH', `/tenants/${platform}/service-accounts/${made.id}`, { roles: ['owner'] }],
      ['POST', `/tenants/${platform}/service-accounts`, { name: 'y', roles: ['owner'] }],
      ['POST', `/tenants/${platform}/invitations`, { email: 'x@example.com', roles: ['owner'] }],
      ['PATCH', `/tenants/${platform}/policies`, { ipAllowlist: ['10.0.0.0/8'] }],
    ] as const)
      expect((await desk.call(method, path, { body })).status, path).to.equal(403);
    expect((await desk.call('GET', `/tenants/${acme}`)).status).to.equal(200);
  });

  it('a service frees neither itself nor what it makes from who made it (sec-071)', async () => {
    const admins = await apiOfPerson(running, { who: admin, scope: all });
    const made = await account(admins, acme, ['admin']);
    const service = await apiBy(made.clientId, (await key(admins, acme, made.id)).secret);
    const adopt = await service.call('POST', `/tenants/${acme}/service-accounts/${made.id}/adopt`);
    expect(adopt.status).to.equal(200); // it stays with who answers for it
    const child = await account(service, acme, ['admin']);
    const childKey = await key(service, acme, child.id);
    expect((await tokenOf(child.clientId, childKey.secret)).status).to.equal(200);
    await running.app.administration.removeMember(operator, { tenantId: acme, userId: await idOf(admin) });
    expect((await tokenOf(child.clientId, childKey.secret)).status).to.equal(401);
    expect((await service.call('GET', `/tenants/${acme}/members`)).status).to.equal(401);
  });

  it('who is an owner no more does not become one again through a service', async () => {
    const bosses = await apiOfPerson(running, { who: boss, scope: all });
    const made = await account(bosses, acme, ['owner']);
    const { secret } = await key(bosses, acme, made.id);
    const userId = await idOf(boss);
    await running.app.administration.changeMemberRoles(operator, { tenantId: acme, userId }, { roles: ['admin'] });
    const service = await apiBy(made.clientId, secret);
    const answer = await service.call('PATCH', `/tenants/${acme}/members/${userId}`, { body: { roles: ['owner'] } });
    expect([answer.status, answer.json['code']]).to.deep.equal([403, 'role.beyond_own']);
  });

  it('public keys open nothing without who set them (sec-071)', async () => {
    const bosses = await apiOfPerson(running, { who: boss, scope: all });
    const admins = await apiOfPerson(running, { who: admin, scope: all });
    const made = await account(bosses, acme, ['editor']);
    const own = await newClientKey('ES256', 'one');
    const path = `/tenants/${acme}/service-accounts/${made.id}/jwks`;
    expect((await admins.call('PUT', path, { body: { jwks: { keys: [own.jwk] } } })).status).to.equal(200);
    const ask = async () => {
      const draft = { clientId: made.clientId, audience: running.issuer, key: own, header: { kid: 'one' } };
      const form = { grant_type: 'client_credentials', resource: projectsApi };
      return post(running.issuer, 'token', { ...form, ...assertedBy(await clientAssertion(draft)) });
    };
    expect((await ask()).status).to.equal(200);
    await running.app.administration.removeMember(operator, { tenantId: acme, userId: await idOf(admin) });
    expect((await ask()).status).to.equal(401);
  });

  for (const [what, end] of [
    [
      'whose maker is removed',
      async (userId: string) => running.app.administration.removeMember(operator, { tenantId: acme, userId }),
    ],
    [
      'that is revoked',
      async (_userId: string, of: { serviceAccountId: string; keyId: string }) =>
        running.app.administration.revokeApiKey(
          operator,
          { tenantId: acme, serviceAccountId: of.serviceAccountId },
          of.keyId,
        ),
    ],
  ] as const) {
    it(`a token ends with the key by which it was got, ${what} (sec-071)`, async () => {
      const bosses = await apiOfPerson(running, { who: boss, scope: all });
      const admins = await apiOfPerson(running, { who: admin, scope: all });
      const made = await account(bosses, acme, ['admin']);
      const its = await key(admins, acme, made.id);
      const service = await apiBy(made.clientId, its.secret);
      const { json } = await tokenOf(made.clientId, its.secret, projectsApi);
      const isActive = async () =>
        (await post(running.issuer, 'introspect', { token: String(json['access_token']) }, ['rs', webSecret])).json[
          'active'
        ];
      expect((await service.call('GET', `/tenants/${acme}/members`)).status).to.equal(200);
      expect(await isActive()).to.equal(true);
      await end(await idOf(admin), { serviceAccountId: made.id, keyId: its.id });
      await eventually(async () => {
        expect((await service.call('GET', `/tenants/${acme}/members`)).status).to.equal(401);
        expect(await isActive()).to.equal(false);
      }, 5000);
    });
  }

  it('what an operator makes in a tenant works, though they are no member of it', async () => {
    const root = { email: 'root@example.com', password: 'the one and only root' };
    const memberships = [{ tenant: 'platform', roles: ['owner'] }];
    await running.app.seeding.applySeed({ users: [{ ...root, emailVerified: true, memberships }] });
    const scope = 'platform:tenants:read platform:tenants:write';
    const roots = await apiOfPerson(running, { who: root, tenant: 'platform', scope });
    const made = await account(roots, acme, ['editor']);
    const { secret } = await key(roots, acme, made.id);
    expect((await tokenOf(made.clientId, secret, projectsApi)).status).to.equal(200);
    const adopted = await roots.call('POST', `/tenants/${acme}/service-accounts/${made.id}/adopt`);
    expect(adopted.status).to.equal(200);
    expect((await tokenOf(made.clientId, secret, projectsApi)).status).to.equal(200);
  });

  it('a person who is deleted while they are added is no member afterwards', async () => {
    const { administration } = running.app;
    for (let round = 0; round < 10; round++) {
      const { id } = await administration.createUser(operator, { email: `ghost-${round}@example.com` });
      await Promise.all([
        outcomeOf(administration.addMember(operator, acme, { userId: id, roles: ['owner'] })),
        outcomeOf(administration.deleteUser(operator, id)),
      ]);
      const left = await running.database.collection('memberships').countDocuments({ userId: id });
      const there = await running.database.collection<{ _id: string }>('users').countDocuments({ _id: id });
      expect([left, there], `round ${round}`).to.satisfy(([some, user]: number[]) => some === 0 || user === 1);
    }
  });

  it('a lower operator signs no higher one out', async () => {
    const owner = await apiOf(running, 'platform-owner');
    const role = { key: 'help', name: 'Help', permissions: ['platform:users:read', 'platform:users:write'] };
    await owner.call('POST', `/tenants/${platform}/roles`, { body: role });
    const made = await account(owner, platform, ['help']);
    const help = await apiBy(made.clientId, (await key(owner, platform, made.id)).secret);
    const memberships = [{ tenant: 'platform', roles: ['owner'] }];
    await running.app.seeding.applySeed({ users: [{ email: 'top@example.com', emailVerified: true, memberships }] });
    const top = await idOf({ email: 'top@example.com' });
    expect((await help.call('DELETE', `/users/${top}/sessions`)).status).to.equal(403);
    expect((await help.call('DELETE', `/users/${await idOf(ada)}/sessions`)).status).to.equal(204);
  });

  it('an admin neither ends an owner’s sessions nor takes back what an owner offered', async () => {
    const bosses = await apiOfPerson(running, { who: boss, scope: `${all} sessions:write` });
    const admins = await apiOfPerson(running, { who: admin, scope: `${all} sessions:write` });
    const of = async (who: { email: string }): Promise<string> =>
      `/tenants/${acme}/members/${await idOf(who)}/sessions`;
    expect((await admins.call('DELETE', await of(boss))).status).to.equal(403);
    expect((await bosses.call('GET', `/tenants/${acme}/members`)).status).to.equal(200);
    const invite = async (role: string): Promise<string> => {
      const body = { email: `${role}-to-be@example.com`, roles: [role] };
      const made = await bosses.call('POST', `/tenants/${acme}/invitations`, { body });
      return `/tenants/${acme}/invitations/${String(made.json['id'])}`;
    };
    const [toOwner, toViewer] = [await invite('owner'), await invite('viewer')];
    expect((await admins.call('DELETE', toOwner)).status).to.equal(403);
    expect((await admins.call('DELETE', toViewer)).status).to.equal(204);
    expect((await bosses.call('DELETE', toOwner)).status).to.equal(204);
  });

  it('sec-019 an invitation by a key is worth what its maker may give, whoever answers for the account', async () => {
    const bosses = await apiOfPerson(running, { who: boss, scope: all });
    const admins = await apiOfPerson(running, { who: admin, scope: all });
    const made = await account(bosses, acme, ['admin']);
    const service = await apiBy(made.clientId, (await key(admins, acme, made.id)).secret);
    const body = { email: 'x@example.com', roles: ['viewer'] };
    expect((await service.call('POST', `/tenants/${acme}/invitations`, { body })).status).to.equal(201);
    await running.deliverMail();
    const token = /invitations\/([\w-]{43})/.exec(running.mailbox.at(-1)?.text ?? '')?.[1] ?? '';
    const user = { id: await idOf(ada), email: body.email, emailVerified: true };
    await running.app.administration.removeMember(operator, { tenantId: acme, userId: await idOf(admin) });
    const accepted = running.app.administration.acceptInvitation(user, token);
    expect(await outcomeOf(accepted)).to.equal('403 invitation.inviter_may_not');
  });

  it('the tokens of a higher service are not ended by a lower one', async () => {
    const bosses = await apiOfPerson(running, { who: boss, scope: `${all} roles:write` });
    const role = { key: 'keeper', name: 'Keeper', permissions: ['service-accounts:read', 'service-accounts:write'] };
    expect((await bosses.call('POST', `/tenants/${acme}/roles`, { body: role })).status).to.equal(201);
    const lower = await account(bosses, acme, ['keeper']);
    const keeper = await apiBy(lower.clientId, (await key(bosses, acme, lower.id)).secret);
    const higher = await account(bosses, acme, ['admin']);
    const path = (id: string): string => `/tenants/${acme}/service-accounts/${id}/tokens/end`;
    expect((await keeper.call('POST', path(higher.id))).status).to.equal(403);
    expect((await bosses.call('POST', path(higher.id))).status).to.equal(204);
  });

  it('a tenant does not make something else of a client that operators trust', async () => {
    const owner = await apiOf(running, 'acme-owner');
    const operators = await apiOf(running, 'platform-owner');
    const body = { name: 'Ours', redirectUris: ['https://ours.example.com/cb'], firstParty: true };
    const made = await operators.call('POST', `/tenants/${acme}/clients`, { body });
    expect(made.status, made.text).to.equal(201);
    const path = `/tenants/${acme}/clients/${String(made.json['clientId'])}`;
    const device = ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'];
    for (const change of [{ grantTypes: device }, { requirePkce: false }, { dpopBoundAccessTokens: true }])
      expect((await owner.call('PATCH', path, { body: change })).status, JSON.stringify(change)).to.equal(403);
    expect((await owner.call('POST', `${path}/secret`)).status).to.equal(403);
    expect((await owner.call('PATCH', path, { body: { name: 'Ours, still' } })).status).to.equal(200);
  });

  it('an address gets few mails within the hour, from whichever tenants', async () => {
    const { administration } = running.app;
    const globex = await tenantIdOf(running, 'globex');
    const outcomes: string[] = [];
    for (let count = 0; count < 8; count++) {
      const tenantId = count % 2 ? acme : globex;
      const roles = ['member'];
      const made = administration.createInvitation(operator, tenantId, { email: 'victim@example.com', roles });
      outcomes.push(await outcomeOf(made));
      const invitation = await made.catch(() => null);
      if (invitation) await administration.revokeInvitation(operator, { tenantId, invitationId: invitation.id });
    }
    expect(outcomes.filter((outcome) => outcome === 'done')).to.have.length(5);
    expect(outcomes.at(-1)).to.equal('429 invitation.too_many_to_address');
  });
});
