import { randomBytes } from 'node:crypto';
import type { Policy } from '../../config/policy.js';
import { createDataKeyStore } from '../../src/platform/crypto/data-key-store.js';
import { openKeyRing } from '../../src/platform/crypto/key-ring.js';
import { manyTries } from '../http/hostile/ask.js';
import { authorizeUrl, post, redeem } from '../http/requests.js';
import { operator as system } from '../support/administered.js';
import { redirectUri } from '../support/contract-seed.js';
import { factorsOf } from '../support/factors-of.js';
import { signIn } from '../support/relying-party.js';
import { startApp, type RunningApp, type StartOptions } from '../support/start-app.js';
import { apiOf, apiWith, roleSeed, type Api } from './api.js';

/** A running app and an operator of it; people come in by a client that may ask for tokens of the API. */
export interface ManagementStage {
  running: RunningApp;
  issuer: string;
  /** Owner of the operators' tenant. */
  operator: Api;
}

export interface Person {
  userId: string;
  email: string;
  password: string;
}

/** A tenant of its own with an owner, in which a suite makes what it needs. */
export interface Ground extends ManagementStage {
  tenantId: string;
  slug: string;
  ownerId: string;
  /** A member who can sign in; the same one each time. */
  person(): Promise<Person>;
}

/** Where the server may call, and nobody answers. */
export const nobodyThere = 'https://127.0.0.1:1';

export const consoleClient = { id: 'console', secret: 'console-s3cret-console-s3cret-console' } as const;

/** One person signs in dozens of times, each time with a code by e-mail. */
const { sendings } = manyTries.factors;
const many = { tries: 1000 };
const manyMails: Policy = {
  ...manyTries,
  factors: {
    ...manyTries.factors,
    sendings: { ...sendings, source: { ...sendings.source, ...many }, account: { ...sendings.account, ...many } },
  },
};

export async function openStage(options: StartOptions = {}): Promise<ManagementStage> {
  const egress = { allow: [new URL(nobodyThere).host] };
  const running = await startApp({ seed: roleSeed, policy: manyMails, egress, ...options });
  const { issuer } = running;
  const registered = { redirect_uris: [redirectUri], firstParty: true, resources: [`${issuer}/api`] };
  await running.app.seeding.applySeed({
    clients: [
      {
        ...{ client_id: consoleClient.id, client_secret: consoleClient.secret, ...registered },
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
  });
  return { running, issuer, operator: await apiOf(running, 'platform-owner') };
}

export const unique = (): string => randomBytes(8).toString('hex');

export async function newGround(stage: ManagementStage): Promise<Ground> {
  const { administration } = stage.running.app;
  const slug = `t-${unique()}`;
  const ownerId = await newUser(stage);
  const wanted = { slug, name: `Tenant ${slug}`, type: 'enterprise' as const, ownerId };
  const { id: tenantId } = await administration.createTenant(system, wanted);
  let made: Promise<Person> | undefined;
  const person = (): Promise<Person> => (made ??= newPerson({ ...stage, tenantId }));
  return { ...stage, tenantId, slug, ownerId, person };
}

/** Without a password: they are there, and that is all. */
export async function newUser({ running }: ManagementStage, name = unique()): Promise<string> {
  const wanted = { email: `${name}@example.com`, emailVerified: true, name: `Somebody ${name}` };
  return (await running.app.administration.createUser(system, wanted)).id;
}

export async function newMember(ground: Pick<Ground, 'running' | 'issuer' | 'operator' | 'tenantId'>): Promise<string> {
  const userId = await newUser(ground);
  await ground.running.app.administration.addMember(system, ground.tenantId, { userId, roles: ['member'] });
  return userId;
}

async function newPerson(ground: ManagementStage & { tenantId: string }): Promise<Person> {
  const { administration } = ground.running.app;
  const name = unique();
  const [email, password] = [`${name}@example.com`, `a password of ${name} alone`];
  const userId = (await administration.createUser(system, { email, emailVerified: true, password, name })).id;
  await administration.addMember(system, ground.tenantId, { userId, roles: ['admin'] });
  return { userId, email, password };
}

export interface PersonTokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

async function allowEmailCodes({ running }: Ground, { email }: Person): Promise<void> {
  const user = await running.app.administration.getUserByEmail(email);
  if (user.factorKinds?.includes('email')) return;
  const factors = await factorsOf(running, () => new Date());
  await factors.allowEmailCodes(user, { provenAt: new Date(), level: 'aal1', amr: ['pwd'] });
}

/**
 * A sign-in in a browser of its own, by the code flow, for tokens of the API in the tenant of the ground: with a code by
 * e-mail, so that whoever has no more than that may change everything that is theirs.
 */
export async function signInFor(ground: Ground, person: Person, scope: string): Promise<PersonTokens> {
  const { issuer, slug, running } = ground;
  const resource = `${issuer}/api`;
  const members = { client_id: consoleClient.id, scope: `openid ${scope}`, resource, tenant: slug };
  await allowEmailCodes(ground, person);
  const { page: half, browser: visitor } = await signIn(issuer, authorizeUrl(issuer, members), person);
  const sent = await visitor.submit(half, { send: 'yes' }, '/second-factor/email');
  await running.deliverMail();
  const mail = running.mailbox.findLast(({ to }) => to === person.email);
  const mailed = /\b\d{6}\b/.exec(mail?.subject ?? '')?.[0] ?? '';
  const page = await visitor.submit(sent, { method: 'email_code', code: mailed });
  const code = new URL(page.url).searchParams.get('code') ?? '';
  const { status, text, json } = await redeem(issuer, code, { resource }, [consoleClient.id, consoleClient.secret]);
  if (status !== 200) throw new Error(`no token: ${status} ${text} ${page.url}`);
  return json as unknown as PersonTokens;
}

export async function apiOfPerson(ground: Ground, scope: string): Promise<Api> {
  return apiWith(ground.issuer, (await signInFor(ground, await ground.person(), scope)).access_token);
}

/** Opens a session of this person, and says which of theirs it is. */
export async function newSessionOf(ground: Ground, person: Person): Promise<string> {
  const idsOf = async (): Promise<string[]> => {
    const { json } = await ground.operator.call('GET', `/users/${person.userId}/sessions?limit=100`);
    return (json['items'] as { id: string }[]).map(({ id }) => id);
  };
  const before = await idsOf();
  await signInFor(ground, person, 'account:read');
  const [id] = (await idsOf()).filter((each) => !before.includes(each));
  if (id === undefined) throw new Error('the sign-in opened no session');
  return id;
}

/** Codes by e-mail: what may be removed with such a code. */
export async function newFactorOf({ running }: ManagementStage, userId: string): Promise<string> {
  const _id = `fac_${randomBytes(16).toString('hex')}`;
  const record = { userId, kind: 'email', name: 'Codes by e-mail', createdAt: new Date(), lastUsedAt: null };
  await running.database.collection<typeof record & { _id: string }>('factors').insertOne({ _id, ...record });
  return _id;
}

export interface NewAccount {
  serviceAccountId: string;
  clientId: string;
  secret: string;
}

export async function newServiceAccount({ running, tenantId }: Ground, roles: string[]): Promise<NewAccount> {
  const { administration } = running.app;
  const account = await administration.createServiceAccount(system, tenantId, { name: `CI ${unique()}`, roles });
  const reference = { tenantId, serviceAccountId: account.id };
  const { secret } = await administration.createApiKey(system, reference, { label: 'first' });
  return { serviceAccountId: account.id, clientId: account.clientId, secret };
}

export async function serviceToken(
  { issuer }: Pick<ManagementStage, 'issuer'>,
  { clientId, secret }: Pick<NewAccount, 'clientId' | 'secret'>,
  scope?: string,
): Promise<string> {
  const members = { grant_type: 'client_credentials', resource: `${issuer}/api`, ...(scope && { scope }) };
  const { status, text, json } = await post(issuer, 'token', members, [clientId, secret]);
  if (status !== 200) throw new Error(`no token: ${status} ${text}`);
  return String(json['access_token']);
}

export async function apiOfService(ground: Ground, roles: string[], scope?: string): Promise<Api> {
  return apiWith(ground.issuer, await serviceToken(ground, await newServiceAccount(ground, roles), scope));
}

/** The link of an invitation goes out by mail alone; here it gets a new one that is known. */
export async function newTokenOf({ running }: ManagementStage, invitationId: string): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  const keyRing = await openKeyRing(running.masterKeys, createDataKeyStore(running.database));
  const tokenHash = keyRing.hashFor('invitation')('token', token);
  await running.database
    .collection<{ _id: string }>('invitations')
    .updateOne({ _id: invitationId }, { $set: { tokenHash } });
  return token;
}
