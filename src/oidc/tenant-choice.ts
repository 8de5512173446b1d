import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AccessModule, Authorization } from '../access/index.js';
import type { Membership } from '../memberships/index.js';
import type { Tenant } from '../tenants/index.js';
import { clientOf } from './library-internals.js';

/** In which tenant an authorization request acts. */
export type TenantChoice =
  | { kind: 'nobody' } // nobody is signed in yet
  | { kind: 'chosen'; authorization: Authorization }
  | { kind: 'undecided' } // several memberships, none named: the person picks
  | { kind: 'refused' }; // unknown, foreign or inactive tenant, or no membership at all

export interface TenantChoiceDeps {
  authorizationOf: AccessModule['authorizationOf'];
  findTenantBySlug(slug: string): Promise<Tenant | null>;
  findTenantsByIds(ids: readonly string[]): Promise<Tenant[]>;
  listMembershipsOfUser(userId: string): Promise<Membership[]>;
}

export type ChooseTenant = (ctx: KoaContextWithOIDC) => Promise<TenantChoice>;

/** What speaks for a tenant in one authorization request. */
export interface TenantHints {
  userId: string;
  /** The client's owner: such a client never acts in another tenant. */
  owner: string | null;
  /** Id of the tenant that the person picked in this flow. */
  picked: string | undefined;
  /** Request parameter `tenant`: slug or id. */
  asked: string | undefined;
}

/** The result of our picker, as the library keeps it with the interaction. */
export function pickedTenant(result: unknown): string | undefined {
  return (result as { select_tenant?: { tenantId?: string } } | undefined)?.select_tenant?.tenantId;
}

/** Hooks of the library ask several times in one request; the answer is found once. */
export function tenantChooser(deps: TenantChoiceDeps): ChooseTenant {
  const answers = new WeakMap<KoaContextWithOIDC, Promise<TenantChoice>>();
  return (ctx) => {
    const userId = ctx.oidc.session?.accountId;
    if (userId === undefined) return Promise.resolve({ kind: 'nobody' });
    const known = answers.get(ctx);
    if (known) return known;
    const answer = chooseTenant(deps, {
      userId,
      owner: clientOf(ctx).tenantId,
      picked: pickedTenant(ctx.oidc.result),
      asked: ctx.oidc.params?.['tenant'] as string | undefined,
    });
    answers.set(ctx, answer);
    return answer;
  };
}

/** The client's tenant, else the one picked, else the one asked for, else the only membership. */
export async function chooseTenant(deps: TenantChoiceDeps, hints: TenantHints): Promise<TenantChoice> {
  const { userId, owner, picked, asked } = hints;
  const askedId = asked === undefined ? undefined : await tenantIdOf(deps, asked);
  if (askedId === null) return { kind: 'refused' };
  if (owner !== null && askedId !== undefined && askedId !== owner) return { kind: 'refused' };

  const tenantId = owner ?? picked ?? askedId;
  if (tenantId !== undefined) return entering(deps, userId, tenantId);

  const memberships = await deps.listMembershipsOfUser(userId);
  const tenants = await deps.findTenantsByIds(memberships.map((membership) => membership.tenantId));
  const open = tenants.filter((tenant) => tenant.status === 'active');
  if (open.length > 1) return { kind: 'undecided' };
  return open[0] ? entering(deps, userId, open[0].id) : { kind: 'refused' };
}

async function entering(deps: TenantChoiceDeps, userId: string, tenantId: string): Promise<TenantChoice> {
  const authorization = await deps.authorizationOf({ kind: 'user', userId }, tenantId);
  return authorization ? { kind: 'chosen', authorization } : { kind: 'refused' };
}

async function tenantIdOf(deps: TenantChoiceDeps, slugOrId: string): Promise<string | null> {
  if (slugOrId.startsWith('ten_')) return slugOrId;
  return (await deps.findTenantBySlug(slugOrId))?.id ?? null;
}
