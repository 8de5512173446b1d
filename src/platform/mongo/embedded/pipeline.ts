import { type Document, isDocument } from './document.js';
import { badValue, CommandError, typeMismatch } from './errors.js';
import { compileGroup } from './group.js';
import { compileFilter } from './match.js';
import { compileProjection } from './projection.js';
import { parseQuery, type Query } from './query.js';
import { parseSort, sortBy } from './sort.js';

type Stage = (documents: Document[]) => Document[];

export interface Pipeline {
  /** What the first stages ask of the collection, so that an index can answer it. */
  readonly query: Query;
  run(documents: Document[]): Document[];
}

export function parsePipeline(pipeline: unknown): Pipeline {
  if (!Array.isArray(pipeline)) throw typeMismatch("'pipeline' option must be specified as an array");
  const stages = pipeline.map(parseStage);
  const filter = stages[0]?.name === '$match' ? (stages.shift()!.operand as Document) : {};
  const sort = stages[0]?.name === '$sort' ? parseSort(stages.shift()!.operand) : [];
  const limit = stages[0]?.name === '$limit' ? positive('$limit', stages[0].operand) : 0;
  const compiled = stages.map(({ name, operand }) => compileStage(name, operand));
  return {
    query: parseQuery(filter, { sort, limit }),
    run: (documents) => compiled.reduce((flow, stage) => stage(flow), documents),
  };
}

function parseStage(stage: unknown): { name: string; operand: unknown } {
  const names = isDocument(stage) ? Object.keys(stage) : [];
  if (names.length !== 1) {
    throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  const name = names[0]!;
  const operand = (stage as Document)[name];
  compileStage(name, operand);
  return { name, operand };
}

function compileStage(name: string, operand: unknown): Stage {
  switch (name) {
    case '$match': {
      if (!isDocument(operand)) throw new CommandError(15959, 'the match filter must be an expression in an object');
      const matches = compileFilter(operand);
      return (documents) => documents.filter(matches);
    }
    case '$sort': {
      const sort = parseSort(operand);
      return (documents) => sortBy(documents, sort, (document) => document);
    }
    case '$limit': {
      const limit = positive(name, operand);
      return (documents) => documents.slice(0, limit);
    }
    case '$skip': {
      if (!Number.isInteger(operand) || (operand as number) < 0)
        throw new CommandError(5107200, 'invalid argument to $skip stage');
      return (documents) => documents.slice(operand as number);
    }
    case '$project': {
      if (!isDocument(operand)) throw badValue('$project specification must be an object');
      const project = compileProjection(operand);
      return (documents) => (project ? documents.map(project) : documents);
    }
    case '$count': {
      if (typeof operand !== 'string' || operand === '')
        throw new CommandError(40156, 'the count field must be a non-empty string');
      return (documents) => (documents.length === 0 ? [] : [{ [operand]: documents.length }]);
    }
    case '$group':
      return compileGroup(operand);
    default:
      throw new CommandError(
        40324,
        `Unrecognized pipeline stage name: '${name}' (or not supported by the embedded database)`,
      );
  }
}

function positive(name: string, operand: unknown): number {
  if (Number.isInteger(operand) && (operand as number) > 0) return operand as number;
  throw new CommandError(15958, `invalid argument to ${name} stage: the limit must be positive`);
}
