import { all, by, ofTenant, userIdOf, type Commands } from './command.js';

export const tenants: Commands = {
  list: { takes: [], run: async (admin) => all(admin.listTenants, ({ id }) => id) },
  create: {
    takes: ['SLUG'],
    run: async (admin, [slug], { owner, ...wanted }) =>
      admin.createTenant(by, { ...wanted, slug, ownerId: await userIdOf(admin, owner) } as never),
  },
  show: ofTenant((admin, id) => admin.getTenant(id)),
  settings: ofTenant((admin, tenantId, input) => admin.changeSettings(by, { tenantId }, input)),
  type: ofTenant((admin, id, { type }) => admin.changeType(by, id, type as never)),
  suspend: ofTenant((admin, id) => admin.changeStatus(by, id, 'suspended')),
  activate: ofTenant((admin, id) => admin.changeStatus(by, id, 'active')),
  archive: ofTenant((admin, id) => admin.changeStatus(by, id, 'archived')),
  'preview-template': ofTenant((admin, id, input) => admin.previewTemplate(id, input as never)),
  'apply-template': ofTenant((admin, id, input) => admin.applyTemplate(by, id, input as never)),
  'end-tokens': ofTenant((admin, id) => admin.endTokensOf(by, { tenantId: id })),
  'reconcile-seats': ofTenant((admin, id) => admin.reconcileSeats(id)),
  'create-role': ofTenant((admin, id, input) => admin.createRole(by, id, input as never)),
  'explain-access': ofTenant((admin, id, input) => admin.explainAccess(id, input as never)),
  invite: ofTenant((admin, id, input) => admin.createInvitation(by, id, input as never)),
  'add-member': ofTenant(async (admin, id, { email, ...input }) =>
    admin.addMember(by, id, { ...input, userId: await userIdOf(admin, email) } as never),
  ),
  'change-member': ofTenant(async (admin, tenantId, { email, ...input }) =>
    admin.changeMemberRoles(by, { tenantId, userId: await userIdOf(admin, email) }, input as never),
  ),
  'remove-member': ofTenant(async (admin, tenantId, { email }) =>
    admin.removeMember(by, { tenantId, userId: await userIdOf(admin, email) }),
  ),
  'publish-template': {
    takes: ['KEY'],
    run: (admin, [key], input) => admin.publishTemplate(by, { ...input, key } as never),
  },
};
