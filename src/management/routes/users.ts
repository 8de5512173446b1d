import { z } from 'zod';
import { parseEmail } from '../../kernel/email.js';
import type { User } from '../../users/index.js';
import { notFound } from '../../platform/http/http-errors.js';
import type { RouteDeps } from '../management-deps.js';
import { idOf, pageOf } from '../page-of.js';
import { route, type Answer, type Route } from '../route.js';
import { factorShown, presentFactor, presentSession, presentUser, sessionShown, userShown } from '../schemas.js';

const reading = { permission: 'platform:users:read' } as const;
const writing = { permission: 'platform:users:write' } as const;

/** People across all tenants, for operators. */
export function userRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, users, sessions, factors } = deps;
  const shown = (user: User): Answer => ({ body: presentUser(user), entity: user });

  async function userOf({ userId = '' }: Readonly<Record<string, string>>): Promise<User> {
    const user = await users.findUserById(userId);
    if (!user) throw notFound();
    return user;
  }

  const statusRoute = (verb: string, status: User['status'], summary: string): Route =>
    route({
      ...{ method: 'POST', path: `/users/:userId/${verb}`, operationId: `${verb}User`, summary, status: 200 },
      ...{ ...writing, response: userShown },
      handle: async ({ by, params }) => shown(await admin.changeUserStatus(by, params['userId'] ?? '', status)),
    });

  return [
    route({
      ...{ method: 'GET', path: '/users', operationId: 'listUsers', summary: 'People', status: 200 },
      description: '`email` finds whoever has exactly this address, in any spelling of it.',
      ...{ ...reading, isList: true, response: userShown },
      query: z.strictObject({ email: z.string().max(254).optional() }),
      async handle({ query, page }) {
        const email = query.email === undefined ? undefined : parseEmail(query.email);
        const found = email === undefined ? await users.listUsers(page) : await havingAddress(email);
        return { body: found.map((user) => ({ key: user.id, item: presentUser(user) })) };
      },
    }),
    route({
      ...{ method: 'POST', path: '/users', operationId: 'createUser', summary: 'Make an account', status: 201 },
      ...{ ...writing, body: schemas.newUser, response: userShown },
      async handle({ by, body }) {
        const user = await admin.createUser(by, body);
        return { ...shown(user), location: `/users/${user.id}` };
      },
    }),
    route({
      ...{ method: 'GET', path: '/users/:userId', operationId: 'getUser', summary: 'One person', status: 200 },
      ...{ ...reading, response: userShown },
      handle: async ({ params }) => shown(await userOf(params)),
    }),
    route({
      ...{ method: 'PATCH', path: '/users/:userId', operationId: 'changeUser', summary: 'Change them', status: 200 },
      ...{ ...writing, body: schemas.userChanges, response: userShown },
      handle: async ({ by, params, body: changes, precondition }) =>
        shown(await admin.changeUser(by, params['userId'] ?? '', { changes, precondition })),
    }),
    statusRoute('disable', 'disabled', 'Sign them out everywhere and refuse them'),
    statusRoute('enable', 'active', 'Let them in again'),
    route({
      ...{ method: 'POST', path: '/users/:userId/require-password-reset', operationId: 'requirePasswordReset' },
      summary: 'Their password opens nothing any more, and they are signed out everywhere',
      ...{ ...writing, status: 204 },
      async handle({ by, params }) {
        await admin.requirePasswordReset(by, params['userId'] ?? '');
        return {};
      },
    }),
    route({
      ...{ method: 'POST', path: '/users/:userId/unlock', operationId: 'unlockUser', status: 204 },
      summary: 'End the waits that wrong passwords and codes have begun',
      ...writing,
      async handle({ by, params }) {
        await admin.unlockUser(by, params['userId'] ?? '');
        return {};
      },
    }),
    route({
      ...{ method: 'PUT', path: '/users/:userId/password', operationId: 'setUserPassword', status: 204 },
      ...{ summary: 'Give them a new password', ...writing, body: schemas.newPassword },
      async handle({ by, params, body }) {
        await admin.setUserPassword(by, params['userId'] ?? '', body);
        return {};
      },
    }),
    route({
      ...{ method: 'GET', path: '/users/:userId/factors', operationId: 'listUserFactors', status: 200 },
      ...{ summary: 'With what they can sign in beside their password' },
      ...{ ...reading, isList: true, response: factorShown },
      async handle({ params, page }) {
        const found = await factors.listFactors((await userOf(params)).id);
        return { body: pageOf(found, page, { keyOf: idOf, present: presentFactor }) };
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/users/:userId/factors', operationId: 'resetUserFactors', status: 204 },
      summary: 'Remove them all, for who has lost them',
      description:
        'With their recovery codes. They are told by mail, and are asked for nothing but their password then.',
      ...writing,
      async handle({ by, params }) {
        await admin.resetUserFactors(by, params['userId'] ?? '');
        return {};
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/users/:userId', operationId: 'deleteUser', status: 204 },
      summary: 'Delete them with all that is theirs',
      description: '409 while they are the last owner of a team or enterprise tenant.',
      ...writing,
      async handle({ by, params }) {
        await admin.deleteUser(by, params['userId'] ?? '');
        return {};
      },
    }),
    route({
      ...{ method: 'GET', path: '/users/:userId/sessions', operationId: 'listUserSessions', status: 200 },
      ...{ summary: 'Browsers in which they are signed in', ...reading, isList: true, response: sessionShown },
      async handle({ params, bearer, page }) {
        const { id } = await userOf(params);
        const found = await sessions.listSessionsOf(id);
        return {
          body: pageOf(found, page, { keyOf: idOf, present: (each) => presentSession(each, bearer.sessionUid) }),
        };
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/users/:userId/sessions', operationId: 'endUserSessions', status: 204 },
      ...{ summary: 'Sign them out everywhere', ...writing },
      async handle({ by, params }) {
        await admin.endUserSessions(by, params['userId'] ?? '');
        return {};
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/users/:userId/sessions/:sessionId', operationId: 'endUserSession', status: 204 },
      ...{ summary: 'Sign them out of one', ...writing },
      async handle({ by, params }) {
        await admin.endUserSessions(by, params['userId'] ?? '', params['sessionId']);
        return {};
      },
    }),
  ];

  async function havingAddress(email: string | null): Promise<User[]> {
    const user = email === null ? null : await users.findUserByEmail(email);
    return user ? [user] : [];
  }
}
