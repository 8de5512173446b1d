import { isDeepStrictEqual } from 'node:util';
import type { Client, ClientMetadata } from '../clients/index.js';
import type { Seed } from './seed.js';
import type { SeedDeps, SeedPlan } from './seed-plan.js';

type SeedClient = Seed['clients'][number];

/** Plans clients; each is checked by the OIDC library itself before anything is written. */
export async function planClients(
  deps: SeedDeps,
  plan: SeedPlan,
  seed: Seed,
  resources: ReadonlySet<string>,
): Promise<void> {
  for (const [index, wanted] of seed.clients.entries()) {
    const path = ['clients', index];
    if (!plan.takes('client', wanted.client_id)) plan.refuse([...path, 'client_id'], 'is there twice');
    await refuseScopes(deps, plan, { path, wanted, seed });
    for (const [position, identifier] of wanted.resources.entries()) {
      if (!resources.has(identifier)) plan.refuse([...path, 'resources', position], `names no resource: ${identifier}`);
    }
    const method = wanted.token_endpoint_auth_method;
    const takesSecret = method === 'client_secret_basic' || method === 'client_secret_post';
    if (takesSecret !== (wanted.client_secret !== undefined)) {
      plan.refuse([...path, 'client_secret'], takesSecret ? 'is missing' : `is of no use with ${method}`);
    }
    for (const member of ['jwks_uri', 'backchannel_logout_uri'] as const) {
      const address = wanted[member];
      const problem = address === undefined ? null : deps.problemOfOutboundUri(address);
      if (problem !== null) plan.refuse([...path, member], problem);
    }
    if (method === 'none' && !wanted.requirePkce)
      plan.refuse([...path, 'requirePkce'], 'can only be false for confidential clients');
    await planClient(deps, plan, path, wanted);
  }
}

/** `scope` bounds what the client may be given: OpenID scopes, and permissions of the resources it names. */
async function refuseScopes(
  deps: SeedDeps,
  plan: SeedPlan,
  { path, wanted, seed }: { path: readonly (string | number)[]; wanted: SeedClient; seed: Seed },
): Promise<void> {
  if (wanted.scope === undefined) return;
  const resources = [...seed.resources, ...(await deps.resources.listResources())];
  const permissions = resources
    .filter(({ identifier }) => wanted.resources.includes(identifier))
    .flatMap((resource) => resource.permissions);
  const scopes = wanted.scope.split(' ');
  if (!scopes.includes('openid')) plan.refuse([...path, 'scope'], 'must hold openid');
  for (const scope of scopes) {
    const known = deps.knownScopes.includes(scope) || permissions.includes(scope);
    if (!known) plan.refuse([...path, 'scope'], `names no scope that this client could be given: ${scope}`);
  }
}

async function planClient(
  deps: SeedDeps,
  plan: SeedPlan,
  path: readonly (string | number)[],
  wanted: SeedClient,
): Promise<void> {
  const tenantId = await ownerOf(deps, plan, path, wanted.tenant);
  const before = await deps.clients.findClient(wanted.client_id);
  if (before && before.kind !== 'application')
    return plan.refuse([...path, 'client_id'], 'is in use by a service account');
  const client = toClient(deps, wanted, tenantId, before);
  try {
    await deps.clients.checkClient(client);
  } catch (error) {
    return plan.refuse(path, (error as { error_description?: string }).error_description ?? 'is not a valid client');
  }
  if (!before) plan.create((tx) => deps.clients.createClient(tx, plan.actor, client));
  else if (isDeepStrictEqual(before, client)) plan.keep();
  else plan.update((tx) => deps.clients.updateClient(tx, plan.actor, before, client));
}

async function ownerOf(
  deps: SeedDeps,
  plan: SeedPlan,
  path: readonly (string | number)[],
  slug: string | undefined,
): Promise<string | null> {
  if (slug === undefined) return null;
  const tenant = plan.tenants.get(slug) ?? (await deps.tenants.findTenantBySlug(slug));
  if (tenant && !deps.tenantTypes[tenant.type].clients)
    plan.refuse([...path, 'tenant'], `is ${tenant.type} and owns no clients`);
  if (tenant && tenant.status !== 'deleted') return tenant.id;
  plan.refuse([...path, 'tenant'], `names no tenant: ${slug}`);
  return null;
}

function toClient(deps: SeedDeps, wanted: SeedClient, tenantId: string | null, before: Client | null): Client {
  const {
    client_id: clientId,
    client_secret: secret,
    firstParty,
    signUp,
    requirePkce,
    resources,
    actors,
    scope,
    tenant: _tenant,
    ...metadata
  } = wanted;
  return {
    clientId,
    kind: 'application',
    tenantId,
    firstParty,
    ...(signUp === undefined ? {} : { signUp }),
    requirePkce,
    resources,
    actors,
    scope: scope ?? null,
    secretHashes: secret === undefined ? [] : [deps.clients.hashSecret(secret)],
    metadata: JSON.parse(JSON.stringify(metadata)) as ClientMetadata,
    createdAt: before?.createdAt ?? deps.now(),
  };
}
