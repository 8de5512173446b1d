/**
 * Brings the database to what a seed describes, whole or not at all. Owns no data; demo data, first start and test
 * fixtures use the same format.
 */
import type { Actor } from '../kernel/actor.js';
import { parseEmail } from '../kernel/email.js';
import { randomSecret } from '../kernel/secret.js';
import { isDuplicateKey, type InTransaction } from '../platform/mongo/transactions.js';
import { parseSeedFile, SeedError } from './parse-seed-file.js';
import { planClients } from './plan-clients.js';
import { planResources } from './plan-resources.js';
import { planTenants } from './plan-tenants.js';
import { planUsers } from './plan-users.js';
import { newSeedPlan, type SeedDeps, type SeedPlan } from './seed-plan.js';
import { seedSchema, type Seed, type SeedInput, type SeedIssue } from './seed.js';

export type { Seed, SeedInput } from './seed.js';
export { parseSeedFile, SeedError } from './parse-seed-file.js';

export interface SeedReport {
  created: number;
  updated: number;
  unchanged: number;
}

export interface FirstStart {
  email: string;
  password: string | undefined;
  /** A seed file in text form that is applied along, in the same transaction. */
  demo?: string | undefined;
}

export interface SeedingModule {
  /** Throws SeedError, with line and reason of every problem. */
  applySeedFile(source: string, fileName: string): Promise<SeedReport>;
  applySeed(seed: SeedInput): Promise<SeedReport>;
  /**
   * Makes the platform tenant with its administrator when they are not there yet. Null when they are; else the
   * administrator's password if it was generated here.
   */
  firstStart(start: FirstStart): Promise<{ generatedPassword: string | null } | null>;
}

export interface SeedingDeps extends SeedDeps {
  inTransaction: InTransaction;
  /** Drops every cached answer of this process that a seed may have changed. */
  forgetCached(): void;
}

export function seedingModule(deps: SeedingDeps): SeedingModule {
  async function apply(seed: Seed, actor: Actor, describe: (issue: SeedIssue) => string): Promise<SeedReport> {
    const plan = newSeedPlan(actor);
    const { permissions, identifiers } = await planResources(deps, plan, seed);
    await planTenants(deps, plan, seed, permissions);
    await planUsers(deps, plan, seed);
    await planClients(deps, plan, seed, identifiers);
    if (plan.issues.length > 0) throw new SeedError(plan.issues.map(describe));
    await write(plan);
    return plan.counts;
  }

  async function write(plan: SeedPlan): Promise<void> {
    if (plan.writes.length === 0) return;
    await deps.inTransaction(async (tx) => {
      for (const step of plan.writes) await step(tx);
    });
    deps.forgetCached();
  }

  /** Somebody may have made the same between plan and write; what then is missing shows in a new plan. */
  async function applyAgainstRaces(
    seed: Seed,
    actor: Actor,
    describe: (issue: SeedIssue) => string,
  ): Promise<SeedReport> {
    try {
      return await apply(seed, actor, describe);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return apply(seed, actor, describe);
    }
  }

  return {
    async applySeedFile(source, fileName) {
      const { seed, describe } = parseSeedFile(source, fileName);
      const reserved = seed.tenants.findIndex((tenant) => tenant.slug === deps.platformSlug);
      if (reserved >= 0)
        throw new SeedError([
          describe({ path: ['tenants', reserved, 'slug'], message: 'is the built-in tenant of the operators' }),
        ]);
      return applyAgainstRaces(seed, { kind: 'system', reason: 'seed' }, describe);
    },
    applySeed: (seed) => applyAgainstRaces(seedSchema.parse(seed), { kind: 'system', reason: 'seed' }, plainly),
    async firstStart({ email, password, demo }) {
      if (await deps.tenants.findTenantBySlug(deps.platformSlug)) return null;
      const generatedPassword = password === undefined ? randomSecret().slice(0, 24) : null;
      const platform = seedSchema.parse(platformSeed(deps.platformSlug, email, password ?? generatedPassword ?? ''));
      const seed = demo === undefined ? platform : merged(platform, parseSeedFile(demo, 'the demo data').seed);
      try {
        await apply(seed, { kind: 'system', reason: 'first_start' }, plainly);
        return { generatedPassword };
      } catch (error) {
        if (isDuplicateKey(error)) return null; // another process made the first start
        throw error;
      }
    },
  };
}

function platformSeed(slug: string, email: string, password: string): SeedInput {
  return {
    tenants: [{ slug, name: 'Platform', type: 'enterprise' }],
    users: [
      {
        email,
        emailVerified: true,
        name: 'Administrator',
        password,
        memberships: [{ tenant: slug, roles: ['owner'] }],
      },
    ],
  };
}

function merged(first: Seed, second: Seed): Seed {
  return {
    resources: [...first.resources, ...second.resources],
    tenants: [...first.tenants, ...second.tenants],
    // the administrator may have an address of the demo; then there is that person once
    users: [...first.users, ...second.users.filter((user) => !isAmong(first.users, user.email))],
    clients: [...first.clients, ...second.clients],
    connections: [],
  };
}

function isAmong(users: Seed['users'], email: string): boolean {
  return users.some((user) => parseEmail(user.email) === parseEmail(email));
}

function plainly({ path, message }: SeedIssue): string {
  return `${path.join('.')} ${message}`;
}
