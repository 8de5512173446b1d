import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '../connections/index.js';
import { newId } from '../kernel/ids.js';
import { connectionProblems, draftFrom, secretMemberFor } from '../platform/schemas/connection.js';
import type { Tenant } from '../tenants/index.js';
import type { Seed } from './seed.js';
import { roleKeysOf } from './plan-users.js';
import type { SeedDeps, SeedPlan } from './seed-plan.js';

type SeedConnection = Seed['connections'][number];
type Path = readonly (string | number)[];

/** Plans upstream providers; those that name no tenant are of the platform. */
export async function planConnections(deps: SeedDeps, plan: SeedPlan, seed: Seed): Promise<void> {
  const clientIds = new Set(seed.clients.map((client) => client.client_id));
  for (const [index, wanted] of seed.connections.entries()) {
    const path = ['connections', index];
    const slug = wanted.tenant ?? deps.platformSlug;
    const tenant = plan.tenants.get(slug) ?? (await deps.tenants.findTenantBySlug(slug));
    if (!tenant || tenant.status === 'deleted') {
      plan.refuse([...path, 'tenant'], `names no tenant: ${slug}`);
      continue;
    }
    if (!deps.mayHaveConnections(tenant)) plan.refuse([...path, 'tenant'], 'has a plan without connections');
    if (!plan.takes('connection', `${tenant.id} ${wanted.key}`)) plan.refuse([...path, 'key'], 'is there twice');
    if (wanted.id !== undefined && !plan.takes('connection', wanted.id)) plan.refuse([...path, 'id'], 'is there twice');
    for (const [position, clientId] of wanted.clientIds?.entries() ?? []) {
      const isKnown = clientIds.has(clientId) || (await deps.clients.findClient(clientId)) !== null;
      if (!isKnown) plan.refuse([...path, 'clientIds', position], `names no client: ${clientId}`);
    }
    await planConnection(deps, plan, { path, wanted, tenant });
  }
}

async function planConnection(
  deps: SeedDeps,
  plan: SeedPlan,
  { path, wanted, tenant }: { path: Path; wanted: SeedConnection; tenant: Tenant },
): Promise<void> {
  const { key, id, tenant: _slug, preset, clientSecret, signingKey, ...given } = wanted;
  const known = preset === undefined ? {} : deps.connectionPresets[preset];
  if (!known) return plan.refuse([...path, 'preset'], `is none of ${Object.keys(deps.connectionPresets).join(', ')}`);
  const draft = draftFrom(known, given);
  for (const problem of connectionProblems(draft, deps.problemOfOutboundUri))
    plan.refuse([...path, ...problem.path], problem.message);
  if (draft.syncsProfile && tenant.slug !== deps.platformSlug)
    plan.refuse([...path, 'syncsProfile'], 'is for connections of the whole platform');
  await refuseRoles(deps, plan, { path, tenant, keys: draft.roleMapping?.values.map(({ role }) => role) ?? [] });
  const member = secretMemberFor(draft.authentication);
  const secrets = { clientSecret, signingKey };
  for (const name of ['clientSecret', 'signingKey'] as const) {
    if (name === member && secrets[name] === undefined) plan.refuse([...path, name], 'is missing');
    if (name !== member && secrets[name] !== undefined)
      plan.refuse([...path, name], `is of no use with ${draft.authentication}`);
  }
  const secret = member === null ? undefined : secrets[member];
  const before = await deps.connections.findConnectionByKey(tenant.id, key);
  await refuseId(deps, plan, { path, id, before });
  const at = deps.now();
  const isOwnKey = member === null && before?.publicKey !== null && before?.publicKey !== undefined;
  const made = member === null && !isOwnKey ? await deps.connections.newClientKey() : null;
  const connection = deps.connections.connectionFrom(draft, {
    ...{ id: before?.id ?? id ?? newId('con'), tenantId: tenant.id, key },
    publicKey: member === null ? (made?.publicKey ?? before?.publicKey ?? null) : null,
    ...{ createdAt: before?.createdAt ?? at, updatedAt: before?.updatedAt ?? at },
  });
  await planWrite(deps, plan, { before, connection, secret: made?.secret ?? secret });
}

async function refuseId(
  deps: SeedDeps,
  plan: SeedPlan,
  { path, id, before }: { path: Path; id: string | undefined; before: Connection | null },
): Promise<void> {
  if (id === undefined || id === before?.id) return;
  if (before) plan.refuse([...path, 'id'], `is another one than it has: ${before.id}`);
  else if (await deps.connections.isConnectionId(id)) plan.refuse([...path, 'id'], 'is that of another connection');
}

async function refuseRoles(
  deps: SeedDeps,
  plan: SeedPlan,
  { path, tenant, keys }: { path: Path; tenant: Tenant; keys: readonly string[] },
): Promise<void> {
  const known = plan.roleKeys.get(tenant.id) ?? (await roleKeysOf(deps, tenant));
  const isOfOperators = tenant.slug === deps.platformSlug;
  for (const [position, key] of keys.entries()) {
    if (isOfOperators || key === 'owner' || !known.has(key))
      plan.refuse([...path, 'roleMapping', 'values', position, 'role'], 'is no role that a provider may give');
  }
}

async function planWrite(
  deps: SeedDeps,
  plan: SeedPlan,
  { before, connection, secret }: { before: Connection | null; connection: Connection; secret: string | undefined },
): Promise<void> {
  if (!before) return plan.create((tx) => deps.connections.createConnection(tx, plan.actor, connection, secret ?? ''));
  // also where it was closed before: a start that was cut short is made good by the next one
  if (!deps.isWayIn(connection)) plan.closedConnections.add(before.id);
  const isSecretKept = secret === undefined || (await deps.connections.isSecretOf(before, secret));
  if (isSecretKept && isDeepStrictEqual(before, connection)) return plan.keep();
  const changed = { ...connection, updatedAt: deps.now() };
  return plan.update((tx) => deps.connections.updateConnection(tx, plan.actor, changed, secret));
}
