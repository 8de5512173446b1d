import type Router from '@koa/router';
import { z } from 'zod';
import { AppError } from '../kernel/errors.js';
import type { MessageKey, Said } from '../kernel/message.js';
import { isTimeZone } from '../platform/i18n/moments.js';
import type { Profile } from '../users/index.js';
import type { AccountDeps } from './account-deps.js';
import { goTo, type Portal, type Visit } from './portal-routes.js';
import { places } from './places.js';

const line = z.string().max(200);
const profileForm = z.strictObject({
  ...{ name: line, given_name: line, family_name: line },
  ...{ locale: z.string().max(35), zoneinfo: z.string().max(60) },
});
type ProfileForm = z.output<typeof profileForm>;

/** What a page says of a member, named as the API does, that cannot be taken. */
const problems: Record<string, MessageKey> = {
  ...{ '/name': 'profile.bad_name', '/givenName': 'profile.bad_given_name', '/familyName': 'profile.bad_family_name' },
  ...{ '/locale': 'profile.bad_locale', '/zoneinfo': 'profile.bad_zoneinfo' },
};

export function profileRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  router.get(
    places.profile,
    portal.page('profile', async (visit) => show(portal, visit, formOf(visit.session.user.profile))),
  );
  router.post(
    places.profile,
    portal.form('profile', profileForm, async (visit, form) => {
      try {
        if (form.zoneinfo.trim() !== '' && !isTimeZone(form.zoneinfo.trim())) throw unknownTimeZone();
        await deps.administration.changeOwnProfile(visit.session.user.id, { changes: changesOf(form) });
      } catch (error) {
        if (!(error instanceof AppError) || error.status !== 400) throw error;
        visit.ctx.status = 422;
        return show(portal, visit, form, problems[error.fields[0]?.pointer ?? ''] ?? error);
      }
      goTo(visit.ctx, 'profile', 'profile-saved');
    }),
  );
}

function show(portal: Portal, visit: Visit, form: ProfileForm, error: Said | null = null): void {
  portal.render(visit, { place: 'profile', view: 'profile', title: 'portal.profile' }, { form, error });
}

function formOf({ name = '', givenName = '', familyName = '', locale = '', zoneinfo = '' }: Profile): ProfileForm {
  return { name, given_name: givenName, family_name: familyName, locale, zoneinfo };
}

/** What is left empty is taken away. */
function changesOf({
  name,
  given_name,
  family_name,
  locale,
  zoneinfo,
}: ProfileForm): Record<keyof Profile, string | null> {
  const orNull = (text: string): string | null => text.trim() || null;
  return {
    ...{ name: orNull(name), givenName: orNull(given_name), familyName: orNull(family_name) },
    ...{ locale: orNull(locale), zoneinfo: orNull(zoneinfo) },
  };
}

function unknownTimeZone(): AppError {
  return new AppError('profile.unknown_time_zone', {
    status: 400,
    detail: 'There is no such time zone.',
    fields: [{ pointer: '/zoneinfo', code: 'unknown', detail: 'must be a known one, such as Europe/Vienna' }],
  });
}
