/**
 * Brings the database to what a seed describes, whole or not at all. Owns no data; demo data, first start and test
 * fixtures use the same format.
 */
import type { Actor } from '../kernel/actor.js';
import { randomSecret } from '../kernel/secret.js';
import { isDuplicateKey, type InTransaction } from '../platform/mongo/transactions.js';
import { parseSeedFile, SeedError } from './parse-seed-file.js';
import { planClients } from './plan-clients.js';
import { planResources } from './plan-resources.js';
import { planTenants } from './plan-tenants.js';
import { planUsers } from './plan-users.js';
import { newSeedPlan, type SeedDeps } from './seed-plan.js';
import { seedSchema, type Seed, type SeedInput, type SeedIssue } from './seed.js';

export type { Seed, SeedInput } from './seed.js';
export { SeedError } from './parse-seed-file.js';

export interface SeedReport {
  created: number;
  updated: number;
  unchanged: number;
}

export interface SeedingModule {
  /** Throws SeedError, with line and reason of every problem. */
  applySeedFile(source: string, fileName: string): Promise<SeedReport>;
  applySeed(seed: SeedInput): Promise<SeedReport>;
  /**
   * Makes the platform tenant with its administrator when they are not there yet. Null when they are; else the
   * administrator's password if it was generated here.
   */
  firstStart(admin: {
    email: string;
    password: string | undefined;
  }): Promise<{ generatedPassword: string | null } | null>;
}

export interface SeedingDeps extends SeedDeps {
  inTransaction: InTransaction;
  platformSlug: string;
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
    if (plan.writes.length > 0) {
      await deps.inTransaction(async (tx) => {
        for (const write of plan.writes) await write(tx);
      });
      deps.forgetCached();
    }
    return plan.counts;
  }

  return {
    async applySeedFile(source, fileName) {
      const { seed, describe } = parseSeedFile(source, fileName);
      const reserved = seed.tenants.findIndex((tenant) => tenant.slug === deps.platformSlug);
      if (reserved >= 0)
        throw new SeedError([
          describe({ path: ['tenants', reserved, 'slug'], message: 'is the built-in tenant of the operators' }),
        ]);
      return apply(seed, { kind: 'system', reason: 'seed' }, describe);
    },
    applySeed: (seed) => apply(seedSchema.parse(seed), { kind: 'system', reason: 'seed' }, plainly),
    async firstStart({ email, password }) {
      if (await deps.tenants.findTenantBySlug(deps.platformSlug)) return null;
      const generatedPassword = password === undefined ? randomSecret().slice(0, 24) : null;
      const seed = seedSchema.parse(platformSeed(deps.platformSlug, email, password ?? generatedPassword ?? ''));
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

function plainly({ path, message }: SeedIssue): string {
  return `${path.join('.')} ${message}`;
}
