import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Template } from './template.js';

type TemplateRecord = Template & { createdAt: Date };

export interface TemplateStore {
  /** The latest when no version is named. */
  find(key: string, version?: number): Promise<Template | null>;
  list(): Promise<Template[]>;
  /** Throws a duplicate key error when somebody else has published this version. */
  insert(tx: Tx, template: Template, createdAt: Date): Promise<void>;
  ensureIndexes(): Promise<void>;
}

export function createTemplateStore(database: Database): TemplateStore {
  const templates = database.collection<TemplateRecord>('templates');
  const plain = { projection: { _id: 0, createdAt: 0 } } as const;
  return {
    async find(key, version) {
      const filter = version === undefined ? { key } : { key, version };
      return templates.findOne<Template>(filter, { ...plain, sort: { version: -1 } });
    },
    list: () => templates.find<Template>({}, plain).sort({ key: 1, version: 1 }).toArray(),
    async insert(tx, template, createdAt) {
      await templates.insertOne({ ...template, createdAt }, sessionOf(tx));
    },
    async ensureIndexes() {
      await templates.createIndex({ key: 1, version: -1 }, { unique: true });
    },
  };
}
