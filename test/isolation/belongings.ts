import { createHash } from 'node:crypto';
import type { Database } from '../../src/platform/mongo/open-database.js';
import { dump } from '../http/dump.js';

/** What belongs to a tenant: records that name it, its people or its clients, and those that came of what they did. */
export interface Belongings {
  /** Runs something that the tenant does; the records that come of it are its own from then on. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** A hash of each record, by collection and id. */
  fingerprint(): Promise<Fingerprint>;
}

export type Fingerprint = ReadonlyMap<string, { hash: string; endsAt: number }>;

interface Row {
  key: string;
  text: string;
  endsAt: number;
}

export function belongingsOf(database: Database, ids: readonly string[]): Belongings {
  const own = new Set<string>();

  async function rows(): Promise<Row[]> {
    return Object.entries(await dump(database)).flatMap(([collection, records]) =>
      records.map((record) => {
        const { expiresAt } = record as { expiresAt?: Date | null };
        const key = keyOf(collection, record);
        return { key, text: JSON.stringify(record), endsAt: expiresAt?.getTime() ?? Infinity };
      }),
    );
  }

  async function keys(): Promise<string[]> {
    const all = await dump(database, { _id: 1 });
    return Object.entries(all).flatMap(([collection, records]) => records.map((record) => keyOf(collection, record)));
  }

  return {
    async during(work) {
      const before = new Set(await keys());
      const result = await work();
      for (const key of await keys()) if (!before.has(key)) own.add(key);
      return result;
    },
    async fingerprint() {
      const isOwn = ({ key, text }: Row): boolean =>
        own.has(key) || ids.some((id) => key.includes(id) || text.includes(id));
      const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
      return new Map(
        (await rows()).filter(isOwn).map(({ key, text, endsAt }) => [key, { hash: hashOf(text), endsAt }]),
      );
    },
  };
}

function keyOf(collection: string, record: unknown): string {
  return `${collection}/${String((record as { _id: unknown })._id)}`;
}

/** Which records are not what they were, without those of collections that may change. */
export function changes(before: Fingerprint, after: Fingerprint, allowed: readonly string[] = []): string[] {
  const found: string[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    if (was?.hash === is?.hash || allowed.includes(key.split('/')[0] ?? '')) continue;
    // the database removes what is over when it likes
    if (!is && was && was.endsAt < Date.now()) continue;
    found.push(`${key} ${is ? (was ? 'was changed' : 'was added') : 'is gone'}`);
  }
  return found;
}
