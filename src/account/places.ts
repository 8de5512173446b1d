import type { MessageKey } from '../kernel/message.js';

/** Every place to which a sign-in brings a person back, by the name that travels with it. Nothing else is a target. */
export const places = {
  overview: '/account',
  profile: '/account/profile',
  email: '/account/email',
  password: '/account/password',
  factors: '/account/factors',
  'factors-app': '/account/factors/app',
  'factors-passkey': '/account/factors/passkey',
  identities: '/account/identities',
  sessions: '/account/sessions',
  activity: '/account/activity',
  tenants: '/account/tenants',
  invitations: '/account/invitations',
  apps: '/account/apps',
  terms: '/account/terms',
  data: '/account/data',
  deletion: '/account/delete',
} as const;

export type Place = keyof typeof places;

/** The sections of the portal, in the order in which they are shown. */
export const sections: readonly { place: Place; label: MessageKey; about: MessageKey | null }[] = [
  { place: 'overview', label: 'portal.overview', about: null },
  { place: 'profile', label: 'portal.profile', about: 'portal.profile_about' },
  { place: 'email', label: 'portal.email', about: 'portal.email_about' },
  { place: 'password', label: 'portal.password', about: 'portal.password_about' },
  { place: 'factors', label: 'portal.factors', about: 'portal.factors_about' },
  { place: 'identities', label: 'portal.identities', about: 'portal.identities_about' },
  { place: 'sessions', label: 'portal.sessions', about: 'portal.sessions_about' },
  { place: 'activity', label: 'portal.activity', about: 'portal.activity_about' },
  { place: 'tenants', label: 'portal.tenants', about: 'portal.tenants_about' },
  { place: 'invitations', label: 'portal.invitations', about: 'portal.invitations_about' },
  { place: 'apps', label: 'portal.apps', about: 'portal.apps_about' },
  { place: 'terms', label: 'portal.terms', about: 'portal.terms_about' },
  { place: 'data', label: 'portal.data', about: 'portal.data_about' },
  { place: 'deletion', label: 'portal.deletion', about: 'portal.deletion_about' },
];

/** Below the overview, as the views write it. */
export function pathOf(place: Place): string {
  return places[place].slice(places.overview.length);
}

/** Null for a name that is none of them. */
export function placeNamed(name: unknown): Place | null {
  return typeof name === 'string' && Object.hasOwn(places, name) ? (name as Place) : null;
}
