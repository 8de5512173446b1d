import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Template } from './template.js';

/** Gives what was stored before there were all of today's settings the others. */
export type WithAllSettings = (stored: Template['settings']) => Template['settings'];

type TemplateRecord = Template & { createdAt: Date };

export interface TemplateStore {
  /** The latest when no version is named. */
  find(key: string, version?: number): Promise<Template | null>;
  list(): Promise<Template[]>;
  showsLogo(tx: Tx, digest: string): Promise<boolean>;
  /** Throws a duplicate key error when somebody else has published this version. */
  insert(tx: Tx, template: Template, createdAt: Date): Promise<void>;
  ensureIndexes(): Promise<void>;
}

export function createTemplateStore(database: Database, withAllSettings: WithAllSettings): TemplateStore {
  const templates = database.collection<TemplateRecord>('templates');
  const complete = (template: Template): Template => ({ ...template, settings: withAllSettings(template.settings) });
  const plain = { projection: { _id: 0, createdAt: 0 } } as const;
  return {
    async find(key, version) {
      const filter = version === undefined ? { key } : { key, version };
      const found = await templates.findOne<Template>(filter, { ...plain, sort: { version: -1 } });
      return found && complete(found);
    },
    async list() {
      return (await templates.find<Template>({}, plain).sort({ key: 1, version: 1 }).toArray()).map(complete);
    },
    async showsLogo(tx, digest) {
      return (await templates.findOne({ 'settings.branding.logo.digest': digest }, sessionOf(tx))) !== null;
    },
    async insert(tx, template, createdAt) {
      await templates.insertOne({ ...template, createdAt }, sessionOf(tx));
    },
    async ensureIndexes() {
      await templates.createIndex({ key: 1, version: -1 }, { unique: true });
    },
  };
}
