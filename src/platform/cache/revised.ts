/**
 * Values that stay right until somebody changes something in their scope (a tenant, or the platform): each is kept with
 * the revision of its scope, which was read before it was. So a change shows everywhere as soon as the new revision is
 * read, and thousands of values cost one read between them.
 */
export interface RevisedMap<T> {
  /** What is loaded may be shared by all who ask for it meanwhile. Undefined where nothing has it. */
  get(key: string, scope: Scope, load: (scope: RevisionScope) => Promise<T>): Promise<T | undefined>;
}

/** A tenant's id; null for what belongs to the platform. */
export type RevisionScope = string | null;

/** Asked for only when the value is not there: the owner of something may have to be looked up. Undefined: none has it. */
type Scope = RevisionScope | (() => Promise<RevisionScope | undefined>);

interface Entry<T> {
  scope: RevisionScope;
  revision: number;
  value: Promise<T>;
  /** Monotonic. */
  loadedAt: number;
}

const most = 20_000;

export function createRevisedMap<T>(deps: {
  revisionOf(scope: RevisionScope): Promise<number>;
  /** What was changed without a new revision (by hand, in the database) shows after this. */
  maxAgeSeconds: number;
}): RevisedMap<T> {
  const entries = new Map<string, Entry<T>>();

  async function load(
    key: string,
    scope: RevisionScope,
    revision: number,
    read: (scope: RevisionScope) => Promise<T>,
  ): Promise<T> {
    const entry: Entry<T> = { scope, revision, value: read(scope), loadedAt: performance.now() };
    entries.delete(key);
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= most) break;
      entries.delete(oldest);
    }
    try {
      return await entry.value;
    } catch (error) {
      if (entries.get(key) === entry) entries.delete(key);
      throw error;
    }
  }

  const isFresh = (entry: Entry<T>): boolean => entry.loadedAt + deps.maxAgeSeconds * 1000 > performance.now();

  return {
    async get(key, scopeOf, read) {
      const known = entries.get(key);
      if (known && isFresh(known) && (await deps.revisionOf(known.scope)) === known.revision) return known.value;
      const scope = typeof scopeOf === 'function' ? await scopeOf() : scopeOf;
      if (scope === undefined) return undefined;
      const revision = await deps.revisionOf(scope);
      const kept = entries.get(key);
      if (kept?.scope === scope && kept.revision === revision && isFresh(kept)) return kept.value;
      return load(key, scope, revision, read);
    },
  };
}
