/**
 * Versioned presets for tenants: built-in ones, and those that operators publish. Owns the `templates` collection.
 * It does not know which tenant is of which template (tenants).
 */
import type { Actor } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createTemplateStore, type WithAllSettings } from './template-store.js';
import type { Template } from './template.js';

export type { Template, TemplateRole } from './template.js';

export interface TemplatesModule {
  /** The latest version when none is named. Throws 404. */
  getTemplate(key: string, version?: number): Promise<Template>;
  listTemplates(): Promise<Template[]>;
  /** Whether any version of any template shows this picture, by its digest. */
  showsLogo(tx: Tx, digest: string): Promise<boolean>;
  /** As the next version of its key. Throws a duplicate key error when another one came first. */
  publishTemplate(tx: Tx, actor: Actor, template: Omit<Template, 'version'>): Promise<Template>;
  ensureIndexes(): Promise<void>;
}

export interface TemplatesDeps {
  database: Database;
  recordEvent: RecordEvent;
  now: Clock;
  builtIn: readonly Template[];
  withAllSettings: WithAllSettings;
}

export function templatesModule(deps: TemplatesDeps): TemplatesModule {
  const store = createTemplateStore(deps.database, deps.withAllSettings);

  async function find(key: string, version?: number): Promise<Template | null> {
    const ofKey = deps.builtIn.filter((template) => template.key === key);
    if (ofKey.length === 0) return store.find(key, version);
    const [latest] = ofKey.toSorted((left, right) => right.version - left.version);
    return (version === undefined ? latest : ofKey.find((template) => template.version === version)) ?? null;
  }

  return {
    async getTemplate(key, version) {
      const template = await find(key, version);
      if (template) return template;
      throw new AppError('template.not_found', { status: 404, detail: 'There is no such template.' });
    },
    showsLogo: store.showsLogo,
    listTemplates: async () => [...deps.builtIn, ...(await store.list())],
    async publishTemplate(tx, actor, draft) {
      if (deps.builtIn.some((template) => template.key === draft.key))
        throw new AppError('template.built_in', { status: 409, detail: 'A built-in template has this key.' });
      const version = ((await store.find(draft.key))?.version ?? 0) + 1;
      const template = { ...draft, version };
      await store.insert(tx, template, deps.now());
      await deps.recordEvent(tx, {
        type: 'template.published',
        tenantId: null,
        actor,
        subjectId: draft.key,
        data: { version },
      });
      return template;
    },
    ensureIndexes: () => store.ensureIndexes(),
  };
}
