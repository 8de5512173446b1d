import type { EndpointRequest } from '../http/endpoints.js';
import { appOf, asPage, cookiesOfHome, forgedCookies, isPublic, type Members, type Question } from './question.js';
import type { World } from './world.js';

const holdsIdToken =
  'whoever has an ID token has all that it says, and it ends nobody’s session but that of the browser';

export const signOutQuestions: Question[] = (['GET /oauth2/logout', 'POST /oauth2/logout'] as const).flatMap(
  (route) => {
    const leaving =
      (members: (world: World, value: string) => Members) =>
      (world: World, value: string): EndpointRequest => ({
        path: '/oauth2/logout',
        parameters: members(world, value),
        headers: cookiesOfHome(world, '/oauth2/logout'),
      });
    const questions: Omit<Question, 'route'>[] = [
      {
        ...{ parameter: 'id_token_hint', kind: 'ID token', how: 'for a client of home' },
        request: leaving((world, id_token_hint) => ({ id_token_hint, ...appOf(world) })),
      },
      {
        ...{ parameter: 'id_token_hint', kind: 'ID token', byNature: holdsIdToken },
        request: leaving((_world, id_token_hint) => ({ id_token_hint })),
      },
      {
        ...{ parameter: 'client_id', kind: 'client', byNature: isPublic },
        request: leaving((_world, client_id) => ({ client_id })),
      },
      {
        ...{ parameter: 'logout_hint', kind: 'person' },
        request: leaving((world, logout_hint) => ({ ...appOf(world), logout_hint })),
      },
    ];
    questions.push({
      ...{ parameter: 'Cookie', kind: 'session', how: 'its id with a signature of nobody' },
      request: (world, id) => ({
        ...{ path: '/oauth2/logout', parameters: appOf(world) },
        headers: { ...asPage, Cookie: forgedCookies(id, 'sid') },
      }),
    });
    return questions.map((question) => ({ route, ...question }));
  },
);

signOutQuestions.push(
  {
    ...{ route: 'POST /oauth2/logout/confirm', parameter: 'xsrf', kind: 'token of a form of the protocol' },
    async request(world, xsrf) {
      await world.home.visitor.get('/oauth2/logout');
      const path = '/oauth2/logout/confirm';
      return { path, parameters: { xsrf, logout: 'yes' }, headers: cookiesOfHome(world, path) };
    },
  },
  {
    ...{ route: 'POST /oauth2/logout/confirm', parameter: 'Cookie', kind: 'session' },
    how: 'its id with a signature of nobody',
    request: (_world, id) => ({
      ...{ path: '/oauth2/logout/confirm', parameters: { xsrf: 'x'.repeat(43), logout: 'yes' } },
      headers: { ...asPage, Cookie: forgedCookies(id, 'sid') },
    }),
  },
  {
    ...{ route: 'GET /oauth2/logout/success', parameter: 'client_id', kind: 'client', byNature: isPublic },
    request: (world, client_id) => ({
      ...{ path: '/oauth2/logout/success', parameters: { client_id } },
      headers: cookiesOfHome(world, '/oauth2/logout/success'),
    }),
  },
);
