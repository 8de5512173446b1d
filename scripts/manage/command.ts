import type { AdministrationModule } from '../../src/administration/index.js';
import { systemAuthority } from '../../src/kernel/actor.js';

/** Whoever may run commands on the server may do everything. */
export const by = systemAuthority('command');

export type Input = Record<string, unknown>;

/**
 * What it does with what stands after its name: names first, then what to do in JSON. What comes from the command line
 * is checked by the use cases, so here it has no type.
 */
export interface Command {
  /** Names that it takes, in their order. */
  takes: readonly string[];
  run(admin: AdministrationModule, names: readonly string[], input: Input): Promise<unknown>;
}

export type Commands = Readonly<Record<string, Command>>;

/** A command about one tenant, named by slug or id. */
export function ofTenant(
  run: (admin: AdministrationModule, tenantId: string, input: Input) => Promise<unknown>,
): Command {
  return {
    takes: ['TENANT'],
    run: async (admin, [tenant = ''], input) => run(admin, (await admin.getTenant(tenant)).id, input),
  };
}

/** A command about one person, named by e-mail address. */
export function ofUser(run: (admin: AdministrationModule, userId: string, input: Input) => Promise<unknown>): Command {
  return {
    takes: ['EMAIL'],
    run: async (admin, [email = ''], input) => run(admin, await userIdOf(admin, email), input),
  };
}

export async function userIdOf(admin: AdministrationModule, email: unknown): Promise<string> {
  return (await admin.getUserByEmail(String(email))).id;
}

/** A list, read to its end. */
export async function all<T>(
  list: (page: { limit: number; after?: string }) => Promise<T[]>,
  idOf: (item: T) => string,
): Promise<T[]> {
  const limit = 100;
  const found: T[] = [];
  for (;;) {
    const last = found.at(-1);
    const some = await list({ limit, ...(last === undefined ? {} : { after: idOf(last) }) });
    found.push(...some);
    if (some.length < limit) return found;
  }
}
