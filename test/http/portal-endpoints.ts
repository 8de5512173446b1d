import { randomUUID } from 'node:crypto';
import { systemAuthority } from '../../src/kernel/actor.js';
import { browser } from '../support/browser.js';
import { csrfOf, openPortal, type Person } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import type { Endpoint, EndpointRequest, Stage } from './endpoint.js';
import { authorizeUrl } from './requests.js';

type Members = Record<string, string>;

/** A page of the portal, or a form of one, with the cookies of somebody who has just signed in. */
export function portalRow(
  [method, path]: [Endpoint['method'], string],
  shownAt = path,
  prepare: (stage: PortalStage) => Members | Promise<Members> = () => ({}),
): Endpoint {
  async function request(stage: Stage): Promise<EndpointRequest> {
    const who = await newcomer(stage);
    const members = await prepare({ ...stage, who });
    const { visitor, page } = await openPortal(stage.issuer, { path: shownAt, person: who });
    const csrf = method === 'POST' ? { csrf: csrfOf(page) } : {};
    return { path, parameters: { ...csrf, ...members }, headers: { Cookie: visitor.cookieHeader(path) } };
  }
  return { method, path, kind: 'page', request };
}

export interface Newcomer extends Person {
  userId: string;
}

type PortalStage = Stage & { who: Newcomer };

/** Somebody for one request. */
export async function newcomer({ running }: Stage): Promise<Newcomer> {
  const by = systemAuthority('command');
  const person = { email: `newcomer-${randomUUID()}@example.com`, password: 'a password of the newcomer' };
  const { id: userId } = await running.app.administration.createUser(by, { ...person, emailVerified: true });
  return { ...person, userId };
}

async function teamOf(stage: PortalStage, roles = ['member']): Promise<string> {
  const { administration } = stage.running.app;
  const by = systemAuthority('command');
  const { userId } = stage.who;
  const other = await newcomer(stage);
  const draft = { slug: `t-${randomUUID().slice(0, 18)}`, name: 'A team', type: 'team' as const };
  const ownerId = roles.includes('owner') ? userId : other.userId;
  const { id } = await administration.createTenant(by, { ...draft, ownerId });
  if (ownerId !== userId) await administration.addMember(by, id, { userId, roles });
  return id;
}

async function invitationTo(stage: PortalStage): Promise<string> {
  const { administration } = stage.running.app;
  const { email } = stage.who;
  const tenantId = (await administration.getTenant('acme')).id;
  const wanted = { email, roles: ['editor'] };
  return (await administration.createInvitation(systemAuthority('command'), tenantId, wanted)).id;
}

/** They have allowed the third party what it asks for. */
async function consentOf(stage: PortalStage): Promise<Members> {
  const { who } = stage;
  const { administration } = stage.running.app;
  const tenant = (await administration.getTenant('acme')).id;
  await administration.addMember(systemAuthority('command'), tenant, { userId: who.userId, roles: ['editor'] });
  const url = authorizeUrl(stage.issuer, { client_id: 'third-party', tenant: 'acme', prompt: 'consent' });
  const { browser: visitor, page } = await signIn(stage.issuer, url, who);
  await visitor.submit(page, { decision: 'accept' });
  return { tenant, client: 'third-party' };
}

async function sessionOf({ who, running, issuer }: PortalStage): Promise<string> {
  await openPortal(issuer, { person: who });
  const found = await running.database
    .collection<{ _id: string; accountId: string }>('oidc_sessions')
    .findOne({ accountId: who.userId });
  return found?._id ?? '';
}

/** Of somebody who wants to be deleted. */
async function deletionLink(stage: Stage, isForm: boolean): Promise<EndpointRequest> {
  const who = await newcomer(stage);
  await stage.running.app.administration.requestDeletion(who.userId);
  await stage.running.deliverMail();
  const text = stage.running.mailbox.findLast(({ to }) => to === who.email)?.text ?? '';
  const path = /\/account\/deletion\/[\w-]{43}/.exec(text)?.[0] ?? '';
  if (!isForm) return { path, parameters: {}, headers: {} };
  const visitor = browser(stage.issuer);
  const csrf = csrfOf(await visitor.get(path));
  return { path, parameters: { csrf }, headers: { Cookie: visitor.cookieHeader(path) } };
}

const profile = { name: 'Ada', given_name: 'Ada', family_name: 'L', locale: 'en', zoneinfo: 'Europe/London' };

function publicRow(path: string, parameters: Members = {}): Endpoint {
  return { method: 'GET', path, kind: 'page', request: () => ({ path, parameters, headers: {} }) };
}

/** Pages and forms of the account portal. */
export const portalRows: readonly Endpoint[] = [
  ...[
    '',
    '/profile',
    '/email',
    '/password',
    '/factors',
    '/factors/app',
    '/factors/passkey',
    '/identities',
    '/sessions',
    '/activity',
    '/tenants',
    '/invitations',
    '/apps',
    '/terms',
    '/data',
    '/delete',
  ].map((path) => portalRow(['GET', `/account${path}`])),
  portalRow(['POST', '/account/profile'], undefined, () => profile),
  portalRow(['POST', '/account/password'], undefined, ({ who }) => ({
    ...{ password: who.password, new_password: 'another password of theirs' },
  })),
  portalRow(['POST', '/account/email'], undefined, () => ({ email: `other-${randomUUID()}@example.com` })),
  portalRow(['POST', '/account/email/verify'], '/account/email'),
  portalRow(['POST', '/account/sessions/end'], '/account/sessions', async (stage) => ({
    session: await sessionOf(stage),
  })),
  portalRow(['POST', '/account/sessions/end-others'], '/account/sessions'),
  portalRow(['POST', '/account/sessions/end-all'], '/account/sessions'),
  portalRow(['POST', '/account/tenants/leave'], '/account/tenants', async (stage) => ({ tenant: await teamOf(stage) })),
  portalRow(['POST', '/account/tenants/create'], '/account/tenants', () => ({
    ...{ name: 'A team', slug: `t-${randomUUID().slice(0, 18)}` },
  })),
  portalRow(['POST', '/account/invitations/accept'], '/account/invitations', async (stage) => ({
    invitation: await invitationTo(stage),
  })),
  portalRow(['POST', '/account/apps/revoke'], '/account/apps', consentOf),
  portalRow(['POST', '/account/data']),
  portalRow(['POST', '/account/delete/close-tenant'], '/account/delete', async (stage) => ({
    tenant: await teamOf(stage, ['owner']),
  })),
  portalRow(['POST', '/account/delete'], undefined, ({ who }) => ({ confirmation: who.email })),
  publicRow('/account/return', { state: 'sessions', code: 'x', iss: 'y' }),
  publicRow('/account/signed-out'),
  { method: 'GET', path: '/account/deletion/:token', kind: 'page', request: (stage) => deletionLink(stage, false) },
  { method: 'POST', path: '/account/deletion/:token', kind: 'page', request: (stage) => deletionLink(stage, true) },
];
