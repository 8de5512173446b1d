/**
 * How tenants are governed: made, changed, moved, closed and deleted, and who belongs to them with which roles. Each
 * use case is one transaction over what the slices own; owns no data. Whoever calls it has found out that the caller
 * may do such a thing at all; here it is decided whether it may be done to this tenant, with these rights.
 */
import type { AdministrationDeps } from './administration-deps.js';
import { addMember, changeMemberRoles, removeMember } from './govern-members.js';
import { changeRole, createRole, deleteRole } from './govern-roles.js';
import { changeSettings } from './change-settings.js';
import { changeType, listTypeBlockers } from './change-type.js';
import { changeStatus } from './change-status.js';
import { createPersonalTenant, createTenant } from './create-tenant.js';
import { deleteDueTenants } from './delete-tenants.js';
import { endTokensOf } from './end-tokens.js';
import { applyTemplate, previewTemplate, publishTemplate } from './govern-templates.js';
import { explainAccess } from './explain-access.js';
import { changeClient, createClient, deleteClient, rotateClientSecret } from './govern-clients.js';
import { changeConnection, createConnection, deleteConnection, getConnection } from './govern-connections.js';
import { changeDomain, findDomainVouching, joinByDomain, joinByDomainIn } from './domain-rules.js';
import { createDomain, deleteDomain, getDomain, recheckDomains, verifyDomain } from './govern-domains.js';
import {
  acceptInvitation,
  createInvitation,
  getOpenInvitation,
  resendInvitation,
  revokeInvitation,
} from './govern-invitations.js';
import { changeResource, createResource, deleteResource } from './govern-resources.js';
import {
  adoptServiceAccount,
  changeServiceAccount,
  createApiKey,
  createServiceAccount,
  deleteServiceAccount,
  revokeApiKey,
  setServiceAccountAuthentication,
} from './govern-service-accounts.js';
import {
  changeUser,
  changeUserStatus,
  createUser,
  deleteUser,
  endMemberSessions,
  endUserSessions,
  requirePasswordReset,
  resetUserFactors,
  setUserPassword,
} from './govern-users.js';
import {
  getServiceAccount,
  getTenant,
  getUserByEmail,
  listApiKeys,
  listClients,
  listServiceAccounts,
  listTenants,
  listUsers,
} from './look-up.js';
import {
  cancelDeletion,
  changeOwnPassword,
  changeOwnProfile,
  deleteDueUsers,
  getDeletion,
  listTenantsOwnedAlone,
  requestDeletion,
} from './own-account.js';
import { acceptOwnInvitation, closeOwnTenant, createOwnTeam, leaveTenant } from './own-tenants.js';
import { reconcileSeats } from './reconcile-seats.js';
import { unlockUser } from './unlock-user.js';

export { schemas } from './schemas.js';
export { parsed } from './input.js';
export type { TypeBlocker } from './change-type.js';
export type { TemplateDiff } from './template-diff.js';
export type { TokensOf } from './end-tokens.js';

const useCases = {
  ...{ createTenant, createPersonalTenant, changeSettings, changeType, listTypeBlockers, changeStatus },
  ...{ deleteDueTenants, reconcileSeats },
  ...{ addMember, changeMemberRoles, removeMember, createRole, changeRole, deleteRole },
  ...{ createServiceAccount, changeServiceAccount, deleteServiceAccount, adoptServiceAccount },
  ...{ setServiceAccountAuthentication, createApiKey, revokeApiKey },
  ...{ createClient, changeClient, rotateClientSecret, deleteClient },
  ...{ createConnection, changeConnection, deleteConnection, getConnection },
  ...{ createUser, changeUser, changeUserStatus, requirePasswordReset, setUserPassword, deleteUser },
  ...{ resetUserFactors, unlockUser },
  ...{ endUserSessions, endMemberSessions, createResource, changeResource, deleteResource },
  ...{ changeDomain, findDomainVouching, joinByDomain, joinByDomainIn },
  ...{ createDomain, verifyDomain, deleteDomain, getDomain, recheckDomains },
  ...{ createInvitation, resendInvitation, revokeInvitation, getOpenInvitation, acceptInvitation, explainAccess },
  ...{ changeOwnProfile, changeOwnPassword, listTenantsOwnedAlone, requestDeletion, getDeletion, cancelDeletion },
  ...{ deleteDueUsers, leaveTenant, createOwnTeam, closeOwnTenant, acceptOwnInvitation },
  ...{ publishTemplate, previewTemplate, applyTemplate, endTokensOf, getTenant, getUserByEmail },
  ...{ getServiceAccount, listTenants, listUsers, listClients, listServiceAccounts, listApiKeys },
};

type UseCases = typeof useCases;
export type AdministrationModule = {
  [Name in keyof UseCases]: UseCases[Name] extends (deps: AdministrationDeps, ...args: infer Args) => infer Result
    ? (...args: Args) => Result
    : never;
};

export function administrationModule(deps: AdministrationDeps): AdministrationModule {
  const bound = Object.entries(useCases).map(([name, useCase]) => [
    name,
    (...args: unknown[]) => (useCase as (...all: unknown[]) => unknown)(deps, ...args),
  ]);
  return Object.fromEntries(bound) as AdministrationModule;
}
