import { z } from 'zod';
import { isIP } from 'node:net';
import { addressMatcher } from '../kernel/networks.js';
import type { ServiceAccount } from '../service-accounts/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { parsed } from './input.js';

export const accessQuestionSchema = z.strictObject({
  address: z
    .string()
    .max(50)
    .refine((value) => isIP(value) !== 0, 'must be an IP address'),
  userId: z.string().max(64).optional(),
  clientId: z.string().max(100).optional(),
});

export interface AccessCheck {
  check:
    | 'tenant_status'
    | 'tenant_address'
    | 'membership'
    | 'user_status'
    | 'client'
    | 'service_account_address'
    | 'answered_for'
    | 'key';
  passes: boolean;
  detail: string;
}

/** Says, without doing anything, whether a token would be given, and every reason why not. */
export async function explainAccess(
  deps: AdministrationDeps,
  tenantId: string,
  input: z.input<typeof accessQuestionSchema>,
): Promise<{ allowed: boolean; checks: AccessCheck[] }> {
  const { address, userId, clientId } = parsed(accessQuestionSchema, input);
  const tenant = await deps.tenants.findTenantById(tenantId);
  if (!tenant || tenant.status === 'deleted') throw deps.noTenant();
  const checks: AccessCheck[] = [
    { check: 'tenant_status', passes: tenant.status === 'active', detail: `The tenant is ${tenant.status}.` },
    { check: 'tenant_address', ...admission(tenant.policies.ipAllowlist, address, 'tenant') },
    ...(userId === undefined ? [] : await checksOfUser(deps, tenantId, userId)),
    ...(clientId === undefined ? [] : await checksOfClient(deps, { tenantId, clientId, address })),
  ];
  return { allowed: checks.every(({ passes }) => passes), checks };
}

function admission(networks: readonly string[], address: string, of: string): { passes: boolean; detail: string } {
  if (networks.length === 0) return { passes: true, detail: `The ${of} has no allowlist.` };
  const network = networks.find((each) => addressMatcher([each])(address));
  if (network !== undefined) return { passes: true, detail: `The allowlist of the ${of} holds ${network}.` };
  return { passes: false, detail: `No network of the allowlist of the ${of} holds ${address}.` };
}

async function checksOfUser(deps: AdministrationDeps, tenantId: string, userId: string): Promise<AccessCheck[]> {
  const membership = await deps.memberships.findMembership(tenantId, userId);
  if (!membership) return [{ check: 'membership', passes: false, detail: 'There is no such member.' }];
  const user = await deps.findUserById(userId);
  return [
    { check: 'membership', passes: true, detail: `The member holds ${membership.roles.join(', ')}.` },
    { check: 'user_status', passes: user?.status === 'active', detail: `The user is ${user?.status ?? 'gone'}.` },
  ];
}

async function checksOfClient(
  deps: AdministrationDeps,
  { tenantId, clientId, address }: { tenantId: string; clientId: string; address: string },
): Promise<AccessCheck[]> {
  const client = await deps.clients.findClient(clientId);
  // one of another tenant is answered as one that is not there
  if (!client || (client.tenantId !== null && client.tenantId !== tenantId))
    return [{ check: 'client', passes: false, detail: 'The tenant can use no such client.' }];
  const account =
    client.kind === 'service_account' ? await deps.serviceAccounts.findServiceAccount(tenantId, clientId) : null;
  if (!account) return [{ check: 'client', passes: true, detail: 'The client may be used in the tenant.' }];
  return [
    { check: 'client', passes: account.status === 'active', detail: `The service account is ${account.status}.` },
    { check: 'service_account_address', ...admission(account.ipAllowlist, address, 'service account') },
    ...(await checksOfStanding(deps, account)),
  ];
}

/** Without who made it an account may do nothing, and without a live key it cannot prove who it is. */
async function checksOfStanding(deps: AdministrationDeps, account: ServiceAccount): Promise<AccessCheck[]> {
  const { tenantId, id, createdBy, authentication } = account;
  const creator =
    createdBy === null ? undefined : await deps.authorizationOf({ kind: 'user', userId: createdBy }, tenantId);
  const detail =
    creator === null ? 'Whoever answers for it has no place in the tenant any more.' : 'It is answered for.';
  const standing: AccessCheck = { check: 'answered_for', passes: creator !== null, detail };
  if (authentication.token_endpoint_auth_method !== deps.withApiKeys.token_endpoint_auth_method) return [standing];
  const keys = await deps.serviceAccounts.listApiKeys(tenantId, id);
  const live = keys.filter((key) => deps.isLiveKey(key, deps.now())).length;
  return [standing, { check: 'key', passes: live > 0, detail: `It has ${live} live keys.` }];
}
