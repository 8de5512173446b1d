import type Router from '@koa/router';
import { z } from 'zod';
import { nameOfSoftware } from '../kernel/user-agent.js';
import type { SessionOfUser } from '../oidc/index.js';
import { notFound } from '../platform/http/http-errors.js';
import { momentsFor } from '../platform/i18n/moments.js';
import type { AccountDeps } from './account-deps.js';
import { goTo, seeOther, type Portal, type Visit } from './portal-routes.js';
import { places } from './places.js';

const oneForm = z.strictObject({ session: z.string().max(64) });
const noMembers = z.strictObject({});

export function sessionsRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  router.get(
    places.sessions,
    portal.page('sessions', async (visit) => {
      const { user, uid } = visit.session;
      const moment = momentsFor(visit.reader);
      const present = ({ id, signedInAt, lastSeenAt, device }: SessionOfUser): object => ({
        ...{ id, isCurrent: id === uid, signedInAt: moment(signedInAt), lastSeenAt: moment(lastSeenAt) },
        device: nameOfSoftware(device),
        address: device?.address ?? null,
      });
      const found = await deps.sessions.listSessionsOf(user.id);
      const own = found.filter(({ id }) => id === uid);
      const sessions = [...own, ...found.filter(({ id }) => id !== uid)].map(present);
      portal.render(visit, { place: 'sessions', view: 'sessions', title: 'portal.sessions' }, { sessions });
    }),
  );
  router.post(
    `${places.sessions}/end`,
    portal.form('sessions', oneForm, async (visit, { session: sessionId }) => {
      const { user, uid } = visit.session;
      const found = await deps.sessions.listSessionsOf(user.id);
      if (!found.some(({ id }) => id === sessionId)) throw notFound();
      await deps.endings.endSession(sessionId, { kind: 'user', userId: user.id });
      if (sessionId === uid) return goAway(visit);
      goTo(visit.ctx, 'sessions', 'session-ended');
    }),
  );
  router.post(
    `${places.sessions}/end-others`,
    portal.form('sessions', noMembers, async ({ ctx, session: { user, uid } }) => {
      const self = { kind: 'user', userId: user.id } as const;
      await deps.inTransaction((tx) =>
        deps.endings.endOthersOf(tx, self, { userId: user.id, sessionUid: uid }, 'session_ended'),
      );
      goTo(ctx, 'sessions', 'others-ended');
    }),
  );
  router.post(
    `${places.sessions}/end-all`,
    portal.form('sessions', noMembers, async (visit) => {
      const userId = visit.session.user.id;
      const self = { kind: 'user', userId } as const;
      await deps.inTransaction((tx) => deps.endings.endAllOf(tx, self, userId, 'session_ended'));
      goAway(visit);
    }),
  );
}

/** Who has just signed themselves out. */
export function goAway({ ctx }: Visit): void {
  seeOther(ctx, '/account/signed-out');
}
