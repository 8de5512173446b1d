// sec-071, sec-019: what people knew, offered or answered for does not come back to life when somebody takes it over.
import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import { operator, outcomeOf, tenantIdOf } from '../support/administered.js';
import { assertedBy, clientAssertion, newClientKey } from '../support/client-keys.js';
import { ada, projectsApi } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { post } from '../http/requests.js';
import { apiOf, apiWith, roleSeed, type Api } from './api.js';
import { addConsole, apiOfPerson } from './people.js';

const boss = { email: 'boss@example.com', password: 'the boss of all of acme' };
const admin = { email: 'second@example.com', password: 'the second one of acme' };
const root = { email: 'root@example.com', password: 'the one and only root' };
const all = 'service-accounts:read service-accounts:write invitations:write';

describe('who answers for what is left behind', () => {
  let running: RunningApp;
  let acme: string;
  let bosses: Api;
  let admins: Api;
  beforeEach(async () => {
    const member = (who: typeof boss, tenant: string, role: string) => ({
      ...{ ...who, emailVerified: true },
      memberships: [{ tenant, roles: [role] }],
    });
    const people = [member(boss, 'acme', 'owner'), member(admin, 'acme', 'admin'), member(root, 'platform', 'owner')];
    running = await startApp({ seed: { ...roleSeed, users: [...(roleSeed.users ?? []), ...people] } });
    acme = await tenantIdOf(running, 'acme');
    await addConsole(running);
    bosses = await apiOfPerson(running, { who: boss, scope: all });
    admins = await apiOfPerson(running, { who: admin, scope: all });
  });
  afterEach(closeApps);

  const idOf = async ({ email }: { email: string }): Promise<string> =>
    (await running.app.administration.getUserByEmail(email)).id;
  const pathOf = (id: string): string => `/tenants/${acme}/service-accounts/${id}`;

  async function accountOf(by: Api, roles = ['editor']): Promise<{ id: string; clientId: string }> {
    const made = await by.call('POST', `/tenants/${acme}/service-accounts`, { body: { name: 'x', roles } });
    expect(made.status, made.text).to.equal(201);
    return made.json as unknown as { id: string; clientId: string };
  }

  async function keyOf(by: Api, accountId: string, label = 'k'): Promise<string> {
    const made = await by.call('POST', `${pathOf(accountId)}/keys`, { body: { label } });
    expect(made.status, made.text).to.equal(201);
    return String(made.json['secret']);
  }

  async function opens(clientId: string, secret: string): Promise<boolean> {
    const form = { grant_type: 'client_credentials', resource: projectsApi };
    return (await post(running.issuer, 'token', form, [clientId, secret])).status === 200;
  }

  async function lastToken(): Promise<string> {
    await running.deliverMail();
    return /invitations\/([\w-]{43})/.exec(running.mailbox.at(-1)?.text ?? '')?.[1] ?? '';
  }

  for (const [how, leave] of [
    ['is deleted', async (id: string) => running.app.administration.deleteUser(operator, id)],
    ['is disabled', async (id: string) => running.app.administration.changeUserStatus(operator, id, 'disabled')],
  ] as const)
    it(`a key that somebody knows who ${how} opens nothing again when the account is adopted`, async () => {
      const made = await accountOf(admins);
      const [theirs, own] = [await keyOf(admins, made.id), await keyOf(bosses, made.id, 'own')];
      expect(await opens(made.clientId, theirs)).to.equal(true);
      await leave(await idOf(admin));
      expect((await bosses.call('POST', `${pathOf(made.id)}/adopt`)).status).to.equal(200);
      expect(await opens(made.clientId, own)).to.equal(true);
      expect(await opens(made.clientId, theirs)).to.equal(false);
    });

  it('nor does the private key of somebody who was removed', async () => {
    const made = await accountOf(bosses);
    const key = await newClientKey('ES256', 'one');
    const registered = await admins.call('PUT', `${pathOf(made.id)}/jwks`, { body: { jwks: { keys: [key.jwk] } } });
    expect(registered.status).to.equal(200);
    await running.app.administration.removeMember(operator, { tenantId: acme, userId: await idOf(admin) });
    const adopted = await bosses.call('POST', `${pathOf(made.id)}/adopt`);
    expect(adopted.json).to.include({ authenticationMethod: 'client_secret_basic' });
    const assertion = await clientAssertion({
      ...{ clientId: made.clientId, audience: running.issuer, key, header: { kid: 'one' } },
    });
    const form = { grant_type: 'client_credentials', resource: projectsApi, ...assertedBy(assertion) };
    expect((await post(running.issuer, 'token', form)).status).to.equal(401);
    expect(await opens(made.clientId, await keyOf(bosses, made.id))).to.equal(true);
  });

  it('an operator does not adopt what a member answers for, so that nobody would', async () => {
    const made = await accountOf(admins);
    const secret = await keyOf(admins, made.id);
    const scope = 'platform:tenants:read platform:tenants:write';
    const roots = await apiOfPerson(running, { who: root, tenant: 'platform', scope });
    const refused = await roots.call('POST', `${pathOf(made.id)}/adopt`);
    expect([refused.status, refused.json['code']]).to.deep.equal([409, 'service_account.nobody_answers']);
    await running.app.administration.removeMember(operator, { tenantId: acme, userId: await idOf(admin) });
    expect(await opens(made.clientId, secret)).to.equal(false);
  });

  it('an invitation of an operator that is a service ends with who made its key', async () => {
    const platform = await tenantIdOf(running, 'platform');
    const permissions = ['platform:tenants:read', 'platform:tenants:write'];
    const memberships = [{ tenant: 'platform', roles: ['owner'] }];
    const other = { email: 'other@example.com', password: 'another one at the helm' };
    await running.app.seeding.applySeed({ users: [{ ...other, emailVerified: true, memberships }] });
    const asOwner = async (who: typeof root): Promise<Api> =>
      apiOfPerson(running, {
        ...{ who, tenant: 'platform' },
        scope: `${permissions.join(' ')} service-accounts:write roles:write`,
      });
    const [roots, others] = [await asOwner(root), await asOwner(other)];
    const body = { name: 'desk', roles: ['owner'] };
    const made = await roots.call('POST', `/tenants/${platform}/service-accounts`, { body });
    const { id, clientId } = made.json as { id: string; clientId: string };
    const key = await others.call('POST', `/tenants/${platform}/service-accounts/${id}/keys`, { body: { label: 'k' } });
    const form = { grant_type: 'client_credentials', resource: `${running.issuer}/api` };
    const { json } = await post(running.issuer, 'token', form, [clientId, String(key.json['secret'])]);
    const desk = apiWith(running.issuer, String(json['access_token']));
    const invitation = { email: 'x@example.com', roles: ['owner'] };
    const invited = await desk.call('POST', `/tenants/${acme}/invitations`, { body: invitation });
    expect(invited.status, invited.text).to.equal(201);
    const token = await lastToken();
    await running.app.administration.removeMember(operator, { tenantId: platform, userId: await idOf(other) });
    const user = { id: await idOf(ada), email: invitation.email, emailVerified: true };
    expect(await outcomeOf(running.app.administration.acceptInvitation(user, token))).to.equal(
      '403 invitation.inviter_may_not',
    );
  });

  it('an invitation that is sent again is of who sends it, though the first one has gone', async () => {
    const body = { email: 'x@example.com', roles: ['viewer'] };
    const invited = await admins.call('POST', `/tenants/${acme}/invitations`, { body });
    const { administration } = running.app;
    await administration.removeMember(operator, { tenantId: acme, userId: await idOf(admin) });
    const user = { id: await idOf(ada), email: body.email, emailVerified: true };
    expect(await outcomeOf(administration.acceptInvitation(user, await lastToken()))).to.equal(
      '403 invitation.inviter_may_not',
    );
    const path = `/tenants/${acme}/invitations/${String(invited.json['id'])}/resend`;
    expect((await bosses.call('POST', path)).status).to.equal(200);
    expect(await outcomeOf(administration.acceptInvitation(user, await lastToken()))).to.equal('done');
  });

  it('a mailbox is sent five mails within the hour, also when one invitation is sent again', async () => {
    const body = { email: 'x@example.com', roles: ['viewer'] };
    const { json } = await bosses.call('POST', `/tenants/${acme}/invitations`, { body });
    const path = `/tenants/${acme}/invitations/${String(json['id'])}`;
    const statuses: number[] = [];
    for (let count = 0; count < 6; count++) statuses.push((await bosses.call('POST', `${path}/resend`)).status);
    expect(statuses).to.deep.equal([200, 200, 200, 200, 429, 429]);
    await bosses.call('DELETE', path);
    expect((await bosses.call('POST', `/tenants/${acme}/invitations`, { body })).status).to.equal(429);
  });

  it('a tenant makes no more than so many invitations within the hour, however many it takes back', async () => {
    await closeApps();

    const few = { ...policy, invitations: { ...policy.invitations, ofTenantAnHour: 3 } };
    running = await startApp({ seed: roleSeed, policy: few });
    acme = await tenantIdOf(running, 'acme');
    const owner = await apiOf(running, 'acme-owner');
    const statuses: number[] = [];
    for (let count = 0; count < 4; count++) {
      const body = { email: `x${count}@example.com`, roles: ['viewer'] };
      const made = await owner.call('POST', `/tenants/${acme}/invitations`, { body });
      statuses.push(made.status);
      await owner.call('DELETE', `/tenants/${acme}/invitations/${String(made.json['id'])}`);
    }
    expect(statuses).to.deep.equal([201, 201, 201, 429]);
  });
});
