import type { Authority } from '../kernel/actor.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { AdministrationDeps } from './administration-deps.js';

/** Whose tokens are to end. */
export type TokensOf =
  | { userId: string }
  | { sessionUid: string }
  | { grantId: string }
  | { tenantId: string }
  | { clientId: string }
  | { serviceAccount: { tenantId: string; clientId: string } };

/**
 * Ends every token that there is of a person, session, grant, tenant, client or service account: at introspection,
 * userinfo and refresh at once in this process and within five seconds in all. What is asked for afterwards is new.
 */
export async function endTokensOf(deps: AdministrationDeps, by: Authority, of: TokensOf): Promise<void> {
  if ('userId' in of) return deps.inTransaction((tx) => deps.endings.endAllOf(tx, by.actor, of.userId, 'revoked'));
  if ('sessionUid' in of) return deps.endings.endSession(of.sessionUid);
  if ('grantId' in of) return deps.endings.revokeGrant(of.grantId, 'revoked');
  if ('tenantId' in of) return endOfTenant(deps, by, of.tenantId);
  if ('clientId' in of) return endOfClient(deps, by, of.clientId);
  const { tenantId, clientId } = of.serviceAccount;
  return deps.inTransaction((tx) => endOfServiceAccount(deps, tx, { by, tenantId, clientId }));
}

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
  if (client?.kind === 'service_account' && client.tenantId !== null)
    return endTokensOf(deps, by, { serviceAccount: { tenantId: client.tenantId, clientId } });
  await deps.endings.endAllGrantsOf(by.actor, { clientId });
}

async function endOfServiceAccount(
  deps: AdministrationDeps,
  tx: Tx,
  { by, tenantId, clientId }: { by: Authority; tenantId: string; clientId: string },
): Promise<void> {
  const account = await deps.serviceAccounts.findServiceAccount(tenantId, clientId);
  if (!account) return;
  await deps.serviceAccounts.updateServiceAccount(tx, by.actor, account, { tokensEndedAt: deps.now() });
}
