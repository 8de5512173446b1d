// Every list: all of it, once, page by page; no cursor but its own; only what the caller may see; by an index.
import { expect } from 'chai';
import type { mongo } from 'mongoose';
import type { Route } from '../../src/management/index.js';
import type { Answer } from '../http/requests.js';
import { operator as system } from '../support/administered.js';
import { closeApps } from '../support/start-app.js';
import type { Api } from './api.js';
import { callerOf, isOfPerson } from './callers.js';
import { addressOf, exampleOf, type Example } from './examples.js';
import {
  apiOfPerson,
  apiOfService,
  newFactorOf,
  newGround,
  newMember,
  newSessionOf,
  newUser,
  openStage,
  unique,
} from './ground.js';
import type { Ground, ManagementStage } from './ground.js';

type Add = (ground: Ground, example: Example) => Promise<unknown>;

const likeExampleOf =
  (operationId: string): Add =>
  (ground) =>
    exampleOf({ operationId }, ground);
const aFactor: Add = async (ground) => newFactorOf(ground, (await ground.person()).userId);
const aSession: Add = async (ground) => newSessionOf(ground, await ground.person());

/** One more of what it lists; a list without one fails. */
const more: Readonly<Record<string, Add>> = {
  listTenants: newGround,
  listMembers: newMember,
  listMemberSessions: aSession,
  listInvitations: likeExampleOf('getInvitation'),
  listRoles: likeExampleOf('getRole'),
  listServiceAccounts: likeExampleOf('getServiceAccount'),
  async listApiKeys({ running, tenantId }, { params }) {
    const reference = { tenantId, serviceAccountId: params['serviceAccountId'] ?? '' };
    await running.app.administration.createApiKey(system, reference, { label: unique() });
  },
  listClients: likeExampleOf('getClient'),
  listConnections: likeExampleOf('getConnection'),
  listDomains: likeExampleOf('getDomain'),
  listUsers: (ground) => newUser(ground),
  listUserSessions: aSession,
  listResources: likeExampleOf('getResource'),
  async listTemplates(ground) {
    const { body } = await exampleOf({ operationId: 'publishTemplate' }, ground);
    await ground.running.app.administration.publishTemplate(system, body as never);
  },
  async listMyTenants(ground) {
    const { userId } = await ground.person();
    const { tenantId } = await newGround(ground);
    await ground.running.app.administration.addMember(system, tenantId, { userId, roles: ['member'] });
  },
  listMySessions: aSession,
  listUserFactors: aFactor,
  listMyFactors: aFactor,
  listMyIdentities: likeExampleOf('removeMyIdentity'),
};

/** Of the platform, with what is built in among them: a few that every process reads whole anyway. */
const catalogues = ['listResources', 'listTemplates'];

interface List {
  route: Route;
  ground: Ground;
  caller: Api;
  example: Example;
}

const itemsOf = ({ json }: Answer): string[] => (json['items'] as object[]).map((item) => JSON.stringify(item));
const cursorOf = ({ json }: Answer): string | null => json['nextCursor'] as string | null;

function get({ caller, route, example }: List, query: Readonly<Record<string, string>>): Promise<Answer> {
  return caller.call('GET', addressOf(route, { ...example, query: { ...example.query, ...query } }));
}

async function allOf(list: List, limit: number, between: () => Promise<unknown> = async () => null): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const answer: Answer = await get(list, { limit: String(limit), ...(cursor === null ? {} : { cursor }) });
    expect(answer.status, `${list.route.operationId} ${answer.text}`).to.equal(200);
    expect(Object.keys(answer.json), list.route.operationId).to.have.members(['items', 'nextCursor']);
    const items = itemsOf(answer);
    expect(items.length, list.route.operationId).to.be.at.most(limit);
    found.push(...items);
    cursor = cursorOf(answer);
    if (cursor !== null)
      expect(items.length, `${list.route.operationId}: a page that is not the last is full`).to.equal(limit);
    await between();
  } while (cursor !== null && found.length < 10_000);
  return found;
}

describe('lists of the management API', function () {
  this.timeout(60_000);
  let stage: ManagementStage;
  let lists: List[];
  let commands: mongo.CommandStartedEvent[];
  before(async () => {
    stage = await openStage({ monitorCommands: true });
    stage.running.database.connection.getClient().on('commandStarted', (event) => commands.push(event));
    commands = [];
    lists = [];
    for (const route of stage.running.app.operations.filter(({ isList }) => isList)) lists.push(await newList(route));
  });
  after(closeApps);

  async function newList(route: Route): Promise<List> {
    const ground = await newGround(stage);
    const list = { route, ground, caller: await callerOf(route, ground), example: await exampleOf(route, ground) };
    const add = more[route.operationId];
    if (!add) throw new Error(`${route.operationId} has nothing that adds to it in test/management/lists.test.ts`);
    for (let count = 0; count < 4; count++) await add(ground, list.example);
    return list;
  }

  it('show all of it once, in one order, whatever the size of the pages', async () => {
    for (const list of lists) {
      const whole = await allOf(list, 100);
      expect(whole.length, list.route.operationId).to.be.greaterThan(3);
      expect(new Set(whole).size, list.route.operationId).to.equal(whole.length);
      for (const limit of [1, 3, whole.length])
        expect(await allOf(list, limit), `${list.route.operationId} by ${limit}`).to.deep.equal(whole);
      const usual = await get(list, {});
      expect(itemsOf(usual), list.route.operationId).to.deep.equal(whole.slice(0, 20));
    }
  });

  it('show what was there all the time, though others come and go meanwhile', async () => {
    const list = await newList(lists.find(({ route }) => route.operationId === 'listRoles')?.route as Route);
    const { administration } = stage.running.app;
    const before = await allOf(list, 100);
    const found = await allOf(list, 1, async () => {
      const { params } = await exampleOf({ operationId: 'getRole' }, list.ground);
      const { tenantId, roleId = '' } = { ...list.ground, ...params };
      await administration.deleteRole(system, { tenantId, roleId });
    });
    expect(found).to.deep.equal(before);
  });

  it('sec-076 a cursor that was changed is refused', async () => {
    for (const list of lists) {
      const cursor = cursorOf(await get(list, { limit: '1' })) ?? '';
      expect((await get(list, { cursor })).status, list.route.operationId).to.equal(200);
      const [encoded = '', signature = ''] = cursor.split('.');
      const forged = Buffer.from('zzz').toString('base64url');
      const others = [...cursor].map(
        (character, at) => cursor.slice(0, at) + (character === 'A' ? 'B' : 'A') + cursor.slice(at + 1),
      );
      for (const other of [
        ...others,
        encoded,
        `${encoded}.`,
        `.${signature}`,
        `${forged}.${signature}`,
        `${cursor}x`,
        `${cursor}.x`,
        `${encoded}=.${signature}`,
      ]) {
        const { status, json } = await get(list, { cursor: other });
        expect([status, json['code']], `${list.route.operationId} ${other}`).to.deep.equal([400, 'request.bad_cursor']);
      }
    }
  });

  it('sec-076 a cursor of another list, tenant or question is refused', async () => {
    const cursors = new Map<List, string>();
    for (const list of lists) cursors.set(list, cursorOf(await get(list, { limit: '1' })) ?? '');
    for (const list of lists) {
      for (const [of, cursor] of cursors) {
        const { status } = await get(list, { cursor });
        expect(status, `${of.route.operationId} at ${list.route.operationId}`).to.equal(of === list ? 200 : 400);
      }
      // another tenant, another account in it, or another question
      const other = await newGround(stage);
      const filter = Object.keys(list.route.query?.shape ?? {})[0];
      const elsewhere: List = {
        ...list,
        example: await exampleOf(list.route, other),
        caller: await callerOf(list.route, other),
      };
      const asks = list.route.path.includes(':') || isOfPerson(list.route) ? elsewhere : list;
      const query = filter === undefined || asks === elsewhere ? {} : { [filter]: 'somebody@example.com' };
      if (asks === list && filter === undefined) continue;
      const { status } = await get(asks, { cursor: cursors.get(list) ?? '', ...query });
      expect(status, `${list.route.operationId} elsewhere`).to.equal(400);
    }
  });

  it('sec-017 show a tenant to who is in it, and nobody else’s things', async () => {
    const [home, elsewhere] = [await newGround(stage), await newGround(stage)];
    const service = await apiOfService(home, ['viewer']);
    const person = await apiOfPerson(home, 'account:read');
    const foreign = await elsewhere.person();
    for (const { route } of lists) {
      const isOfOperators = route.permission.startsWith('platform:');
      const own = await exampleOf(route, home);
      await more[route.operationId]?.(home, own);
      await more[route.operationId]?.(elsewhere, await exampleOf(route, elsewhere));
      const list = { route, ground: home, example: own, caller: isOfPerson(route) ? person : service };
      if (isOfOperators) {
        expect((await get(list, {})).status, route.operationId).to.equal(403);
        continue;
      }
      const shown = (await allOf(list, 100)).join();
      expect(shown, route.operationId).not.to.equal('');
      for (const mark of [elsewhere.tenantId, elsewhere.slug, elsewhere.ownerId, foreign.userId, foreign.email])
        expect(shown, route.operationId).not.to.contain(mark);
      if (route.operationId === 'listTenants') expect(JSON.parse(shown)).to.have.property('id', home.tenantId);
    }
  });

  it('ask the database by an index, also for the next page', async () => {
    const database = stage.running.database.connection.getClient().db(stage.running.database.connection.name);
    const scanning = new Set<string>();
    for (const list of lists) {
      const cursor = cursorOf(await get(list, { limit: '1' })) ?? '';
      for (const query of [{}, { cursor }]) {
        commands = [];
        await get(list, query);
        const finds = commands.filter(({ commandName }) => commandName === 'find');
        expect(finds.length, list.route.operationId).to.be.greaterThan(0);
        expect(
          commands.map(({ commandName }) => commandName),
          list.route.operationId,
        ).not.to.include('aggregate');
        for (const { command } of finds) {
          const { find, filter, sort, limit } = command as Record<string, unknown>;
          const explain = { find, filter, ...(sort ? { sort } : {}), ...(limit ? { limit } : {}) };
          const { queryPlanner } = await database.command({ explain, verbosity: 'queryPlanner' });
          const stages = JSON.stringify((queryPlanner as { winningPlan: unknown }).winningPlan);
          if (stages.includes('COLLSCAN')) scanning.add(`${list.route.operationId} ${JSON.stringify(explain)}`);
        }
      }
    }
    const found = [...scanning].filter((each) => !catalogues.some((name) => each.startsWith(`${name} `)));
    expect(found).to.deep.equal([]);
    expect(scanning.size, 'what is excused is read whole still').to.equal(catalogues.length);
  });
});
