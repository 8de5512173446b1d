import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError, invalidInput } from '../kernel/errors.js';
import { given } from '../kernel/given.js';
import { newId } from '../kernel/ids.js';
import { secondsAfter } from '../kernel/time.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { ApiKey, ServiceAccount } from '../service-accounts/index.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { authenticationFrom } from '../platform/schemas/authentication-names.js';
import { clientAuthentication, requireAccepted, requireOutboundUri } from './client-input.js';
import { requireGrantable, rolesNamed, rolesOfTenant } from './grantable.js';
import { noServiceAccount } from './look-up.js';
import { networks } from '../platform/schemas/networks.js';
import { nameText, parsed, roleKeys, type Precondition } from './input.js';

const newAccount = z.strictObject({
  name: nameText(200),
  roles: roleKeys,
  ipAllowlist: networks.default([]),
});
export const newAccountSchema = newAccount;
export const accountChangesSchema = z
  .strictObject({
    name: nameText(200),
    roles: roleKeys,
    ipAllowlist: newAccount.shape.ipAllowlist.unwrap(),
    status: z.enum(['active', 'disabled']),
  })
  .partial();

export interface AccountReference {
  tenantId: string;
  serviceAccountId: string;
}

/** A machine principal whose roles the caller could give to a member too. Its client id is made here. */
export async function createServiceAccount(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  input: z.input<typeof newAccountSchema>,
): Promise<ServiceAccount> {
  const { name, roles, ipAllowlist } = parsed(newAccountSchema, input);
  const id = newId('sva');
  const account: ServiceAccount = {
    ...{ id, tenantId, clientId: `svc_${id.slice('sva_'.length)}`, name, roles, ipAllowlist, status: 'active' },
    ...{
      authentication: deps.withApiKeys,
      createdBy: by.answersFor,
      authenticationSetBy: null,
      tokensEndedAt: null,
      createdAt: deps.now(),
    },
  };
  await deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    requireServiceAccounts(deps, tenant);
    requireGrantable(by, rolesNamed(await rolesOfTenant(deps, tx, tenant), roles));
    await deps.serviceAccounts.createServiceAccount(tx, by.actor, account);
  });
  return account;
}

export async function changeServiceAccount(
  deps: AdministrationDeps,
  by: Authority,
  reference: AccountReference,
  { changes: input, precondition }: { changes: z.input<typeof accountChangesSchema>; precondition?: Precondition },
): Promise<ServiceAccount> {
  const changes = given(parsed(accountChangesSchema, input));
  return deps.inTransaction(async (tx) => {
    const { tenant, account } = await heldAccount(deps, tx, by, reference);
    precondition?.(account);
    if (changes.roles) requireGrantable(by, rolesNamed(await rolesOfTenant(deps, tx, tenant), changes.roles));
    await deps.serviceAccounts.updateServiceAccount(tx, by.actor, account, changes);
    return { ...account, ...changes };
  });
}

/** With its keys; its tokens are no good any more. */
export async function deleteServiceAccount(
  deps: AdministrationDeps,
  by: Authority,
  reference: AccountReference,
): Promise<void> {
  await deps.inTransaction(async (tx) => {
    const { account } = await heldAccount(deps, tx, by, reference);
    await deps.serviceAccounts.deleteServiceAccount(tx, by.actor, account);
  });
}

/**
 * From now on the caller answers for the account and its keys, or who answers for the caller where that is a service.
 * What only people know who are not there any more opens nothing again. 409 where nobody would answer.
 */
export async function adoptServiceAccount(
  deps: AdministrationDeps,
  by: Authority,
  reference: AccountReference,
): Promise<ServiceAccount> {
  return deps.inTransaction(async (tx) => {
    const { account } = await heldAccount(deps, tx, by, reference);
    const createdBy = by.answersFor;
    if (createdBy === null && account.createdBy !== null) throw nobodyAnswers();
    for (const key of await deps.serviceAccounts.listApiKeys(account.tenantId, account.id, tx))
      if (deps.isLiveKey(key, deps.now()) && !(await isThere(deps, tx, account.tenantId, key.createdBy)))
        await deps.serviceAccounts.revokeApiKey(tx, by.actor, key);
    const isKept = await isThere(deps, tx, account.tenantId, account.authenticationSetBy);
    const adopted = isKept ? account : { ...account, authentication: deps.withApiKeys, authenticationSetBy: null };
    if (!isKept) {
      const { authentication, authenticationSetBy } = adopted;
      await deps.serviceAccounts.updateServiceAccount(tx, by.actor, account, { authentication, authenticationSetBy });
    }
    await deps.serviceAccounts.adopt(tx, by.actor, adopted, createdBy);
    return { ...adopted, createdBy, authenticationSetBy: adopted.authenticationSetBy && createdBy };
  });
}

/** Keys or certificates of its own take the place of API keys, which open nothing meanwhile; null gives it back. */
export async function setServiceAccountAuthentication(
  deps: AdministrationDeps,
  by: Authority,
  reference: AccountReference,
  input: z.input<typeof clientAuthentication> | null,
): Promise<ServiceAccount> {
  const wanted = input === null ? null : parsed(clientAuthentication, input);
  requireOutboundUri(deps, wanted?.jwksUri);
  const authentication = wanted === null ? deps.withApiKeys : authenticationFrom(wanted);
  const authenticationSetBy = wanted === null ? null : by.answersFor;
  return deps.inTransaction(async (tx) => {
    const { account } = await heldAccount(deps, tx, by, reference);
    const after = { ...account, authentication, authenticationSetBy };
    await requireAccepted(deps, deps.clientOfServiceAccount(after));
    await deps.serviceAccounts.updateServiceAccount(tx, by.actor, account, { authentication, authenticationSetBy });
    return after;
  });
}

export const newKeySchema = z.strictObject({
  label: nameText(100),
  /** RFC 3339. */
  expiresAt: z.iso.datetime().optional(),
});

/** A further secret of the account; it is given out this once. 409 when the label is in use or there are too many. */
export async function createApiKey(
  deps: AdministrationDeps,
  by: Authority,
  reference: AccountReference,
  input: z.input<typeof newKeySchema>,
): Promise<{ key: ApiKey; secret: string }> {
  const { label, expiresAt } = parsed(newKeySchema, input);
  const secret = deps.newApiKeySecret();
  const now = deps.now();
  const key: ApiKey = {
    ...{ id: newId('key'), tenantId: reference.tenantId, serviceAccountId: reference.serviceAccountId, label },
    ...{ secretHash: deps.clients.hashSecret(secret), createdBy: by.answersFor, createdAt: now },
    expiresAt: expiresAt === undefined ? secondsAfter(now, deps.apiKeys.lifetimeSeconds) : new Date(expiresAt),
    ...{ revokedAt: null, lastUsedAt: null },
  };
  requireExpiry(deps, key, now);
  try {
    await deps.inTransaction(async (tx) => {
      const { account } = await heldAccount(deps, tx, by, reference);
      const keys = await deps.serviceAccounts.listApiKeys(account.tenantId, account.id, tx);
      if (keys.filter((each) => deps.isLiveKey(each, now)).length >= deps.apiKeys.ofAccount) throw tooManyKeys(deps);
      await deps.serviceAccounts.forgetApiKeys(tx, surplus(deps, keys));
      await deps.serviceAccounts.createApiKey(tx, by.actor, key);
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('api_key.label_taken', {
      status: 409,
      detail: 'The service account has a key with this label.',
      fields: [{ pointer: '/label', code: 'taken', detail: 'is taken' }],
      cause: error,
    });
  }
  return { key, secret };
}

/** At once in this process, within five seconds in all, and what was issued with it. */
export async function revokeApiKey(
  deps: AdministrationDeps,
  by: Authority,
  reference: AccountReference,
  keyId: string,
): Promise<void> {
  await deps.inTransaction(async (tx) => {
    const { account } = await heldAccount(deps, tx, by, reference);
    const keys = await deps.serviceAccounts.listApiKeys(account.tenantId, account.id, tx);
    const key = keys.find(({ id }) => id === keyId);
    if (!key) throw new AppError('api_key.not_found', { status: 404, detail: 'There is no such key.' });
    if (key.revokedAt === null) await deps.serviceAccounts.revokeApiKey(tx, by.actor, key);
  });
}

/** The account, with its tenant held; 403 when it holds roles beyond the caller's own. */
export async function heldAccount(
  deps: AdministrationDeps,
  tx: Tx,
  by: Authority,
  { tenantId, serviceAccountId }: AccountReference,
): Promise<{ tenant: Tenant; account: ServiceAccount }> {
  const tenant = await deps.tenants.holdTenant(tx, tenantId);
  const account = await deps.serviceAccounts.findServiceAccountById(tenantId, serviceAccountId, tx);
  if (!account) throw noServiceAccount();
  const available = await rolesOfTenant(deps, tx, tenant);
  requireGrantable(
    by,
    available.filter(({ key }) => account.roles.includes(key)),
  );
  return { tenant, account };
}

/** Whether a member who may still do something knows the secret; one that nobody in particular knows is there. */
async function isThere(deps: AdministrationDeps, tx: Tx, tenantId: string, userId: string | null): Promise<boolean> {
  if (userId === null) return true;
  const user = await deps.users.findUserById(userId, tx);
  return user?.status === 'active' && (await deps.memberships.findMembership(tenantId, userId, tx)) !== null;
}

function nobodyAnswers(): AppError {
  return new AppError('service_account.nobody_answers', {
    status: 409,
    detail: 'A member of the tenant has to answer for it. Operators cannot.',
  });
}

function requireServiceAccounts(deps: AdministrationDeps, tenant: Tenant): void {
  const { serviceAccounts, name } = deps.tenantTypes[tenant.type];
  if (serviceAccounts) return;
  throw new AppError('service_account.not_in_type', {
    status: 409,
    detail: `${name} tenants have no service accounts.`,
  });
}

function requireExpiry({ apiKeys }: AdministrationDeps, { expiresAt }: ApiKey, now: Date): void {
  const latest = secondsAfter(now, apiKeys.longestLifetimeSeconds);
  if (expiresAt !== null && expiresAt > now && expiresAt <= latest) return;
  throw invalidInput([
    { pointer: '/expiresAt', code: 'out_of_range', detail: 'must be in the future, by a year at most' },
  ]);
}

/** Of those that open nothing any more the last ones are kept, to look at. */
function surplus({ apiKeys, isLiveKey, now }: AdministrationDeps, keys: readonly ApiKey[]): ApiKey[] {
  const dead = keys.filter((key) => !isLiveKey(key, now()));
  return dead.toSorted((one, other) => +other.createdAt - +one.createdAt).slice(apiKeys.keptDead);
}

function tooManyKeys({ apiKeys }: AdministrationDeps): AppError {
  return new AppError('api_key.too_many', {
    status: 409,
    detail: `An account has ${apiKeys.ofAccount} live keys at most.`,
  });
}
