// Idempotency-Key: whatever is posted again under one key is done once.
import { expect } from 'chai';
import type { Route } from '../../src/management/index.js';
import { dump } from '../http/dump.js';
import type { Answer } from '../http/requests.js';
import { tenantIdOf } from '../support/administered.js';
import { fetchAt } from '../support/fetch-at.js';
import { closeApps, startApp } from '../support/start-app.js';
import type { Api } from './api.js';
import { ask, callerOf } from './callers.js';
import { addressOf, exampleOf, type Example } from './examples.js';
import { apiOfPerson, apiOfService, newGround, openStage, unique } from './ground.js';
import type { Ground, ManagementStage } from './ground.js';

interface Posting {
  route: Route;
  ground: Ground;
  caller: Api;
  example: Example;
}

/** Another one that is as right. */
function otherBody(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { name, label, version, ...rest } = body;
  if (typeof name === 'string') return { ...body, name: `${name} 2` };
  if (typeof label === 'string') return { ...body, label: `${label} 2` };
  if (version !== undefined) return rest;
  if ('key' in body) return { ...body, version: 1 };
  if ('type' in body) return { ...body, type: 'personal' };
  if ('roles' in body) return { ...body, roles: ['viewer'] };
  if ('address' in body) return { ...body, address: '192.0.2.2' };
  return { ...body, token: 'another' };
}

describe('idempotency keys of the management API', function () {
  this.timeout(60_000);
  let stage: ManagementStage;
  let posts: readonly Route[];
  before(async () => {
    stage = await openStage();
    posts = stage.running.app.operations.filter(({ method }) => method === 'POST');
    expect(posts.length).to.be.greaterThan(20);
  });
  after(closeApps);

  async function newPosting(route: Route): Promise<Posting> {
    const ground = await newGround(stage);
    return { route, ground, caller: await callerOf(route, ground), example: await exampleOf(route, ground) };
  }

  const postAs = (caller: Api, { route, example }: Posting, key: string): Promise<Answer> =>
    ask(caller, route, example, { 'Idempotency-Key': key });
  const post = (posting: Posting, key: string): Promise<Answer> => postAs(posting.caller, posting, key);
  const stored = async (): Promise<string> => JSON.stringify(await dump(stage.running.database));
  const told = ({ status, headers, text }: Answer): unknown[] => [
    status,
    headers.get('location'),
    headers.get('etag'),
    text,
  ];

  async function countDocuments(): Promise<number> {
    return Object.values(await dump(stage.running.database, { _id: 1 })).flat().length;
  }

  it('the same request again is given the same answer, and nothing is done', async () => {
    for (const route of posts) {
      const [posting, key] = [await newPosting(route), unique()];
      const first = await post(posting, key);
      expect(first.status, `${route.operationId} ${first.text}`).to.equal(route.status);
      const before = await stored();
      expect(told(await post(posting, key)), route.operationId).to.deep.equal(told(first));
      expect(await stored(), route.operationId).to.equal(before);
    }
  });

  it('another body under the same key is refused, and nothing is done', async () => {
    for (const route of posts.filter(({ body }) => body)) {
      const [posting, key] = [await newPosting(route), unique()];
      await post(posting, key);
      const before = await stored();
      const example = { ...posting.example, body: otherBody(posting.example.body ?? {}) };
      const other = await post({ ...posting, example }, key);
      expect(
        [other.status, other.text.includes('idempotency.other_request')],
        `${route.operationId} ${other.text}`,
      ).to.deep.equal([422, true]);
      expect(await stored(), route.operationId).to.equal(before);
    }
  });

  it('the key of somebody else is another key', async () => {
    const platform = { ...(await newGround(stage)), tenantId: await tenantIdOf(stage.running, 'platform') };
    const colleague = await apiOfService(platform, ['owner']);
    const other = await apiOfPerson(await newGround(stage), 'account:write');
    const records = stage.running.database.collection('idempotency_keys');
    for (const route of posts) {
      const [posting, key] = [await newPosting(route), unique()];
      const first = await post(posting, key);
      const before = await records.countDocuments();
      const second = await postAs(posting.caller === stage.operator ? colleague : other, posting, key);
      const isDone = second.status < 400;
      expect(await records.countDocuments(), `${route.operationId} ${second.text}`).to.equal(before + Number(isDone));
      if (!isDone) expect(second.status, route.operationId).not.to.equal(422);
      const { secret, id } = first.text === '' ? {} : first.json;
      for (const shown of [secret, id].filter((each) => typeof each === 'string' && route.status === 201))
        expect(second.text, route.operationId).not.to.contain(shown);
    }
  });

  it('of many at once with one key, over two processes, one is done', async () => {
    const second = await startApp({ sharedWith: stage.running });
    const toSecond = fetchAt(second.port);
    const wrong: string[] = [];
    for (const route of posts) {
      const [alone, posting] = [await newPosting(route), await newPosting(route)];
      const before = await countDocuments();
      await post(alone, unique());
      const between = await countDocuments();
      const { body } = posting.example;
      const sent = {
        method: 'POST',
        headers: {
          ...{ Authorization: `Bearer ${posting.caller.token}`, 'Idempotency-Key': unique() },
          ...(body && { 'Content-Type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      };
      const url = `${stage.issuer}/api/v1${addressOf(route, posting.example)}`;
      const ways = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? fetch : toSecond));
      const answers = await Promise.all(
        ways.map(async (via) => via(url, sent).then(async (each) => `${each.status} ${await each.text()}`)),
      );
      const done = new Set(answers.filter((each) => each.startsWith(String(route.status))));
      const others = answers.filter((each) => !done.has(each) && !/^409 .*idempotency\.not_finished/.test(each));
      if (done.size !== 1 || others.length > 0)
        wrong.push(`${route.operationId}: ${[...done, ...others].join(' | ').slice(0, 500)}`);
      const [ofOne, ofMany] = [between - before, (await countDocuments()) - between];
      if (ofOne !== ofMany) wrong.push(`${route.operationId}: ${ofMany} records, and of one ${ofOne}`);
    }
    expect(wrong).to.deep.equal([]);
  });

  it('sec-077 answers are kept sealed, also for another process', async () => {
    const second = await startApp({ sharedWith: stage.running });
    for (const operationId of ['createApiKey', 'createClient', 'rotateClientSecret']) {
      const route = posts.find((each) => each.operationId === operationId) as Route;
      const [posting, key] = [await newPosting(route), unique()];
      const { text, json } = await post(posting, key);
      expect(await stored()).not.to.contain(String(json['secret']));
      expect(await stored()).not.to.contain(key);
      const again = await fetchAt(second.port)(`${stage.issuer}/api/v1${addressOf(route, posting.example)}`, {
        method: 'POST',
        headers: {
          ...{ Authorization: `Bearer ${posting.caller.token}`, 'Idempotency-Key': key },
          'Content-Type': 'application/json',
        },
        body: JSON.stringify(posting.example.body ?? {}),
      });
      expect(await again.text()).to.equal(text);
    }
  });

  it('what was refused may be tried again under the same key', async () => {
    const route = posts.find(({ operationId }) => operationId === 'createRole') as Route;
    const [posting, key] = [await newPosting(route), unique()];
    const unknown = { ...posting.example, body: { ...posting.example.body, permissions: ['nobody:knows'] } };
    expect((await post({ ...posting, example: unknown }, key)).status).to.equal(400);
    expect((await post(posting, key)).status).to.equal(201);
  });

  describe('while the database fails', () => {
    const failing = (mode: object | 'off', data: object = {}): Promise<unknown> =>
      stage.running.database.connection
        .getClient()
        .db('admin')
        .command({ configureFailPoint: 'failCommand', mode, data });
    afterEach(() => failing('off'));

    it('what was not done may be tried again', async () => {
      const route = posts.find(({ operationId }) => operationId === 'createRole') as Route;
      const [posting, key] = [await newPosting(route), unique()];
      await failing({ times: 1 }, { failCommands: ['findAndModify'], errorCode: 50 });
      expect((await post(posting, key)).status).to.equal(503);
      expect((await post(posting, key)).status).to.equal(201);
    });

    it('what may have been done is not done again', async () => {
      const route = posts.find(({ operationId }) => operationId === 'createRole') as Route;
      const [posting, key] = [await newPosting(route), unique()];
      await failing({ times: 5 }, { failCommands: ['commitTransaction'], errorCode: 50 });
      expect((await post(posting, key)).status).to.equal(503);
      await failing('off');
      const again = await post(posting, key);
      expect([again.status, again.json['code']]).to.deep.equal([409, 'idempotency.not_finished']);
    });
  });

  it('a key that is none is refused', async () => {
    for (const route of posts) {
      const posting = await newPosting(route);
      const before = await stored();
      for (const key of ['x'.repeat(256), 'a b', 'é', 'a\tb']) {
        const answer = await post(posting, key);
        expect([answer.status, answer.json['code']], `${route.operationId} ${key}`).to.deep.equal([
          400,
          'idempotency.bad_key',
        ]);
      }
      expect(await stored(), route.operationId).to.equal(before);
    }
  });
});
