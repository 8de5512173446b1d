import type { EndpointRequest } from '../http/endpoints.js';
import { send, type Answer } from '../http/requests.js';
import type { App } from '../../src/app.js';
import type { Route } from '../../src/platform/http/pages-application.js';
import { changes } from './belongings.js';
import { differences, plain, told } from './compare.js';
import type { Question } from './question.js';
import { routesOfNobody } from './table.js';
import { alike, things } from './things.js';
import type { World } from './world.js';

/** What came of one question. */
export interface Finding {
  title: string;
  /** One sentence each; empty when all is well. */
  faults: string[];
  byNature: string | undefined;
}

export type Ask = (method: string, request: EndpointRequest) => Promise<Answer>;

export function askAt(issuer: string): Ask {
  return (method, { path, parameters, headers }) => {
    const encoded = new URLSearchParams(parameters).toString();
    if (method !== 'POST') return send(`${issuer}${path}${encoded === '' ? '' : `?${encoded}`}`, { method, headers });
    return send(issuer + path, {
      method,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      body: encoded,
    });
  };
}

/** Asks about a thing of the foreign tenant and about one that does not exist, and compares. */
export async function verify(world: World, question: Question, method: string, ask: Ask): Promise<Finding> {
  const { byNature, parameter, kind, how } = question;
  const path = question.route.split(' ')[1] ?? '';
  const title = `${method} ${path}  ${parameter}: ${kind}${how === undefined ? '' : `, ${how}`}`;
  try {
    return { title, byNature, faults: await faultsOf(world, question, method, ask) };
  } catch (error) {
    return { title, byNature, faults: [`could not be asked: ${(error as Error).message}`] };
  }
}

async function faultsOf(world: World, question: Question, method: string, ask: Ask): Promise<string[]> {
  const { belongings, marks } = world;
  const { byNature, isOwners, writes = {}, kind } = question;
  const thing = await belongings.during(async () => things[kind](world));
  const other = alike(thing.value);
  const request = await question.request(world, thing.value);
  const control = await question.request(world, other);
  const before = await belongings.fingerprint();
  const ofForeign = await ask(method, request);
  const after = await belongings.fingerprint();
  const ofMissing = await ask(method, control);
  const allowed = Object.keys(writes);
  const faults = [
    ...(byNature === undefined ? differences(plain(ofForeign, thing.value), plain(ofMissing, other)) : []),
    ...(isOwners ? [] : told(ofForeign, marks, thing.value)),
    ...changes(before, after, allowed),
    ...(ofForeign.status >= 500 ? [`status ${ofForeign.status}`] : []),
  ];
  await thing.use().catch((error: unknown) => faults.push(`of no use to its owner any more: ${String(error)}`));
  return faults;
}

/** CORS is asked before a request, without anything of it. */
const unasked = new Set(['OPTIONS']);

export interface Plan {
  asked: { question: Question; method: string }[];
  /** What the table lacks, and what it has too much, one sentence each. */
  faults: string[];
}

/** Without the operations of the management API: those are data, and so are the questions to them (`test/management`). */
export function routesByHand({ routes, operations }: Pick<App, 'routes' | 'operations'>): Route[] {
  const isOperation = ({ path, methods }: Route): boolean =>
    operations.some((operation) => path === `/api/v1${operation.path}` && methods.includes(operation.method));
  return routes.filter((route) => !isOperation(route));
}

/** Every question with every method, and where the table and the routes do not meet. */
export function planFor(routes: readonly Route[], questions: readonly Question[]): Plan {
  const served = routes.flatMap(({ path, methods, postable }) =>
    [...methods, ...(postable ? ['POST'] : [])]
      .filter((method) => !unasked.has(method))
      .map((method) => ({ method, row: rowOf(method, path) })),
  );
  const asked = served.flatMap(({ method, row }) =>
    questions.filter(({ route }) => route === row).map((question) => ({ question, method })),
  );
  const rows = new Set(served.map(({ row }) => row));
  const named = new Set([...questions.map(({ route }) => route), ...Object.keys(routesOfNobody)]);
  const unknown = [...named].filter((row) => !rows.has(row)).map((row) => `${row}: there is no such route`);
  return { asked, faults: [...[...rows].flatMap((row) => faultsOfRow(row, questions)), ...unknown] };
}

/** HEAD is asked what GET is asked; the stylesheet has a name made of its content. */
function rowOf(method: string, path: string): string {
  return `${method === 'HEAD' ? 'GET' : method} ${path.startsWith('/assets/') ? '/assets/:style' : path}`;
}

function faultsOfRow(row: string, questions: readonly Question[]): string[] {
  const asked = questions.filter(({ route }) => route === row).map(({ parameter }) => parameter);
  if (row in routesOfNobody) return asked.length > 0 ? [`${row}: has questions, and a reason to have none`] : [];
  if (asked.length === 0) return [`${row}: has neither a question nor a reason to have none`];
  const inPath = row.match(/:\w+/g) ?? [];
  return inPath.filter((name) => !asked.includes(name)).map((name) => `${row}: has no question with ${name}`);
}
