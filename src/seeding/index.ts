/**
 * Brings the database to what a seed describes, whole or not at all. Owns no data; demo data, first start and test
 * fixtures use the same format.
 */
import pLimit from 'p-limit';
import type { Actor } from '../kernel/actor.js';
import { parseEmail } from '../kernel/email.js';
import { AppError } from '../kernel/errors.js';
import { randomSecret } from '../kernel/secret.js';
import { isDuplicateKey, type InTransaction } from '../platform/mongo/transactions.js';
import { parseSeedFile, SeedError } from './parse-seed-file.js';
import { planClients } from './plan-clients.js';
import { planConnections } from './plan-connections.js';
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
  /** Of the operators. */
  mfa: 'optional' | 'required';
  /** A seed file in text form that is applied along, in the same transaction. */
  demo?: string | undefined;
}

export interface FirstStartReport {
  /** Of the administrator, if it was generated here. */
  generatedPassword: string | null;
}

export interface SeedingModule {
  /** Throws SeedError, with line and reason of every problem. */
  applySeedFile(source: string, fileName: string): Promise<SeedReport>;
  applySeed(seed: SeedInput): Promise<SeedReport>;
  /**
   * Makes the platform tenant with its administrator when they are not there yet. Null when they are.
   */
  firstStart(start: FirstStart): Promise<FirstStartReport | null>;
  /** Whether the tenant of the operators lets nobody in with one factor alone. */
  operatorsNeedTwoFactors(): Promise<boolean>;
}

export interface SeedingDeps extends SeedDeps {
  inTransaction: InTransaction;
}

type Describe = (issue: SeedIssue) => string;

/** Each time somebody else got on with the same, so this ends by itself; more than this is another fault. */
const maximumLostRaces = 5;

export function seedingModule(deps: SeedingDeps): SeedingModule {
  /** One after the other: seeds that this process was given at once would only make each other start again. */
  const oneAtATime = pLimit(1);

  async function apply(seed: Seed, actor: Actor, describe: Describe): Promise<SeedReport> {
    const plan = await planOf(seed, actor, describe);
    await write(plan);
    for (const connectionId of plan.closedConnections) await deps.endAllOpenedBy(actor, { connectionId });
    return plan.counts;
  }

  async function planOf(seed: Seed, actor: Actor, describe: Describe): Promise<SeedPlan> {
    const plan = newSeedPlan(actor);
    const { permissions, identifiers } = await planResources(deps, plan, seed);
    await planTenants(deps, plan, seed, permissions);
    await planUsers(deps, plan, seed);
    await planClients(deps, plan, seed, identifiers);
    await planConnections(deps, plan, seed);
    if (plan.issues.length > 0) throw new SeedError(plan.issues.map(describe));
    return plan;
  }

  async function write(plan: SeedPlan): Promise<void> {
    if (plan.writes.length === 0) return;
    try {
      await deps.inTransaction(async (tx) => {
        for (const step of plan.writes) await step(tx);
      });
    } catch (error) {
      // what only shows while it is written: no seat is left, or the tenant takes nobody in
      if (error instanceof AppError && error.status < 500) throw new SeedError([error.message]);
      throw error;
    }
  }

  async function makeFirst({ email, password, mfa, demo }: FirstStart): Promise<FirstStartReport | null> {
    if (await deps.tenants.findTenantBySlug(deps.platformSlug)) return null;
    const generatedPassword = password === undefined ? randomSecret().slice(0, 24) : null;
    const platform = seedSchema.parse(
      platformSeed(deps.platformSlug, mfa, { email, password: password ?? generatedPassword ?? '' }),
    );
    const seed = demo === undefined ? platform : merged(platform, parseSeedFile(demo, 'the demo data').seed);
    const plan = await planOf(seed, { kind: 'system', reason: 'first_start' }, plainly);
    // made meanwhile by another process: going on would set its administrator's password to ours
    if (!plan.newTenants.has(deps.platformSlug)) return null;
    await write(plan);
    return { generatedPassword };
  }

  return {
    async applySeedFile(source, fileName) {
      const { seed, describe } = parseSeedFile(source, fileName);
      const reserved = seed.tenants.findIndex((tenant) => tenant.slug === deps.platformSlug);
      if (reserved >= 0)
        throw new SeedError([
          describe({ path: ['tenants', reserved, 'slug'], message: 'is the built-in tenant of the operators' }),
        ]);
      return oneAtATime(() => againstRaces(() => apply(seed, { kind: 'system', reason: 'seed' }, describe)));
    },
    applySeed: (seed) =>
      oneAtATime(() => againstRaces(() => apply(seedSchema.parse(seed), { kind: 'system', reason: 'seed' }, plainly))),
    async operatorsNeedTwoFactors() {
      return (await deps.tenants.findTenantBySlug(deps.platformSlug))?.policies.mfa === 'required';
    },
    firstStart: (start) => oneAtATime(() => againstRaces(() => makeFirst(start))),
  };
}

/** Another process may have made the same between plan and write; what then is missing shows in a new plan. */
async function againstRaces<T>(attempt: () => Promise<T>): Promise<T> {
  for (let lost = 0; ; lost++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isDuplicateKey(error) || lost === maximumLostRaces) throw error;
    }
  }
}

function platformSeed(
  slug: string,
  mfa: FirstStart['mfa'],
  { email, password }: { email: string; password: string },
): SeedInput {
  return {
    tenants: [{ slug, name: 'Platform', type: 'enterprise', policies: { mfa } }],
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
    connections: [...first.connections, ...second.connections],
  };
}

function isAmong(users: Seed['users'], email: string): boolean {
  return users.some((user) => parseEmail(user.email) === parseEmail(email));
}

function plainly({ path, message }: SeedIssue): string {
  return `${path.join('.')} ${message}`;
}
