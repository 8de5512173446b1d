import { isDeepStrictEqual } from 'node:util';
import type { ClientAuthentication } from '../clients/index.js';
import { newId } from '../kernel/ids.js';
import type { ServiceAccount } from '../service-accounts/index.js';
import type { Tenant } from '../tenants/index.js';
import type { Seed } from './seed.js';
import type { SeedDeps, SeedPlan } from './seed-plan.js';

type SeedAccount = Seed['tenants'][number]['serviceAccounts'][number];

interface AccountsToPlan {
  tenant: Tenant;
  wanted: readonly SeedAccount[];
  path: readonly (string | number)[];
}

/** Plans service accounts with their API keys; a key is known by its label and is never replaced silently. */
export async function planServiceAccounts(
  deps: SeedDeps,
  plan: SeedPlan,
  { tenant, wanted, path }: AccountsToPlan,
): Promise<void> {
  if (!deps.tenantTypes[tenant.type].serviceAccounts && wanted.length > 0)
    plan.refuse(path, `are not for ${tenant.type} tenants`);
  for (const [index, account] of wanted.entries()) {
    const at = [...path, index];
    for (const [position, key] of account.roles.entries()) {
      if (!plan.roleKeys.get(tenant.id)?.has(key))
        plan.refuse([...at, 'roles', position], `is no role of ${tenant.slug}: ${key}`);
    }
    const planned = await planAccount(deps, plan, { tenant, account, at });
    if (planned) await planKeys(deps, plan, { account: planned, keys: account.keys, at });
  }
}

async function planAccount(
  deps: SeedDeps,
  plan: SeedPlan,
  { tenant, account, at }: { tenant: Tenant; account: SeedAccount; at: readonly (string | number)[] },
): Promise<ServiceAccount | null> {
  if (!plan.takes('client', account.clientId)) plan.refuse([...at, 'clientId'], 'is there twice');
  const owner = await deps.clients.findClient(account.clientId);
  const before = owner ? await deps.serviceAccounts.findServiceAccount(tenant.id, account.clientId) : null;
  if (owner && !before) {
    plan.refuse([...at, 'clientId'], 'is in use already');
    return null;
  }
  const { clientId, keys, name: wantedName, roles: wantedRoles, ipAllowlist: wantedNetworks, ...members } = account;
  const authentication = JSON.parse(JSON.stringify(members)) as ClientAuthentication;
  const { token_endpoint_auth_method: method } = authentication;
  if (method !== 'client_secret_basic' && keys.length > 0) plan.refuse([...at, 'keys'], `are of no use with ${method}`);
  const changes = { name: wantedName, roles: wantedRoles, ipAllowlist: wantedNetworks, authentication };
  const added: ServiceAccount = {
    ...{ id: newId('sva'), tenantId: tenant.id, clientId, status: 'active', createdBy: null, tokensEndedAt: null },
    ...{ authenticationSetBy: null, createdAt: deps.now(), ...changes },
  };
  await refuseAuthentication(deps, plan, added, at);
  if (!before) {
    plan.create((tx) => deps.serviceAccounts.createServiceAccount(tx, plan.actor, added));
    return added;
  }
  const { name, roles, ipAllowlist } = before;
  if (isDeepStrictEqual({ name, roles, ipAllowlist, authentication: before.authentication }, changes)) plan.keep();
  else plan.update((tx) => deps.serviceAccounts.updateServiceAccount(tx, plan.actor, before, changes));
  return before;
}

/** What the protocol would not take of it. */
async function refuseAuthentication(
  deps: SeedDeps,
  plan: SeedPlan,
  account: ServiceAccount,
  at: readonly (string | number)[],
): Promise<void> {
  const { jwks_uri: address } = account.authentication;
  const problem = address === undefined ? null : deps.problemOfOutboundUri(address);
  if (problem !== null) return plan.refuse([...at, 'jwks_uri'], problem);
  try {
    await deps.clients.checkClient(deps.clientOfServiceAccount(account));
  } catch (error) {
    plan.refuse(at, (error as { error_description?: string }).error_description ?? 'is not a valid client');
  }
}

async function planKeys(
  deps: SeedDeps,
  plan: SeedPlan,
  { account, keys, at }: { account: ServiceAccount; keys: SeedAccount['keys']; at: readonly (string | number)[] },
): Promise<void> {
  const existing = await deps.serviceAccounts.listApiKeys(account.tenantId, account.id);
  for (const [index, { label, secret, expiresAt }] of keys.entries()) {
    const secretHash = deps.clients.hashSecret(secret);
    const expiry = expiresAt === undefined ? null : new Date(expiresAt);
    const keyAt = [...at, 'keys', index];
    if (!plan.takes('key', `${account.id} ${label}`)) plan.refuse([...keyAt, 'label'], 'is there twice');
    if (!plan.takes('secret', secretHash)) plan.refuse([...keyAt, 'secret'], 'is there twice');
    const before = existing.find((key) => key.label === label);
    const isSame = before?.secretHash === secretHash && before.expiresAt?.getTime() === expiry?.getTime();
    if (before && !isSame) {
      plan.refuse(keyAt, 'differs from the key of this label; give a new key a new label');
    } else if (before) plan.keep();
    else {
      const key = {
        id: newId('key'),
        tenantId: account.tenantId,
        serviceAccountId: account.id,
        label,
        secretHash,
        createdAt: deps.now(),
        expiresAt: expiry,
        createdBy: null,
        revokedAt: null,
        lastUsedAt: null,
      };
      plan.create((tx) => deps.serviceAccounts.createApiKey(tx, plan.actor, key));
    }
  }
}
