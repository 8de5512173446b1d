// Who may do what, and with what: every operation, for every role and for every token that is not good for it.
import { expect } from 'chai';
import { z } from 'zod';
import type { Route } from '../../src/management/index.js';
import { builtInRoles, coversPermission, permissionsOf } from '../../src/roles/index.js';
import { dump } from '../http/dump.js';
import { expectSound } from '../http/hostile/sound.js';
import type { Answer } from '../http/requests.js';
import { operator as system } from '../support/administered.js';
import { closeApps } from '../support/start-app.js';
import { apiOf, type Api } from './api.js';
import { ask, isOfPerson } from './callers.js';
import { exampleOf, parametersOf, type Example } from './examples.js';
import { apiOfPerson, apiOfService, newGround, newServiceAccount, openStage } from './ground.js';
import type { Ground, ManagementStage } from './ground.js';

/** Somebody, and the tenant that they ask about. */
interface Caller {
  api: Api;
  /** Permissions and patterns that their roles hold. */
  held: readonly string[];
  /** Of their token; null: all that the roles allow. */
  scopes: readonly string[] | null;
  isPerson: boolean;
  isAtHome: boolean;
  ground(): Ground | Promise<Ground>;
}

const ofEditor = ['projects:read', 'projects:write', 'tenants:read'];
const wordsOf = (role: string, isOfOperators = false): string[] =>
  permissionsOf(
    builtInRoles.filter(({ key }) => key === role),
    isOfOperators,
  );

const makers: Readonly<Record<string, (stage: ManagementStage) => Promise<Caller>>> = {
  'its owner': serviceWith('owner'),
  'its admin': serviceWith('admin'),
  'its member': serviceWith('member'),
  'its viewer': serviceWith('viewer'),
  async 'its editor'(stage) {
    const ground = await newGround(stage);
    const wanted = { key: 'editor', name: 'Editor', permissions: ofEditor };
    await stage.running.app.administration.createRole(system, ground.tenantId, wanted);
    return { ...atHome(ground), api: await apiOfService(ground, ['editor']), held: ofEditor };
  },
  async 'the owner of another'(stage) {
    const [ground, other] = [await newGround(stage), await newGround(stage)];
    return { ...(await serviceWith('owner')(stage)), ...abroad(ground), api: await apiOfService(other, ['owner']) };
  },
  'an owner of the platform': operatorWith('owner'),
  'a viewer of the platform': operatorWith('viewer'),
  'a member of the platform': operatorWith('member'),
  'a person who owns it, for their account': personWith(['account:read', 'account:write']),
  'a person who owns it, to read their account': personWith(['account:read']),
  'a person who owns it, for members': personWith(['members:read', 'members:write', 'tenants:read']),
};

function atHome(ground: Ground): Omit<Caller, 'api' | 'held'> {
  return { scopes: null, isPerson: false, isAtHome: true, ground: () => ground };
}

function abroad(ground: Ground): Pick<Caller, 'isAtHome' | 'ground'> {
  return { isAtHome: false, ground: () => ground };
}

function serviceWith(role: string): (stage: ManagementStage) => Promise<Caller> {
  return async (stage) => {
    const ground = await newGround(stage);
    return { ...atHome(ground), api: await apiOfService(ground, [role]), held: wordsOf(role) };
  };
}

/** They ask about a new tenant each time, for what they do to it may close it. */
function operatorWith(role: string): (stage: ManagementStage) => Promise<Caller> {
  return async (stage) => ({
    ...{ api: await apiOf(stage.running, `platform-${role}`), held: wordsOf(role, true) },
    ...{ scopes: null, isPerson: false, isAtHome: false, ground: () => newGround(stage) },
  });
}

function personWith(scopes: string[]): (stage: ManagementStage) => Promise<Caller> {
  return async (stage) => {
    const ground = await newGround(stage);
    const api = await apiOfPerson(ground, scopes.join(' '));
    return { ...atHome(ground), ...{ api, held: wordsOf('owner'), scopes, isPerson: true } };
  };
}

function holds({ held, scopes, isPerson }: Caller, permission: string): boolean {
  if (scopes !== null && !scopes.includes(permission)) return false;
  return permission.startsWith('account:') ? isPerson : coversPermission(held, permission);
}

/** By the words of the roles and by what the operation says it needs; 404 for whom the tenant does not exist. */
function expected(route: Route, caller: Caller): string {
  const { permission, operatorPermission } = route;
  const isHere = caller.isAtHome || !parametersOf(route).includes('tenantId');
  if (operatorPermission !== undefined && holds(caller, operatorPermission)) return String(route.status);
  if (isHere) return holds(caller, permission) ? String(route.status) : `403 ${permission}`;
  return holds(caller, 'platform:tenants:read') ? `403 ${operatorPermission ?? permission}` : '404';
}

/** Status, and of a refusal the permission that its challenge names. */
function outcome({ issuer }: ManagementStage, { status, headers, text }: Answer): string {
  const challenge = headers.get('www-authenticate');
  if (status < 400) return String(status);
  if (status !== 403) return challenge === null ? `${status}` : `${status} with a challenge`;
  const [, scope] = /scope="([^"]+)"/.exec(challenge ?? '') ?? [];
  const wanted = `Bearer error="insufficient_scope", scope="${scope}", resource_metadata="${issuer}/.well-known/oauth-protected-resource/api"`;
  return text.includes('"code":"token.insufficient_scope"') && challenge === wanted ? `403 ${scope}` : `403 ${text}`;
}

/** What these end is the token of who may call them, so they come last. */
const ending = new Set(['endMySessions', 'endTokensOfTenant']);

function endingLast(routes: readonly Route[], caller: Caller): Route[] {
  const ends = (route: Route): boolean =>
    ending.has(route.operationId) && expected(route, caller) === String(route.status);
  return routes.toSorted((left, right) => Number(ends(left)) - Number(ends(right)));
}

describe('permissions of the management API', function () {
  this.timeout(60_000);
  let stage: ManagementStage;
  const shared = new Map<string, Example>();
  before(async () => {
    stage = await openStage();
    const ground = await newGround(stage);
    for (const route of stage.running.app.operations) shared.set(route.operationId, await exampleOf(route, ground));
  });
  after(closeApps);

  /** New where something is to come of it. */
  async function exampleFor(route: Route, caller: Caller, should: string): Promise<Example> {
    if (should === String(route.status)) return exampleOf(route, await caller.ground());
    const example = shared.get(route.operationId) as Example;
    if (!caller.isAtHome || !('tenantId' in example.params)) return example;
    return { ...example, params: { ...example.params, tenantId: (await caller.ground()).tenantId } };
  }

  for (const [who, make] of Object.entries(makers)) {
    it(`sec-073 sec-072 ${who} may do what their role says, and nothing else`, async () => {
      const caller = await make(stage);
      const wrong: string[] = [];
      for (const route of endingLast(stage.running.app.operations, caller)) {
        const should = expected(route, caller);
        const answer = await ask(caller.api, route, await exampleFor(route, caller, should));
        expectSound(answer, route.operationId);
        const is = outcome(stage, answer);
        if (is !== should) wrong.push(`${route.operationId}: ${is}, not ${should} ${answer.text.slice(0, 200)}`);
      }
      expect(wrong).to.deep.equal([]);
    });
  }

  it('sec-073 a permission to read is enough where nothing changes, and nowhere else', async () => {
    const ground = await newGround(stage);
    for (const route of stage.running.app.operations) {
      const { operationId, method, permission, operatorPermission } = route;
      const isReading = method === 'GET' || answersAlone.has(operationId);
      for (const each of [permission, operatorPermission ?? permission])
        expect(each, operationId).to.match(isReading ? /:read$/ : /:write$/);
      if (!isReading || isOfPerson(route)) continue;
      const example = await exampleOf(route, ground);
      const before = await stored();
      expect((await ask(stage.operator, route, example)).status, operationId).to.equal(200);
      expect(await stored(), operationId).to.equal(before);
    }
  });

  /** Without the counter by which a transaction holds a tenant; previews look at it under that too. */
  async function stored(): Promise<string> {
    return JSON.stringify(await dump(stage.running.database)).replace(/"holds":\d+/g, '');
  }

  it('sec-072 nobody gives a role or a permission that they lack', async () => {
    const ground = await newGround(stage);
    const wrong: string[] = [];
    const giving = stage.running.app.operations.filter(
      (route) => parametersOf(route).includes('tenantId') && membersOf(route).some((name) => name in beyond),
    );
    expect(giving.map(({ operationId }) => operationId)).to.include.members(['changeMember', 'createRole']);
    const admin = await apiOfService(ground, ['admin']);
    for (const route of giving) {
      const alone = await holderOf(ground, route.permission);
      for (const [caller, name, value] of [...given(route, alone, beyond), ...given(route, admin, beyondAdmin)]) {
        const example = await exampleOf(route, ground);
        const answer = await ask(caller, route, { ...example, body: { ...example.body, [name]: value } });
        if (answer.status !== 403 && answer.json['code'] !== 'role.unknown_permission')
          wrong.push(`${route.operationId} ${name} ${value.join()}: ${answer.status} ${answer.text}`);
      }
    }
    expect(wrong).to.deep.equal([]);
  });

  it('sec-072 an admin does nothing to who is above them', async () => {
    const ground = await newGround(stage);
    const admin = await apiOfService(ground, ['admin']);
    const { serviceAccountId } = await newServiceAccount(ground, ['owner']);
    const wrong: string[] = [];
    for (const route of stage.running.app.operations) {
      const names = parametersOf(route);
      const isOfMember =
        names.includes('tenantId') && names.at(-1) === 'userId' && route.permission === 'members:write';
      const isOfAccount = route.permission === 'service-accounts:write' && names.includes('serviceAccountId');
      if ((!isOfMember && !isOfAccount) || takesNothing.has(route.operationId)) continue;
      const example = await exampleOf(route, ground);
      const { keyId } = example.params;
      const above = isOfMember ? { userId: ground.ownerId } : { serviceAccountId, ...(keyId && { keyId }) };
      const answer = await ask(admin, route, { ...example, params: { ...example.params, ...above } });
      if (answer.json['code'] !== 'role.beyond_own')
        wrong.push(`${route.operationId}: ${answer.status} ${answer.text}`);
    }
    expect(wrong).to.deep.equal([]);
  });
});

/** Posted for the length of the question. */
const answersAlone = new Set(['previewTemplate', 'explainAccess']);

/** Ends tokens, as an admin may do for the whole tenant; nobody gains by it. */
const takesNothing = new Set(['endTokensOfServiceAccount']);

/** More than who holds one permission alone can give. */
const beyond: Readonly<Record<string, string[][]>> = {
  roles: [['owner'], ['admin'], ['viewer'], ['member', 'admin']],
  permissions: [['sessions:write'], ['projects:read', 'sessions:write'], ['platform:tenants:write']],
};

const beyondAdmin: typeof beyond = {
  roles: [['owner'], ['viewer', 'owner']],
  permissions: [['platform:tenants:write']],
};

function given(route: Route, caller: Api, values: typeof beyond): [caller: Api, name: string, value: string[]][] {
  const names = membersOf(route).filter((name) => name in values);
  return names.flatMap((name) => (values[name] ?? []).map((value): [Api, string, string[]] => [caller, name, value]));
}

function membersOf({ body }: Route): string[] {
  const { properties = {} } = body ? z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }) : {};
  return Object.keys(properties);
}

async function holderOf(ground: Ground, permission: string): Promise<Api> {
  const key = `only-${permission.replaceAll(':', '-')}`.slice(0, 40);
  const permissions = permission.startsWith('platform:') ? ['tenants:read'] : [permission, 'projects:read'];
  const { administration } = ground.running.app;
  await administration.createRole(system, ground.tenantId, { key, name: key, permissions }).catch(() => undefined);
  return apiOfService(ground, [key]);
}
