import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import type { AdministrationDeps } from './administration-deps.js';
import { heldAccount } from './govern-service-accounts.js';
import { requireOperator } from './grantable.js';
import { parsed } from './input.js';

const id = z.string().min(1).max(100);
const tokensOfSchema = z.union([
  z.strictObject({ userId: id }),
  z.strictObject({ sessionUid: id }),
  z.strictObject({ grantId: id }),
  z.strictObject({ tenantId: id }),
  z.strictObject({ clientId: id }),
  z.strictObject({ serviceAccount: z.strictObject({ tenantId: id, clientId: id }) }),
]);

/** Whose tokens are to end. */
export type TokensOf = z.input<typeof tokensOfSchema>;

/**
 * Ends every token that there is of a person, session, grant, tenant, client or service account, those for offline
 * access too: at introspection, userinfo and refresh, at once in this process and within five seconds in all. What is
 * asked for afterwards is new. Whatever reaches beyond one tenant is for operators.
 */
export async function endTokensOf(deps: AdministrationDeps, by: Authority, input: TokensOf): Promise<void> {
  const of = parsed(tokensOfSchema, input);
  if ('tenantId' in of) return endOfTenant(deps, by, of.tenantId);
  if ('serviceAccount' in of) return endOfServiceAccount(deps, by, of.serviceAccount);
  requireOperator(by);
  if ('userId' in of) return deps.inTransaction((tx) => deps.endings.endAllOf(tx, by.actor, of.userId, 'revoked'));
  if ('sessionUid' in of) return deps.endings.endSession(of.sessionUid, by.actor);
  if ('grantId' in of) return deps.endings.revokeGrant(of.grantId, 'revoked', by.actor);
  return endOfClient(deps, by, of.clientId);
}

/** Tokens of services have no grant: for them, and until the last grant has ended, the instant counts. */
async function endOfTenant(deps: AdministrationDeps, by: Authority, tenantId: string): Promise<void> {
  await deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    await deps.tenants.updateTenant(tx, by.actor, tenant, { tokensEndedAt: deps.now() });
    await deps.recordEvent(tx, { type: 'tenant.tokens_ended', tenantId, actor: by.actor, subjectId: tenantId });
  });
  await deps.endings.endAllGrantsOf(by.actor, { tenantId });
}

async function endOfClient(deps: AdministrationDeps, by: Authority, clientId: string): Promise<void> {
  const client = await deps.clients.findClient(clientId);
  if (!client) return;
  const { kind, tenantId } = client;
  if (kind === 'service_account' && tenantId !== null) return endOfServiceAccount(deps, by, { tenantId, clientId });
  await deps.inTransaction((tx) =>
    deps.recordEvent(tx, { type: 'client.tokens_ended', tenantId, actor: by.actor, subjectId: clientId }),
  );
  await deps.endings.endAllGrantsOf(by.actor, { clientId });
}

async function endOfServiceAccount(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, clientId }: { tenantId: string; clientId: string },
): Promise<void> {
  const found = await deps.serviceAccounts.findServiceAccount(tenantId, clientId);
  if (!found) return;
  const { actor } = by;
  await deps.inTransaction(async (tx) => {
    const { account } = await heldAccount(deps, tx, by, { tenantId, serviceAccountId: found.id });
    await deps.serviceAccounts.updateServiceAccount(tx, actor, account, { tokensEndedAt: deps.now() });
    await deps.recordEvent(tx, { type: 'service_account.tokens_ended', tenantId, actor, subjectId: account.id });
  });
}
