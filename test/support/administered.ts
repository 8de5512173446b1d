import type { AdministrationModule } from '../../src/administration/index.js';
import { systemAuthority, type Authority } from '../../src/kernel/actor.js';
import { AppError } from '../../src/kernel/errors.js';
import { coversPermission } from '../../src/roles/index.js';
import type { RunningApp } from './start-app.js';

/** Whoever runs the commands: may do everything. */
export const operator: Authority = systemAuthority('command');

/** Somebody with these roles, which allow these permissions or patterns. */
export function somebody(roles: readonly string[], permissions: readonly string[]): Authority {
  const actor = { kind: 'user', userId: 'usr_somebody' } as const;
  return { actor, answersFor: actor.userId, roles, allows: (permission) => coversPermission(permissions, permission) };
}

/** `status code` of the refusal, or `done`. Whatever else is thrown is thrown on. */
export function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof AppError) return `${error.status} ${error.code}`;
      throw error;
    },
  );
}

export async function tenantIdOf({ database }: RunningApp, slug: string): Promise<string> {
  const found = await database.collection<{ _id: string }>('tenants').findOne({ slugs: slug });
  if (!found) throw new Error(`no tenant ${slug}`);
  return found._id;
}

/** The seed's people have no ids of their own; each is known by being the only one of a membership. */
export async function memberIdsOf({ database }: RunningApp, tenantId: string): Promise<string[]> {
  const found = database.collection<{ userId: string }>('memberships').find({ tenantId }).sort({ _id: 1 });
  return (await found.toArray()).map(({ userId }) => userId);
}

/** So many users without a membership. */
export async function newUsers({ app, database }: RunningApp, count: number, prefix = 'new'): Promise<string[]> {
  const addresses = Array.from({ length: count }, (_, index) => `${prefix}-${index}@example.com`);
  const before = new Set((await database.collection<{ _id: string }>('users').find().toArray()).map(({ _id }) => _id));
  await app.seeding.applySeed({ users: addresses.map((email) => ({ email, emailVerified: true })) });
  const after = await database.collection<{ _id: string }>('users').find().toArray();
  return after.map(({ _id }) => _id).filter((id) => !before.has(id));
}

export async function seatsOf({ database }: RunningApp, tenantId: string): Promise<Record<string, number> | undefined> {
  const found = await database
    .collection<{ _id: string; seats: Record<string, number> }>('tenants')
    .findOne({ _id: tenantId });
  return found?.seats;
}

export type Administration = AdministrationModule;
