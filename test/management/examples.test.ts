import { expect } from 'chai';
import { expectSound } from '../http/hostile/sound.js';
import { send } from '../http/requests.js';
import { closeApps } from '../support/start-app.js';
import type { Api } from './api.js';
import { ask, callerOf } from './callers.js';
import { addressOf, exampleOf, examples, parametersOf } from './examples.js';
import { newGround, openStage, type ManagementStage } from './ground.js';

/** What they make is read in its list alone. */
const withoutAddress = new Set(['publishTemplate']);

describe('examples of the management API', function () {
  this.timeout(60_000);
  let stage: ManagementStage;
  before(async () => {
    stage = await openStage();
  });
  after(closeApps);

  it('are there for every operation, and for nothing else', () => {
    const { operations } = stage.running.app;
    expect(Object.keys(examples).sort()).to.deep.equal(operations.map(({ operationId }) => operationId).sort());
  });

  it('fill every part of the path, and carry a body and a query where the operation takes them', async () => {
    const ground = await newGround(stage);
    for (const route of stage.running.app.operations) {
      const { params, query, body } = await exampleOf(route, ground);
      const [path = ''] = addressOf(route, { params }).split('?');
      expect(path, route.operationId).not.to.match(/:|\/\/|\/$/);
      expect(Object.keys(params).sort(), route.operationId).to.deep.equal(parametersOf(route).sort());
      expect(body === undefined, `${route.operationId} body`).to.equal(route.body === undefined);
      if (query) expect(route.query, route.operationId).not.to.equal(undefined);
    }
  });

  /** A thing without an operation that shows it has an address all the same: that at which it is taken away. */
  async function expectThere(caller: Api, location: string, why: string): Promise<void> {
    const path = location.replace(/^\/api\/v1/, '').split('?')[0] ?? '';
    const named = stage.running.app.operations.filter((route) =>
      new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`).test(path),
    );
    expect(named.length, `${why} at ${location}`).to.be.greaterThan(0);
    if (!named.some(({ method }) => method === 'GET')) return;
    const { status } = await send(stage.issuer + location, { headers: { Authorization: `Bearer ${caller.token}` } });
    expect(status, `${why} at ${location}`).to.equal(200);
  }

  it('are answered as the operation says', async () => {
    for (const route of stage.running.app.operations) {
      const ground = await newGround(stage);
      const caller = await callerOf(route, ground);
      const answer = await ask(caller, route, await exampleOf(route, ground));
      const why = `${route.operationId} ${answer.text}`;
      expect(answer.status, why).to.equal(route.status);
      if (route.status === 204) expect(answer.text, why).to.equal('');
      else expect(answer.headers.get('content-type'), why).to.equal('application/json; charset=utf-8');
      expectSound(answer, why);
      if (answer.location !== null) await expectThere(caller, answer.location, why);
      else expect(route.status === 201, why).to.equal(withoutAddress.has(route.operationId));
    }
  });
});
