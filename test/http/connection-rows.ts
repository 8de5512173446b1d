import { randomUUID } from 'node:crypto';
import { systemAuthority } from '../../src/kernel/actor.js';
import type { Browser, Page } from '../support/browser.js';
import { contractSeed } from '../support/contract-seed.js';
import { csrfOf, openPortal } from '../support/portal.js';
import type { RunningApp } from '../support/start-app.js';
import type { Endpoint, EndpointRequest, Stage } from './endpoint.js';
import { newcomer } from './portal-endpoints.js';
import { openSignIn } from './requests.js';

const by = systemAuthority('command');
const made = new WeakMap<RunningApp, Promise<{ tenantId: string; connectionId: string }>>();

/** Of Acme. Nothing is asked of its provider before somebody comes back from it. */
function connectionOf({ running }: Pick<Stage, 'running'>): Promise<{ tenantId: string; connectionId: string }> {
  const known = made.get(running) ?? makeConnection(running);
  made.set(running, known);
  return known;
}

async function makeConnection({ app }: RunningApp): Promise<{ tenantId: string; connectionId: string }> {
  const { id: tenantId } = await app.administration.getTenant('acme');
  const wanted = { name: 'Elsewhere', preset: 'github', clientId: 'us', clientSecret: 'between us' };
  const { id: connectionId } = await app.administration.createConnection(by, tenantId, wanted);
  return { tenantId, connectionId };
}

const stateOf = (away: Page): string => new URL(away.headers.get('location') ?? '').searchParams.get('state') ?? '';

/** Somebody who has gone to the provider, and has not signed in there. */
async function away(stage: Stage): Promise<{ visitor: Browser; uid: string; state: string; connection: string }> {
  const { connectionId } = await connectionOf(stage);
  const { visitor, page, uid } = await openSignIn(stage.issuer, { tenant: 'acme' });
  return {
    visitor,
    uid,
    state: stateOf(await visitor.submit(page, { connection: connectionId })),
    connection: connectionId,
  };
}

async function start(stage: Stage): Promise<EndpointRequest> {
  const { connectionId } = await connectionOf(stage);
  const { visitor, uid, csrf } = await openSignIn(stage.issuer, { tenant: 'acme' });
  const path = `/sign-in/${uid}/connection`;
  return { path, parameters: { csrf, connection: connectionId }, headers: { Cookie: visitor.cookieHeader(path) } };
}

const domain = 'corp.example';

/** Whoever says such an address is led to the connection. */
export async function makeDomainLead(running: RunningApp): Promise<string> {
  const { tenantId, connectionId } = await connectionOf({ running });
  const { app, database } = running;
  const [acme] = contractSeed.tenants ?? [];
  await app.seeding.applySeed({ tenants: [{ ...acme!, domains: [{ name: domain, verified: true }] }] });
  const found = await database.collection<{ _id: string }>('domains').findOne({ name: domain });
  await app.administration.changeDomain(by, { tenantId, domainId: found?._id ?? '' }, { connectionId });
  return `somebody@${domain}`;
}

async function lead({ running, issuer }: Stage): Promise<EndpointRequest> {
  const login = await makeDomainLead(running);
  const { visitor, uid, csrf } = await openSignIn(issuer);
  const path = `/sign-in/${uid}/organisation`;
  const parameters = { csrf, login };
  return { path, parameters, headers: { Cookie: visitor.cookieHeader(path) } };
}

async function comeBack(stage: Stage): Promise<EndpointRequest> {
  const { visitor, uid, state, connection } = await away(stage);
  const path = `/sign-in/${uid}/connection`;
  const parameters = { state, connection, error: 'access_denied' };
  return { path, parameters, headers: { Cookie: visitor.cookieHeader(path) } };
}

async function answer(stage: Stage): Promise<EndpointRequest> {
  const { state, connection } = await away(stage);
  return { path: `/connections/callback/${connection}`, parameters: { state, code: 'a-code' }, headers: {} };
}

async function portal(stage: Stage): Promise<{ visitor: Browser; page: Page; userId: string; connectionId: string }> {
  const who = await newcomer(stage);
  const { tenantId, connectionId } = await connectionOf(stage);
  await stage.running.app.administration.addMember(by, tenantId, { userId: who.userId, roles: ['member'] });
  const identity = { tenantId, connectionId, issuer: 'https://github.com', subject: randomUUID(), email: null };
  await stage.running.app.accounts.linkIdentity({ ...identity, userId: who.userId });
  const opened = await openPortal(stage.issuer, { path: '/account/identities', person: who });
  return { ...opened, userId: who.userId, connectionId };
}

async function link(stage: Stage): Promise<EndpointRequest> {
  const { visitor, page, connectionId } = await portal(stage);
  const path = '/account/identities/link';
  const parameters = { csrf: csrfOf(page), connection: connectionId };
  return { path, parameters, headers: { Cookie: visitor.cookieHeader(path) } };
}

async function linkBack(stage: Stage): Promise<EndpointRequest> {
  const { visitor, page, connectionId } = await portal(stage);
  const state = stateOf(await visitor.submit(page, { connection: connectionId }));
  const path = '/account/identities/return';
  const parameters = { state, connection: connectionId, error: 'access_denied' };
  return { path, parameters, headers: { Cookie: visitor.cookieHeader(path) } };
}

async function unlink(stage: Stage): Promise<EndpointRequest> {
  const { visitor, page } = await portal(stage);
  const [, identity = ''] = /name="identity" value="(\w+)"/.exec(page.html) ?? [];
  const path = '/account/identities/unlink';
  return { path, parameters: { csrf: csrfOf(page), identity }, headers: { Cookie: visitor.cookieHeader(path) } };
}

/** The way to a provider and back. */
export const connectionRows: readonly Endpoint[] = [
  { method: 'POST', path: '/sign-in/:uid/connection', kind: 'page', request: start },
  { method: 'POST', path: '/sign-in/:uid/organisation', kind: 'page', request: lead },
  { method: 'GET', path: '/sign-in/:uid/connection', kind: 'page', request: comeBack },
  { method: 'GET', path: '/connections/callback/:connectionId', kind: 'page', request: answer },
  { method: 'POST', path: '/connections/callback/:connectionId', kind: 'page', request: answer },
  { method: 'POST', path: '/account/identities/link', kind: 'page', request: link },
  { method: 'GET', path: '/account/identities/return', kind: 'page', request: linkBack },
  { method: 'POST', path: '/account/identities/unlink', kind: 'page', request: unlink },
];
