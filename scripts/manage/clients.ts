import { all, by, ofTenant, type Command, type Commands, type Input } from './command.js';
import type { AdministrationModule } from '../../src/administration/index.js';

type Reference = { tenantId: string; clientId: string };

function ofClient(run: (admin: AdministrationModule, of: Reference, input: Input) => Promise<unknown>): Command {
  return {
    takes: ['TENANT', 'CLIENT'],
    run: async (admin, [tenant = '', clientId = ''], input) =>
      run(admin, { tenantId: (await admin.getTenant(tenant)).id, clientId }, input),
  };
}

export const clients: Commands = {
  list: ofTenant((admin, id) =>
    all(
      (page) => admin.listClients(id, page),
      ({ clientId }) => clientId,
    ),
  ),
  create: ofTenant((admin, id, input) => admin.createClient(by, id, input as never)),
  change: ofClient((admin, of, changes) => admin.changeClient(by, of, { changes })),
  'rotate-secret': ofClient((admin, of) => admin.rotateClientSecret(by, of)),
  delete: ofClient((admin, of) => admin.deleteClient(by, of)),
};
