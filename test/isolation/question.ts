import { basic, authorizeUrl } from '../http/requests.js';
import type { EndpointRequest } from '../http/endpoints.js';
import { projectsApi } from '../support/contract-seed.js';
import type { Kind } from './things.js';
import type { World } from './world.js';

/**
 * One question to one route: somebody at home asks, and all is right but that one parameter names a thing of the foreign
 * tenant. The answer must be the one that a thing gets which does not exist.
 */
export interface Question {
  route: `${'GET' | 'POST'} /${string}`;
  parameter: string;
  kind: Kind;
  /** Who asks or how, where there are several questions about the same. */
  how?: string;
  request(world: World, value: string): EndpointRequest | Promise<EndpointRequest>;
  /** Why the answers may differ: what is asked with is public, or is all that its owner has. */
  byNature?: string;
  /** The answer is for the owner, so it may tell of them. */
  isOwners?: true;
  /** Collections that are written even so, and why. */
  writes?: Readonly<Record<string, string>>;
}

export type Members = Record<string, string>;

export const asPage = { Accept: 'text/html' };
export const isPublic = 'client ids are public: whoever wants to sign in at an app is sent here with its id';

/** Cookies that home's browser has for this path. */
export function cookiesOfHome({ issuer, home }: World, path: string): Members {
  return { ...asPage, Cookie: home.visitor.cookieHeader(new URL(path, issuer).href) };
}

export function authorization(world: World, members: Members): Members {
  const url = authorizeUrl(world.issuer, { scope: 'openid projects:read', resource: projectsApi, ...members });
  return Object.fromEntries(new URL(url).searchParams);
}

export const appOf = ({ home }: World): Members => ({ client_id: home.app[0] });

/** Cookies of the foreign person, by their ids alone: whoever has the signatures too is that browser. */
export function forgedCookies(id: string, ...names: string[]): string {
  return names.flatMap((name) => [`${name}=${id}`, `${name}.sig=${'x'.repeat(43)}`]).join('; ');
}

export type ClientEndpoint = 'token' | 'introspect' | 'revoke' | 'par' | 'device_authorization';

export function byApp(
  endpoint: ClientEndpoint,
  question: Pick<Question, 'parameter' | 'kind' | 'how'>,
  members: (world: World, value: string) => Members | Promise<Members>,
  client: (world: World) => readonly [string, string] = ({ home }) => home.app,
): Question {
  return {
    ...{ route: `POST /oauth2/${endpoint}`, ...question },
    request: async (world, value) => ({
      path: `/oauth2/${endpoint}`,
      parameters: await members(world, value),
      headers: { Authorization: basic(...client(world)) },
    }),
  };
}

/** The ways in which a client says who it is, with one half of somebody else's. */
export function ofClientAuthentication(endpoint: ClientEndpoint, members: (world: World) => Members): Question[] {
  const route = `POST /oauth2/${endpoint}` as const;
  const halves: [kind: Kind, pair: (world: World, value: string) => [string, string]][] = [
    ['client', ({ home }, value) => [value, home.app[1]]],
    ['secret of a client', ({ home }, value) => [home.app[0], value]],
    ['service account', ({ home }, value) => [value, home.service[1]]],
    ['API key', ({ home }, value) => [home.service[0], value]],
  ];
  return halves.flatMap(([kind, pair]): Question[] => [
    {
      ...{ route, kind, parameter: 'Authorization' },
      request: (world, value) => ({
        path: `/oauth2/${endpoint}`,
        parameters: members(world),
        headers: { Authorization: basic(...pair(world, value)) },
      }),
    },
    {
      ...{ route, kind, parameter: /secret|key/i.test(kind) ? 'client_secret' : 'client_id' },
      request(world, value) {
        const [client_id, client_secret] = pair(world, value);
        return {
          path: `/oauth2/${endpoint}`,
          parameters: { ...members(world), client_id, client_secret },
          headers: {},
        };
      },
    },
  ]);
}
