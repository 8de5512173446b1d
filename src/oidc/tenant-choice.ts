import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AccessModule, Authorization } from '../access/index.js';
import type { Membership } from '../memberships/index.js';
import type { Tenant } from '../tenants/index.js';
import { boundTenantOf, clientOf } from './library-internals.js';

/** In which tenant an authorization request acts. */
export type TenantChoice =
  | { kind: 'nobody' } // nobody is signed in yet
  | { kind: 'no_tenant' } // the client acts in none: a person comes through it to their own account
  | { kind: 'chosen'; authorization: Authorization }
  | { kind: 'undecided' } // several memberships, none named: the person picks
  // unknown, foreign or inactive tenant, or no membership at all; or one that may not be used from this address
  | { kind: 'refused'; reason?: 'address' };

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
  /** Id of the tenant whose invitation the person has accepted in this flow. */
  accepted?: string | undefined;
  /** Id of the tenant whose own provider vouched for the person in this sign-in: no other one is open to them. */
  bound?: string | undefined;
  /** From where the tenant would be entered; not looked at where that was done before in the same flow. */
  address?: string;
}

type Results = { select_tenant?: { tenantId?: string }; invitation?: { tenantId?: string } } | undefined;

/** The tenant that the person picked or came into, as the library keeps it with the interaction. */
export function pickedTenant(result: unknown): string | undefined {
  return (result as Results)?.select_tenant?.tenantId ?? acceptedTenant(result);
}

/** The tenant whose invitation the person has accepted in this flow. */
export function acceptedTenant(result: unknown): string | undefined {
  return (result as Results)?.invitation?.tenantId;
}

/** Hooks of the library ask several times in one request; the answer is found once. */
export function tenantChooser(deps: TenantChoiceDeps & { accountClientId: string }): ChooseTenant {
  const answers = new WeakMap<KoaContextWithOIDC, Promise<TenantChoice>>();
  return (ctx) => {
    const userId = ctx.oidc.session?.accountId;
    if (userId === undefined) return Promise.resolve({ kind: 'nobody' });
    if (clientOf(ctx).clientId === deps.accountClientId) return Promise.resolve({ kind: 'no_tenant' });
    const known = answers.get(ctx);
    if (known) return known;
    const answer = chooseTenant(deps, {
      userId,
      owner: clientOf(ctx).tenantId,
      picked: pickedTenant(ctx.oidc.result),
      accepted: acceptedTenant(ctx.oidc.result),
      bound: boundTenantOf(ctx),
      asked: ctx.oidc.params?.['tenant'] as string | undefined,
      address: ctx.ip,
    });
    answers.set(ctx, answer);
    return answer;
  };
}

/** What the page of a prompt is told that comes once the tenant is chosen. */
export type InTenantDetails = Record<'tenantId', string | null>;

export function inTenant(chooseTenant: ChooseTenant): (ctx: KoaContextWithOIDC) => Promise<InTenantDetails> {
  return async (ctx) => {
    const choice = await chooseTenant(ctx);
    return { tenantId: choice.kind === 'chosen' ? choice.authorization.tenant.id : null };
  };
}

/** The client's tenant, else the one picked, else the one asked for, else the only membership. */
export async function chooseTenant(deps: TenantChoiceDeps, hints: TenantHints): Promise<TenantChoice> {
  const { userId, owner, picked, asked } = hints;
  const askedId = asked === undefined ? undefined : await tenantIdOf(deps, asked);
  if (askedId === null) return { kind: 'refused' };
  if (owner !== null && askedId !== undefined && askedId !== owner) return { kind: 'refused' };

  if (hints.accepted !== undefined && askedId !== undefined && askedId !== hints.accepted) return { kind: 'refused' };

  const tenantId = owner ?? picked ?? askedId ?? hints.bound;
  if (hints.bound !== undefined && tenantId !== hints.bound) return { kind: 'refused' };
  if (tenantId !== undefined) return entering(deps, hints, tenantId);

  const memberships = await deps.listMembershipsOfUser(userId);
  const tenants = await deps.findTenantsByIds(memberships.map((membership) => membership.tenantId));
  const open = tenants.filter((tenant) => tenant.status === 'active');
  if (open.length > 1) return { kind: 'undecided' };
  return open[0] ? entering(deps, hints, open[0].id) : { kind: 'refused' };
}

async function entering(
  deps: TenantChoiceDeps,
  { userId, address }: TenantHints,
  tenantId: string,
): Promise<TenantChoice> {
  const authorization = await deps.authorizationOf({ kind: 'user', userId }, tenantId);
  if (authorization && address !== undefined && !authorization.admits(address))
    return { kind: 'refused', reason: 'address' };
  return authorization ? { kind: 'chosen', authorization } : { kind: 'refused' };
}

async function tenantIdOf(deps: TenantChoiceDeps, slugOrId: string): Promise<string | null> {
  if (slugOrId.startsWith('ten_')) return slugOrId;
  return (await deps.findTenantBySlug(slugOrId))?.id ?? null;
}
