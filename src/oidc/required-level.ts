import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Assurance, Level } from '../credentials/index.js';
import { clientOf } from './library-internals.js';
import type { ChooseTenant } from './tenant-choice.js';
import { factorKindsOf } from './user-claims.js';

export interface LevelOfPersonDeps {
  assurance: Assurance;
  /** What everybody has to reach. */
  everybodysLevel: Level;
  /** Whether a tenant of the person refuses codes by e-mail. */
  refusesEmailCodes(userId: string): Promise<boolean>;
}

export interface RequiredLevelDeps extends LevelOfPersonDeps {
  chooseTenant: ChooseTenant;
}

/** How much has to be proven for one authorization request. */
export interface RequiredLevel {
  /** What platform, tenant, client and request insist on, the highest of them. */
  must: Level;
  /** What the request would like: asked of whoever can prove it. */
  wish: Level;
}

/** Claims that say how the person signed in; others are asked for by scope, so that a consent covers them. */
const claimsThatMayBeAsked = new Set(['acr', 'amr', 'auth_time', 'sub']);

/** For the parameter `claims` (OpenID Connect Core §5.5). */
export function requireKnownClaims(_ctx: KoaContextWithOIDC, claims: object): void {
  const asked = Object.values(claims).flatMap((part) => Object.keys((part as object | undefined) ?? {}));
  const other = asked.find((name) => !claimsThatMayBeAsked.has(name));
  if (other !== undefined) throw new errors.InvalidRequest('claims other than acr, amr and auth_time are got by scope');
}

export async function requiredLevel(deps: RequiredLevelDeps, ctx: KoaContextWithOIDC): Promise<RequiredLevel> {
  const { isLevel } = deps.assurance;
  const choice = await deps.chooseTenant(ctx);
  const ofTenant: Level = choice.kind === 'chosen' && choice.authorization.requiresSecondFactor ? 'aal2' : 'aal1';
  const ofClient = (clientOf(ctx).defaultAcrValues ?? []).find(isLevel) ?? 'aal1';
  const { accountId: userId, acr, amr = [] } = ctx.oidc.session ?? {};
  const ofPerson = await levelOfPerson(deps, { userId, acr, amr, enrolled: factorKindsOf(ctx) });
  const { essential, levels, isImpossible } = askedLevels(deps.assurance, ctx);
  if (isImpossible) throw new errors.UnmetAuthenticationRequirements('none of the requested ACRs can be reached');
  const [preferred = 'aal1'] = levels;
  const lowest = levels.includes('aal1') ? 'aal1' : preferred;
  const must = highest([ofPerson, ofTenant, ofClient, essential ? lowest : 'aal1']);
  return { must, wish: highest([must, preferred]) };
}

/** Somebody who is signed in, and how. */
export interface SignedInPerson {
  userId: string | undefined;
  acr: string | undefined;
  amr: readonly string[];
  /** Kinds of their factors. */
  enrolled: readonly string[];
}

/**
 * What they have to reach wherever they go. Asked again each time: a session may be older than the policy, or than the
 * membership.
 */
export async function levelOfPerson(
  { assurance, everybodysLevel, refusesEmailCodes }: LevelOfPersonDeps,
  { userId, acr, amr, enrolled }: SignedInPerson,
): Promise<Level> {
  if (userId === undefined || assurance.reaches(acr, 'aal2') || everybodysLevel === 'aal2') return everybodysLevel;
  return assurance.restsOnEmail(enrolled, amr) && (await refusesEmailCodes(userId)) ? 'aal2' : 'aal1';
}

/** `acr_values` come as a wish, in order of preference; the parameter `claims` may make it a condition. */
function askedLevels(
  { isLevel }: Assurance,
  ctx: KoaContextWithOIDC,
): { essential: boolean; levels: Level[]; isImpossible: boolean } {
  const asked = (ctx.oidc.claims as AskedClaims | undefined)?.id_token?.acr ?? {};
  const { essential = false, value, values = value === undefined ? [] : [value] } = asked;
  if (!Array.isArray(values)) throw new errors.InvalidRequest('invalid claims.id_token.acr.values type');
  const levels = values.filter(isLevel);
  return { essential, levels, isImpossible: essential && values.length > 0 && levels.length === 0 };
}

interface AskedClaims {
  id_token?: { acr?: { essential?: boolean; value?: unknown; values?: unknown[] } | null };
}

function highest(levels: readonly Level[]): Level {
  return levels.includes('aal2') ? 'aal2' : 'aal1';
}
