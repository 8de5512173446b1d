import type { Call, MeasuredServer } from './load.js';
import { api, manyClients } from './bench-seed.js';
import { exchange, freshCodes, freshTokens, tokenCall } from './flows.js';

/** One kind of request, measured on both servers. */
export interface Scenario {
  name: string;
  /** Most that ours may use of the library's processor time; undefined: nothing is asked. */
  goal?: number;
  perRound: number;
  /** The same answer for everybody; measured beside a server of Node that does nothing but answer, too. */
  isDocument?: true;
  calls(server: MeasuredServer, count: number): Promise<Call[]>;
}

const repeated = (call: Call) => async (_server: MeasuredServer, count: number) =>
  Array.from({ length: count }, () => call);
const serviceToken = (clientId: string, resource: string): Call =>
  tokenCall(clientId, 'service', { grant_type: 'client_credentials', resource, scope: 'projects:read' });

export const scenarios: readonly Scenario[] = [
  {
    name: 'discovery',
    goal: 0.35,
    perRound: 1500,
    isDocument: true,
    calls: repeated({ method: 'GET', path: '/.well-known/openid-configuration' }),
  },
  {
    name: 'jwks',
    goal: 0.35,
    perRound: 1500,
    isDocument: true,
    calls: repeated({ method: 'GET', path: '/oauth2/jwks' }),
  },
  { name: 'client_credentials opaque', perRound: 500, calls: repeated(serviceToken('service', api.opaque)) },
  { name: 'client_credentials ES256', goal: 1.1, perRound: 500, calls: repeated(serviceToken('service', api.es256)) },
  { name: 'client_credentials RS256', goal: 1.1, perRound: 400, calls: repeated(serviceToken('service', api.rs256)) },
  {
    name: 'client_credentials 1,000 clients',
    goal: 0.8,
    perRound: 1000,
    calls: async (_server, count) =>
      manyClients()
        .slice(0, count)
        .map(({ clientId }) => serviceToken(clientId, api.es256)),
  },
  {
    name: 'code exchange',
    perRound: 200,
    calls: async (server, count) =>
      (await freshCodes(server, 'web', count)).map((code) => exchange('web', code, api.es256)),
  },
  {
    name: 'refresh',
    goal: 2.5,
    perRound: 200,
    calls: async (server, count) =>
      (await freshTokens(server, 'web', count)).map(({ refresh_token }) =>
        tokenCall('web', 'application', { grant_type: 'refresh_token', refresh_token }),
      ),
  },
  {
    name: 'introspection',
    goal: 2.5,
    perRound: 400,
    calls: async (server, count) => {
      const [tokens] = await freshTokens(server, 'plain', 1);
      const form = { token: tokens?.access_token ?? '', token_type_hint: 'access_token' };
      return Array.from({ length: count }, () => tokenCall('plain', 'application', form, '/oauth2/introspect'));
    },
  },
  {
    name: 'introspection, each token once',
    perRound: 200,
    calls: async (server, count) =>
      (await freshTokens(server, 'plain', count)).map(({ access_token: token }) =>
        tokenCall('plain', 'application', { token, token_type_hint: 'access_token' }, '/oauth2/introspect'),
      ),
  },
  {
    name: 'userinfo',
    goal: 2.5,
    perRound: 400,
    calls: async (server, count) => {
      const [tokens] = await freshTokens(server, 'plain', 1);
      const headers = { Authorization: `Bearer ${tokens?.access_token ?? ''}` };
      return Array.from({ length: count }, () => ({ method: 'GET' as const, path: '/oauth2/userinfo', headers }));
    },
  },
];
