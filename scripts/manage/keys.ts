import { all, by, ofTenant, type Command, type Commands, type Input } from './command.js';
import type { AdministrationModule } from '../../src/administration/index.js';

type Reference = { tenantId: string; serviceAccountId: string };

/** About one service account, named by its id or its client id. */
function ofAccount(
  run: (admin: AdministrationModule, of: Reference, input: Input, names: readonly string[]) => Promise<unknown>,
  more: readonly string[] = [],
): Command {
  return {
    takes: ['TENANT', 'SERVICE_ACCOUNT', ...more],
    async run(admin, [tenant = '', account = '', ...names], input) {
      const { id: tenantId } = await admin.getTenant(tenant);
      const { id: serviceAccountId } = await admin.getServiceAccount(tenantId, account);
      return run(admin, { tenantId, serviceAccountId }, input, names);
    },
  };
}

export const keys: Commands = {
  accounts: ofTenant((admin, id) =>
    all(
      (page) => admin.listServiceAccounts(id, page),
      (account) => account.id,
    ),
  ),
  'create-account': ofTenant((admin, id, input) => admin.createServiceAccount(by, id, input as never)),
  'delete-account': ofAccount((admin, of) => admin.deleteServiceAccount(by, of)),
  list: ofAccount((admin, { tenantId, serviceAccountId }) => admin.listApiKeys(tenantId, serviceAccountId)),
  create: ofAccount((admin, of, input) => admin.createApiKey(by, of, input as never)),
  revoke: ofAccount((admin, of, _input, [keyId = '']) => admin.revokeApiKey(by, of, keyId), ['KEY']),
};
