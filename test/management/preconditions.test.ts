// ETag and If-Match: nobody overwrites what they have not seen.
import { expect } from 'chai';
import type { Route } from '../../src/management/index.js';
import { dump } from '../http/dump.js';
import type { Answer } from '../http/requests.js';
import { fetchAt } from '../support/fetch-at.js';
import { closeApps, startApp } from '../support/start-app.js';
import { ask, callerOf } from './callers.js';
import { addressOf, exampleOf, type Example } from './examples.js';
import { newGround, openStage, type ManagementStage } from './ground.js';

interface Thing {
  route: Route;
  example: Example;
  /** As it is read now. */
  read(): Promise<{ etag: string; text: string }>;
  change(headers?: Record<string, string>, body?: Example['body']): Promise<Answer>;
}

describe('preconditions of the management API', function () {
  this.timeout(60_000);
  let stage: ManagementStage;
  let patches: readonly Route[];
  before(async () => {
    stage = await openStage();
    patches = stage.running.app.operations.filter(({ method }) => method === 'PATCH');
    expect(patches.length).to.be.greaterThan(6);
  });
  after(closeApps);

  async function newThing(route: Route): Promise<Thing> {
    const ground = await newGround(stage);
    const [caller, example] = [await callerOf(route, ground), await exampleOf(route, ground)];
    return {
      ...{ route, example },
      async read() {
        const { headers, text, status } = await caller.call('GET', addressOf(route, example));
        expect(status, `${route.operationId} is read where it is changed`).to.equal(200);
        return { etag: headers.get('etag') ?? '', text };
      },
      change: (headers = {}, body = example.body) => ask(caller, route, { ...example, ...(body && { body }) }, headers),
    };
  }

  const stored = async (): Promise<string> => JSON.stringify(await dump(stage.running.database));

  it('a change with the ETag of what was read goes through, and yields the ETag that is read then', async () => {
    for (const route of patches) {
      const thing = await newThing(route);
      const { etag } = await thing.read();
      expect(etag, route.operationId).to.match(/^"[\w-]{20,}"$/);
      const answer = await thing.change({ 'If-Match': etag });
      expect(answer.status, `${route.operationId} ${answer.text}`).to.equal(200);
      const after = await thing.read();
      expect(after.etag, route.operationId).not.to.equal(etag);
      expect(answer.headers.get('etag'), route.operationId).to.equal(after.etag);
      expect(after.text, route.operationId).to.equal(answer.text);
      const stale = await thing.change({ 'If-Match': etag });
      expect([stale.status, stale.json['code']], route.operationId).to.deep.equal([412, 'request.changed_meanwhile']);
    }
  });

  it('any other ETag is refused, and nothing is changed', async () => {
    for (const route of patches) {
      const thing = await newThing(route);
      const { etag } = await thing.read();
      const before = await stored();
      const bare = etag.slice(1, -1);
      for (const tag of [
        '"another"',
        `W/${etag}`,
        bare,
        `"${bare}x"`,
        '"',
        '""',
        `"a", W/${etag}`,
        etag.toLowerCase(),
      ]) {
        const answer = await thing.change({ 'If-Match': tag });
        expect(answer.status, `${route.operationId} ${tag} ${answer.text}`).to.equal(412);
        expect(answer.headers.get('content-type')).to.match(/^application\/problem\+json/);
      }
      expect(await stored(), route.operationId).to.equal(before);
    }
  });

  it('what cannot be held to one is not done with one', async () => {
    for (const route of stage.running.app.operations.filter(({ method }) => method !== 'PATCH')) {
      const ground = await newGround(stage);
      const [caller, example] = [await callerOf(route, ground), await exampleOf(route, ground)];
      const before = await stored();
      const answer = await ask(caller, route, example, { 'If-Match': '"a"' });
      expect([answer.status, answer.json['code']], route.operationId).to.deep.equal([
        400,
        'request.precondition_not_supported',
      ]);
      expect(await stored(), route.operationId).to.equal(before);
    }
  });

  it('none, any, and a list in which it stands go through', async () => {
    for (const route of patches) {
      for (const tagOf of [
        () => undefined,
        () => '*',
        (etag: string) => `"another", ${etag}`,
        (etag: string) => `${etag},"b"`,
      ]) {
        const thing = await newThing(route);
        const tag = tagOf((await thing.read()).etag);
        const answer = await thing.change(tag === undefined ? {} : { 'If-Match': tag });
        expect(answer.status, `${route.operationId} ${tag} ${answer.text}`).to.equal(200);
      }
    }
  });

  it('of many changes at once with one ETag, over two processes, one goes through', async () => {
    const second = await startApp({ sharedWith: stage.running });
    const toSecond = fetchAt(second.port);
    const wrong: string[] = [];
    for (const route of patches) {
      const ground = await newGround(stage);
      const [caller, example] = [await callerOf(route, ground), await exampleOf(route, ground)];
      const { headers } = await caller.call('GET', addressOf(route, example));
      const sent = {
        method: 'PATCH',
        headers: {
          ...{ Authorization: `Bearer ${caller.token}`, 'Content-Type': 'application/merge-patch+json' },
          'If-Match': headers.get('etag') ?? '',
        },
        body: JSON.stringify(example.body),
      };
      const url = `${stage.issuer}/api/v1${addressOf(route, example)}`;
      const ways = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? fetch : toSecond));
      const answers = await Promise.all(ways.map((via) => via(url, sent)));
      const statuses = answers.map(({ status }) => status).sort();
      if (statuses.join() !== [200, ...Array<number>(9).fill(412)].join())
        wrong.push(`${route.operationId}: ${statuses.join()}`);
    }
    expect(wrong).to.deep.equal([]);
  });
});
