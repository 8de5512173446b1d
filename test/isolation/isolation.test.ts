import { expect } from 'chai';
import { manyTries } from '../http/hostile/ask.js';
import { endpoints, openStage } from '../http/endpoints.js';
import { closeApps, startApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import type { Question } from './question.js';
import { parametersOfNobody, questions } from './table.js';
import { foreign, seedOfTwoAlike } from './two-alike.js';
import { askAt, planFor, routesByHand, verify, type Ask } from './verify.js';
import { openWorld, type World } from './world.js';

describe('sec-013 tenants', function () {
  this.timeout(300_000);
  let world: World;
  beforeEach(async () => {
    world = await openWorld(await startApp({ seed: seedOfTwoAlike, policy: manyTries }));
  });
  afterEach(closeApps);

  it('a thing of another tenant is answered as one that does not exist, and nothing of it changes', async () => {
    const { asked, faults } = planFor(routesByHand(world.running.app), questions);
    expect(faults).to.deep.equal([]);
    expect(asked.length).to.be.greaterThan(150);
    const wrong: string[] = [];
    for (const { question, method } of asked) {
      const { title, faults: found } = await verify(world, question, method, askAt(world.issuer));
      wrong.push(...found.map((fault) => `${title}: ${fault}`));
    }
    expect(wrong, wrong.join('\n')).to.deep.equal([]);
  });

  it('every parameter of every route is asked with, or says why it names nothing', async () => {
    const stage = await openStage(await startApp({ seed: seedWithTwoTenants }));
    const missing: string[] = [];
    for (const { method, path, request } of endpoints) {
      const { parameters, headers } = await request(stage);
      const asked = questions.filter(({ route }) => route === `${method} ${path}`).map(({ parameter }) => parameter);
      const names = [...Object.keys(parameters), ...Object.keys(headers)];
      // routes without a question are not here for their parameters; see the plan
      if (asked.length === 0) continue;
      missing.push(
        ...names
          .filter((name) => !asked.includes(name) && !(name in parametersOfNobody))
          .map((name) => `${method} ${path} ${name}`),
      );
    }
    expect([...new Set(missing)]).to.deep.equal([]);
  });

  describe('the proof can fail', () => {
    const introspecting = questions.find(
      ({ route, kind }) => route === 'POST /oauth2/introspect' && kind === 'opaque access token',
    ) as Question;

    /** What is found when the server answers a thing of the foreign tenant like this; what does not exist comes second. */
    async function faultsWith(answerForeign: Ask, question = introspecting): Promise<string[]> {
      const ask = askAt(world.issuer);
      let isForeign = true;
      const { faults } = await verify(world, question, 'POST', (method, request) => {
        const answer = isForeign ? answerForeign(method, request) : ask(method, request);
        isForeign = false;
        return answer;
      });
      return faults;
    }

    const altered =
      (change: { status?: number; text?: string; header?: [string, string] }): Ask =>
      async (method, request) => {
        const { json: _, ...answer } = await askAt(world.issuer)(method, request);
        const headers = new Headers(answer.headers);
        if (change.header) headers.set(...change.header);
        return { ...answer, ...change, headers, json: {} };
      };

    it('with an answer that is right', async () => {
      expect(await faultsWith(altered({}))).to.deep.equal([]);
    });

    it('by the status, a header, or one byte of the body', async () => {
      expect(await faultsWith(altered({ status: 403 }))).to.deep.equal(['status 403, else 200']);
      expect(await faultsWith(altered({ header: ['x-owner', 'somebody'] }))).to.deep.equal([
        'header x-owner: somebody, else none',
      ]);
      expect(await faultsWith(altered({ text: '{"active":false }' }))).to.have.lengthOf(1);
      expect(await faultsWith(altered({ status: 500 }))).to.include('status 500');
    });

    it('by what the answer tells of the tenant, also where answers may differ', async () => {
      for (const mark of [world.foreign.tenantId, world.foreign.tenantName, foreign.person.email]) {
        const telling = altered({ text: `{"of":"${mark}"}` });
        expect(await faultsWith(telling)).to.include(`tells ${mark}`);
        expect(await faultsWith(telling, { ...introspecting, byNature: 'a test' })).to.deep.equal([`tells ${mark}`]);
      }
    });

    it('by a record that was changed, added or taken away', async () => {
      const { database } = world.running;
      const { tenantId } = world.foreign;
      const grant = await database.collection<{ _id: string }>('oidc_grants').findOne({ tenantId });
      for (const [write, fault] of [
        [
          () => database.collection('roles').updateMany({ tenantId }, { $set: { name: 'x' } }),
          /^roles\/.* was changed$/,
        ],
        [() => database.collection('events').insertOne({ data: { to: tenantId } }), /^events\/.* was added$/],
        [() => database.collection('oidc_grants').deleteOne({ _id: grant?._id as never }), /^oidc_grants\/.* is gone$/],
      ] as [() => Promise<unknown>, RegExp][]) {
        const faults = await faultsWith(async (method, request) => {
          await write();
          return askAt(world.issuer)(method, request);
        });
        expect(faults).to.have.lengthOf(1);
        expect(faults[0]).to.match(fault);
      }
    });

    it('by a thing that is of no use to its owner afterwards', async () => {
      const faults = await faultsWith(async (method, request) => {
        await world.running.database.collection('oidc_access_tokens').deleteMany({});
        return askAt(world.issuer)(method, request);
      });
      expect(faults.at(-1)).to.match(/^of no use to its owner any more/);
    });

    it('by a route that is not in the table, or is in it in vain', () => {
      const routes = routesByHand(world.running.app);
      const added = [...routes, { path: '/tenants/:tenant/members/:id', methods: ['GET', 'DELETE'] }];
      const path = '/tenants/:tenant/members/:id';
      expect(planFor(added, questions).faults).to.deep.equal([
        `GET ${path}: has neither a question nor a reason to have none`,
        `DELETE ${path}: has neither a question nor a reason to have none`,
      ]);
      const half = [...questions, { ...introspecting, route: `GET ${path}` as const, parameter: ':tenant' }];
      expect(planFor(added, half).faults).to.include(`GET ${path}: has no question with :id`);
      expect(planFor(routes, half).faults).to.deep.equal([`GET ${path}: there is no such route`]);
      const needless = [...questions, { ...introspecting, route: 'GET /health/live' as const }];
      expect(planFor(routes, needless).faults).to.deep.equal([
        'GET /health/live: has questions, and a reason to have none',
      ]);
    });
  });
});
