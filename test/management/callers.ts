import type { Route } from '../../src/management/index.js';
import type { Answer } from '../http/requests.js';
import type { Api } from './api.js';
import { addressOf, type Example } from './examples.js';
import { apiOfPerson, type Ground } from './ground.js';

export const isOfPerson = ({ permission }: Pick<Route, 'permission'>): boolean => permission.startsWith('account:');

/** Somebody who may call it: a person about themselves, else an operator. */
export async function callerOf(route: Route, ground: Ground): Promise<Api> {
  return isOfPerson(route) ? apiOfPerson(ground, 'account:read account:write') : ground.operator;
}

export function ask(
  caller: Pick<Api, 'call'>,
  route: Pick<Route, 'method' | 'path'>,
  example: Example,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { body } = example;
  return caller.call(route.method, addressOf(route, example), { headers, ...(body === undefined ? {} : { body }) });
}
