import { accessQuestionSchema } from './explain-access.js';
import { settingsChangesSchema } from './change-settings.js';
import { clientAuthentication } from './client-input.js';
import { newTenantSchema } from './create-tenant.js';
import { clientChangesSchema, newClientSchema } from './govern-clients.js';
import { connectionChangesSchema, newConnectionSchema } from './govern-connections.js';
import { domainRulesSchema } from './domain-rules.js';
import { newDomainSchema } from './govern-domains.js';
import { newInvitationSchema } from './govern-invitations.js';
import { newMemberSchema, rolesSchema } from './govern-members.js';
import { newResourceSchema, resourceChangesSchema } from './govern-resources.js';
import { newRoleSchema, roleChangesSchema } from './govern-roles.js';
import { accountChangesSchema, newAccountSchema, newKeySchema } from './govern-service-accounts.js';
import { templateSchema } from './govern-templates.js';
import { ownProfileSchema } from './own-account.js';
import { newPasswordSchema, newUserSchema, userChangesSchema } from './govern-users.js';
import { policyChangesSchema, settingsSchema, templateReference, tenantTypeText } from './input.js';

/** What the use cases take, for whoever describes or asks for it. */
export const schemas = {
  ...{ newTenant: newTenantSchema, settingsChanges: settingsChangesSchema, settings: settingsSchema },
  policyChanges: policyChangesSchema,
  ...{ tenantType: tenantTypeText, template: templateSchema, templateReference },
  ...{ newMember: newMemberSchema, memberRoles: rolesSchema, newRole: newRoleSchema, roleChanges: roleChangesSchema },
  ...{ newAccount: newAccountSchema, accountChanges: accountChangesSchema, newKey: newKeySchema },
  ...{ clientAuthentication, newClient: newClientSchema, clientChanges: clientChangesSchema },
  ...{ newConnection: newConnectionSchema, connectionChanges: connectionChangesSchema },
  ...{ newDomain: newDomainSchema, domainRules: domainRulesSchema },
  ...{ newInvitation: newInvitationSchema, accessQuestion: accessQuestionSchema },
  ...{ newUser: newUserSchema, userChanges: userChangesSchema, newPassword: newPasswordSchema },
  ...{ ownProfile: ownProfileSchema },
  ...{ newResource: newResourceSchema, resourceChanges: resourceChangesSchema },
};
