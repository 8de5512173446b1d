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
import { createTenant } from './create-tenant.js';
import { deleteDueTenants } from './delete-tenants.js';
import { endTokensOf } from './end-tokens.js';
import { applyTemplate, previewTemplate, publishTemplate } from './govern-templates.js';
import { getTenant, getUserByEmail } from './look-up.js';
import { reconcileSeats } from './reconcile-seats.js';

export type { TypeBlocker } from './change-type.js';
export type { TemplateDiff } from './template-diff.js';
export type { TokensOf } from './end-tokens.js';

const useCases = {
  ...{ createTenant, changeSettings, changeType, listTypeBlockers, changeStatus, deleteDueTenants, reconcileSeats },
  ...{ addMember, changeMemberRoles, removeMember, createRole, changeRole, deleteRole },
  ...{ publishTemplate, previewTemplate, applyTemplate, endTokensOf, getTenant, getUserByEmail },
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
