import { randomBytes } from 'node:crypto';
import type { Route } from '../../src/management/index.js';
import { belongingsOf, changes } from '../isolation/belongings.js';
import { differences, plain, told } from '../isolation/compare.js';
import { ask, isOfPerson } from './callers.js';
import { exampleOf, parametersOf, type Example } from './examples.js';
import { apiOfPerson, apiOfService, newGround, type Ground, type ManagementStage } from './ground.js';

/** An operation and an example of it at home, and for one part of its path the id of such a thing of another tenant. */
export interface ForeignAsking {
  route: Route;
  name: string;
  foreign: string;
  example: Example;
}

/** What came of one asking. */
export interface ForeignFinding {
  title: string;
  /** One sentence each; empty when all is well. */
  faults: string[];
}

/** Every operation with every part of its path. */
export async function foreignAskings(
  stage: ManagementStage,
  home: Ground,
  elsewhere: Ground,
): Promise<ForeignAsking[]> {
  const found: ForeignAsking[] = [];
  for (const route of stage.running.app.operations) {
    const names = parametersOf(route);
    if (names.length === 0) continue;
    const [own, other] = [await exampleOf(route, home), await exampleOf(route, elsewhere)];
    for (const name of names) {
      const foreign = other.params[name] ?? '';
      found.push({ route, name, foreign, example: own });
      // with all that is in the other tenant, so that nothing but the tenant is wrong
      if (name === 'tenantId' && names.length > 1) found.push({ route, name, foreign, example: other });
    }
  }
  return found;
}

/**
 * Asks each about the thing of the other tenant and about one that does not exist, as an owner at home. The last finding
 * is whether anything of the other tenant has changed.
 */
export async function* foreignFindings(stage: ManagementStage): AsyncGenerator<ForeignFinding> {
  const [home, elsewhere] = [await newGround(stage), await newGround(stage)];
  const owner = await apiOfService(home, ['owner']);
  const person = await apiOfPerson(home, 'account:read account:write');
  const askings = await foreignAskings(stage, home, elsewhere);
  const { tenantId, ownerId, slug } = elsewhere;
  const { userId, email } = await elsewhere.person();
  const belongings = belongingsOf(stage.running.database, [tenantId, ownerId, userId]);
  const before = await belongings.fingerprint();
  for (const asking of askings) {
    const { route, name, foreign } = asking;
    const caller = isOfPerson(route) ? person : owner;
    const missing = alike(foreign);
    const ofForeign = await ask(caller, route, withId(asking, foreign));
    const ofMissing = await ask(caller, route, withId(asking, missing));
    const faults = [
      ...differences(plain(ofForeign, foreign), plain(ofMissing, missing)),
      ...told(ofForeign, [tenantId, slug, ownerId, userId, email], foreign),
      ...(ofForeign.status === statusFor(asking) ? [] : [`status ${ofForeign.status} ${ofForeign.text}`]),
    ];
    yield { title: `${route.method} /api/v1${route.path}  :${name}`, faults };
  }
  yield {
    title: `${before.size} records of the other tenant`,
    faults: changes(before, await belongings.fingerprint()),
  };
}

/** What operators alone may do is refused to others before anything is looked at. */
function statusFor({ route, name }: ForeignAsking): number {
  const isOfOperators = route.permission.startsWith('platform:') && name !== 'tenantId';
  return isOfOperators ? 403 : 404;
}

function withId({ name, example }: ForeignAsking, id: string): Example {
  return { ...example, params: { ...example.params, [name]: id } };
}

/** An id of the same kind and form that names nothing. */
function alike(id: string): string {
  const [, prefix = '', rest = ''] = /^([a-z]{3}_)?(.*)$/.exec(id) ?? [];
  const other = randomBytes(rest.length).toString(/^[0-9a-f]+$/.test(rest) ? 'hex' : 'base64url');
  return prefix + other.slice(0, rest.length);
}
