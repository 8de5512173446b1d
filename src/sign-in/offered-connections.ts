import type { Connection } from '../connections/index.js';
import { tenantIdPattern } from '../kernel/patterns.js';
import type { Interaction } from '../oidc/index.js';
import type { SignInDeps } from './sign-in-deps.js';

type Deps = Pick<SignInDeps, 'connections' | 'findTenantBySlug'>;

/** In the place of a connection: somebody of a provider does not want to be linked, and signs in another way. */
export const noConnection = 'none';

/** Where the browser goes to a provider, and comes back to. */
export function connectionPath({ uid }: Interaction): string {
  return `/sign-in/${uid}/connection`;
}

/** The connections of this sign-in: the platform's, and those of the tenant whose app it is or that it names. */
export async function offeredConnections(deps: Deps, interaction: Interaction): Promise<Connection[]> {
  const tenantId = await tenantNamed(deps, interaction);
  return deps.connections.listOffered({ tenantId, clientId: interaction.client.clientId });
}

export async function connectionsShown(deps: Deps, interaction: Interaction): Promise<{ id: string; name: string }[]> {
  return (await offeredConnections(deps, interaction)).map(({ id, name }) => ({ id, name }));
}

/** The tenant whose app it is, or that the app asks for; null: none, or one that there is not. */
export async function tenantNamed(
  deps: Pick<Deps, 'findTenantBySlug'>,
  { clientTenantId, askedTenant: asked }: Interaction,
): Promise<string | null> {
  if (clientTenantId !== null || asked === undefined) return clientTenantId;
  if (tenantIdPattern.test(asked)) return asked;
  return (await deps.findTenantBySlug(asked))?.id ?? null;
}
