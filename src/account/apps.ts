import { scopeDescriptions } from '../kernel/scope-descriptions.js';
import type { Reader } from '../kernel/languages.js';
import type { Said } from '../kernel/message.js';
import { momentsFor, type Moment } from '../platform/i18n/moments.js';
import type { AccountDeps } from './account-deps.js';

export interface AppShown {
  clientId: string;
  name: string;
  tenantId: string;
  tenantName: string;
  /** What it may do, in words where there are some. */
  permissions: Said[];
  since: Moment;
}

type Deps = Pick<AccountDeps, 'consents' | 'clients' | 'tenants' | 'resources'>;

/** What the person has allowed apps of others; our own are not asked for. */
export async function listApps(deps: Deps, userId: string, reader: Reader): Promise<AppShown[]> {
  const consents = await deps.consents.listConsentsOf(userId);
  const tenants = await deps.tenants.findTenantsByIds([...new Set(consents.map(({ tenantId }) => tenantId))]);
  const tenantNames = new Map(tenants.map(({ id, name }) => [id, name]));
  const moment = momentsFor(reader);
  return Promise.all(
    consents.map(async ({ clientId, tenantId, granted, grantedAt }) => ({
      ...{ clientId, tenantId, tenantName: tenantNames.get(tenantId) ?? tenantId, since: moment(grantedAt) },
      name: (await deps.clients.findClient(clientId))?.metadata.client_name ?? clientId,
      permissions: await Promise.all(granted.map((key) => inWords(deps, key))),
    })),
  );
}

/** An OpenID scope, or a permission as `<resource identifier> <permission>`. */
async function inWords(deps: Deps, key: string): Promise<Said> {
  const [identifier = '', permission] = key.split(' ');
  if (permission === undefined) return scopeDescriptions[key] ?? keptAccess(key);
  const name = (await deps.resources.findResource(identifier))?.name ?? identifier;
  const description = scopeDescriptions[permission];
  const words = description ? { key: description } : permission;
  return { key: 'apps.permission_of', values: { permission: words, resource: name } };
}

function keptAccess(scope: string): Said {
  return scope === 'offline_access' ? 'consent.offline' : { key: 'apps.scope', values: { scope } };
}

/** The app is asked for anew, and what it was granted ends. False: it had nothing. */
export function revokeApp(
  deps: Pick<AccountDeps, 'inTransaction' | 'consents' | 'endings'>,
  consent: { userId: string; tenantId: string; clientId: string },
): Promise<boolean> {
  const { userId, tenantId, clientId } = consent;
  return deps.inTransaction(async (tx) => {
    if (!(await deps.consents.revokeConsent(tx, consent))) return false;
    const of = { accountId: userId, tenantId, clientId };
    await deps.endings.endGrantsOf(tx, { kind: 'user', userId }, of, 'revoked');
    return true;
  });
}
