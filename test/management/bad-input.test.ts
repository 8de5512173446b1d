// Wrong requests, made of the schema of each operation and its example: refused with a pointer, and nothing happens.
import { expect } from 'chai';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { policy } from '../../config/policy.js';
import type { Route } from '../../src/management/index.js';
import { dump, type Dump } from '../http/dump.js';
import { expectSound } from '../http/hostile/sound.js';
import { closeApps } from '../support/start-app.js';
import type { Api } from './api.js';
import { callerOf } from './callers.js';
import { addressOf, exampleOf, type Example } from './examples.js';
import { newGround, openStage, type ManagementStage } from './ground.js';
import { jsonSchemaOf, membersOf, pointerTo, wrongsOf, withWrong } from './wrong-values.js';

interface Sent {
  status: number;
  headers: Headers;
  text: string;
}

interface Asked {
  route: Route;
  example: Example;
  caller: Api;
}

interface Wrong {
  address: string;
  body?: string | Buffer | undefined;
  headers?: Record<string, string>;
}

/** Bodies go with every method, also where `fetch` sends none. */
function send(issuer: string, { route, caller }: Asked, { address, body, headers = {} }: Wrong): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(issuer);
    const length =
      body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const options = {
      ...{ hostname, port, method: route.method, path: `/api/v1${address}` },
      headers: { Authorization: `Bearer ${caller.token}`, ...length, ...headers },
    };
    const sent = request(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({
          ...{ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() },
          headers: new Headers(
            Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]),
          ),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What is wrong with a refusal, or null. Of a 400 with a pointer it has to point there, or at something within. */
function faultOf(answer: Sent, statuses: readonly number[], pointer?: string): string | null {
  const { status, headers, text } = answer;
  const shown = text.slice(0, 300);
  if (!statuses.includes(status)) return `status ${status} ${shown}`;
  expectSound(answer, shown);
  const type = headers.get('content-type') ?? '';
  if (!/^application\/problem\+json(; charset=utf-8)?$/.test(type)) return `type ${type}`;
  const problem = JSON.parse(text) as {
    code?: unknown;
    status?: unknown;
    instance?: unknown;
    errors?: { pointer: string }[];
  };
  if (typeof problem.code !== 'string' || problem.status !== status || problem.instance !== headers.get('x-request-id'))
    return shown;
  if (status !== 400 || pointer === undefined) return null;
  const points = (problem.errors ?? []).some(
    (each) => each.pointer === pointer || each.pointer.startsWith(`${pointer}/`),
  );
  return points ? null : `points elsewhere than at ${pointer}: ${shown}`;
}

const notOfUsers = [
  ...[
    'emailVerified',
    'phoneVerified',
    'status',
    'roles',
    'tenantId',
    'userId',
    'mfaEnabled',
    'mfaSecret',
    'passwordHash',
  ],
  ...[
    'password',
    'id',
    'createdAt',
    'updatedAt',
    'createdBy',
    'invitedBy',
    'isAdmin',
    'permissions',
    'secretHash',
    'plan',
  ],
  ...['features', 'seats', 'scopes', 'tokensEndedAt', 'clientId'],
];

describe('bad input at the management API', function () {
  this.timeout(90_000);
  let stage: ManagementStage;
  let asked: Asked[];
  before(async () => {
    stage = await openStage();
    const ground = await newGround(stage);
    asked = [];
    for (const route of stage.running.app.operations)
      asked.push({ route, example: await exampleOf(route, ground), caller: await callerOf(route, ground) });
  });
  after(closeApps);

  /** Asks about all of them, and says what was not refused as it should be. Nothing may be stored by a refused request. */
  async function refusedAll(
    tries: (each: Asked) => AsyncIterable<[what: string, fault: string | null]>,
  ): Promise<string[]> {
    const wrong: string[] = [];
    for (const each of asked) {
      const before = await dump(stage.running.database);
      for await (const [what, fault] of tries(each))
        if (fault !== null) wrong.push(`${each.route.operationId} ${what}: ${fault}`);
      const after = await dump(stage.running.database);
      if (unexpired(after) !== unexpired(before)) wrong.push(`${each.route.operationId} has changed something`);
    }
    return wrong;
  }

  /** Without what the database forgets by itself meanwhile. */
  function unexpired(dumped: Dump): string {
    const now = new Date();
    const isLive = (row: unknown): boolean => {
      const { expiresAt } = row as { expiresAt?: unknown };
      return !(expiresAt instanceof Date) || expiresAt > now;
    };
    return JSON.stringify(Object.entries(dumped).map(([name, rows]) => [name, rows.filter(isLive)]));
  }

  afterEach('nothing was logged as a failure', () => {
    expect(stage.running.logLines.filter((line) => line.includes('request failed'))).to.deep.equal([]);
  });

  it('sec-075 every member with every value that it cannot have is refused with a pointer to it', async () => {
    let count = 0;
    const wrong = await refusedAll(async function* (each) {
      if (!each.route.body) return;
      for (const member of membersOf(jsonSchemaOf(each.route.body))) {
        for (const value of wrongsOf(member)) {
          count++;
          const body = JSON.stringify(withWrong(each.example.body, member.path, value));
          const at = pointerTo(value.added === undefined ? member.path : [...member.path, value.added]);
          const answer = await send(stage.issuer, each, { address: addressOf(each.route, each.example), body });
          yield [`${at} ${value.what}`, faultOf(answer, [400], at)];
        }
      }
    });
    expect(wrong).to.deep.equal([]);
    expect(count).to.be.greaterThan(1000);
  });

  it('sec-025 sec-070 what is decided by the server is no member of any body, plain, nested or dotted', async () => {
    const wrong = await refusedAll(async function* (each) {
      if (!each.route.body) return;
      const known = Object.keys(jsonSchemaOf(each.route.body).properties ?? {});
      const address = addressOf(each.route, each.example);
      const names = notOfUsers.filter((name) => !known.includes(name));
      const ask = async (added: readonly (readonly [string, unknown])[], first: string): Promise<string | null> => {
        const members = added.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
        const body = `${JSON.stringify(each.example.body).slice(0, -1)},${members.join()}}`;
        return faultOf(await send(stage.issuer, each, { address, body }), [400], pointerTo([first]));
      };
      for (const name of names) yield [name, await ask([[name, true]], name)];
      const [first = ''] = names;
      const twice = names.flatMap((name) => [[name, 1] as const, [name, 2] as const]);
      yield ['twice', await ask(twice, first)];
      for (const prefix of ['profile.', '$set.', 'user[', '/'])
        yield [
          prefix,
          await ask(
            names.map((name) => [prefix + name, true]),
            prefix + first,
          ),
        ];
      for (const name of ['profile', '$set', 'user', 'data'])
        yield [name, await ask([[name, Object.fromEntries(names.map((inner) => [inner, true]))]], name)];
    });
    expect(wrong).to.deep.equal([]);
  });

  it('sec-051 a body that is no JSON object, is packed, too large, or of another type is refused', async () => {
    const { bodyBytes, depth } = policy.management;
    const wrong = await refusedAll(async function* (each) {
      const address = addressOf(each.route, each.example);
      const ask = (body: string | Buffer, headers = {}): Promise<Sent> =>
        send(stage.issuer, each, { address, body, headers });
      const whole = JSON.stringify(each.example.body ?? { a: 1 });
      for (const body of ['{', '{"a":}', 'a', "{'a':1}", '{"a":1}}', '[1,]', 'NaN', whole.slice(0, -1)])
        yield [body, faultOf(await ask(body), [400])];
      for (const body of ['[]', '[1]', '"x"', '1', 'true']) {
        const isNothing = !each.route.body && body === '[]';
        if (!isNothing) yield [body, faultOf(await ask(body), [400])];
      }
      if (each.route.body) for (const body of ['', 'null']) yield [`"${body}"`, faultOf(await ask(body), [400])];
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'text/json',
        'application/json; charset=utf-16',
        'application/xml',
        '',
      ])
        yield [type, faultOf(await ask(whole, { 'Content-Type': type }), [415])];
      for (const [packing, body] of [
        ['gzip', gzipSync(whole)],
        ['br', whole],
        ['gzip, gzip', gzipSync(whole)],
      ] as const)
        yield [packing, faultOf(await ask(body, { 'Content-Encoding': packing }), [415])];
      yield ['too large', faultOf(await ask(`{"a":"${'x'.repeat(bodyBytes)}"}`), [413])];
      const deep = `${'{"a":'.repeat(depth + 1)}1${'}'.repeat(depth + 1)}`;
      yield ['too deep', faultOf(await ask(deep), [400], pointerTo(Array<string>(depth).fill('a')))];
      if (!each.route.body) yield ['a body', faultOf(await ask('{"a":1}'), [400])];
    });
    expect(wrong).to.deep.equal([]);
  });

  it('sec-075 a query that is unknown, repeated, or has not the right form is refused with a pointer to it', async () => {
    const wrong = await refusedAll(async function* (each) {
      const { route, example } = each;
      const body = example.body && JSON.stringify(example.body);
      const [path = '', right = ''] = addressOf(route, example).split('?');
      const ask = (query: string): Promise<Sent> => send(stage.issuer, each, { address: `${path}?${query}`, body });
      const beside = (query: string): string => [right, query].filter(Boolean).join('&');
      for (const name of [
        'x',
        'x[$gt]',
        '$where',
        '__proto__',
        'constructor',
        'a.b',
        'tenantId',
        'fields',
        'sort',
        'access_token',
      ])
        yield [name, faultOf(await ask(beside(`${encodeURIComponent(name)}=1`)), [400], pointerTo([name]))];
      const limits = route.isList ? ['0', '101', '-1', '1.5', '1e1', '', 'abc', '0x10', '%201', '1000', 'null'] : ['1'];
      for (const limit of limits)
        yield [`limit ${limit}`, faultOf(await ask(beside(`limit=${limit}`)), [400], '/limit')];
      for (const cursor of ['', 'x', 'x.y', '.', 'a.b.c', '%00', 'x'.repeat(2000)])
        yield [`cursor ${cursor}`, faultOf(await ask(beside(`cursor=${cursor}`)), [400], '/cursor')];
      yield ['limit twice', faultOf(await ask(beside('limit=1&limit=2')), [400], '/limit')];
      for (const name of Object.keys(route.query?.shape ?? {})) {
        const others = Object.entries(example.query ?? {}).filter(([other]) => other !== name);
        const rest = new URLSearchParams(Object.fromEntries(others)).toString();
        const value = example.query?.[name] ?? 'x';
        for (const query of [`${name}=${value}&${name}=${value}`, `${name}=${'x'.repeat(600)}`])
          yield [query, faultOf(await ask(`${rest}&${query}`), [400], pointerTo([name]))];
        yield [`${name}[$ne]`, faultOf(await ask(`${rest}&${name}[$ne]=1`), [400])];
        if (example.query?.[name] !== undefined)
          yield [`no ${name}`, faultOf(await ask(rest), [400], pointerTo([name]))];
      }
    });
    expect(wrong).to.deep.equal([]);
  });
});
