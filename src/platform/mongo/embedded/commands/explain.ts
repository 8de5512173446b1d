import { findCollection, parseNamespace } from '../catalog.js';
import { type Document, isDocument } from '../document.js';
import { CommandError, failedToParse } from '../errors.js';
import { documentField, documentsField, refuseUnknownCommandFields } from '../fields.js';
import { parsePipeline } from '../pipeline.js';
import { describePlan, parseQuery, runQuery, type Query } from '../query.js';
import type { Command, CommandContext } from '../server-state.js';
import { parseSort } from '../sort.js';
import { countQuery, findQuery, readCommands } from './read-commands.js';
import { writeCommands } from './write-commands.js';

const VERBOSITIES: unknown[] = ['queryPlanner', 'executionStats', 'allPlansExecution'];

/** Shows which index a command would use; writes are planned and not carried out. */
export const explain: Command = { fields: ['verbosity'], run };

function run({ server, database, body }: CommandContext): Document {
  const explained = documentField(body, 'explain');
  const verbosity = body['verbosity'] ?? 'allPlansExecution';
  if (!VERBOSITIES.includes(verbosity)) throw failedToParse(`verbosity ${JSON.stringify(verbosity)} is unknown`);
  const name = Object.keys(explained)[0] ?? '';
  const query = queryOf(name, explained);
  const namespace = parseNamespace(database, explained[name]);
  const { plan, found, examined } = runQuery(findCollection(server.storage.catalog, namespace), query, null);
  const winningPlan = describePlan(plan, query.sort);
  return {
    explainVersion: '1',
    queryPlanner: {
      namespace: `${database}.${namespace.collection}`,
      parsedQuery: query.filter,
      winningPlan,
      rejectedPlans: [],
    },
    ...(verbosity === 'queryPlanner'
      ? {}
      : {
          executionStats: {
            executionSuccess: true,
            nReturned: found.length,
            totalKeysExamined: plan.kind === 'collection' ? 0 : examined,
            totalDocsExamined: examined,
          },
        }),
    command: explained,
  };
}

function queryOf(name: string, body: Document): Query {
  const command = Object.hasOwn(readCommands, name) ? readCommands[name] : writeCommands[name];
  if (command) refuseUnknownCommandFields(name, body, command.fields);
  switch (name) {
    case 'find':
      return findQuery(body);
    case 'count':
      return countQuery(body);
    case 'distinct':
      return parseQuery(documentField(body, 'query'));
    case 'aggregate':
      return parsePipeline(body['pipeline']).query;
    case 'findAndModify':
      return parseQuery(documentField(body, 'query'), { sort: parseSort(body['sort']), limit: 1 });
    case 'update':
    case 'delete':
      return statementQuery(documentsField(body, name === 'update' ? 'updates' : 'deletes'));
    default:
      throw new CommandError(59, `Explain failed due to unknown command: ${name}`);
  }
}

function statementQuery(statements: Document[]): Query {
  const only = statements[0];
  if (!only || statements.length > 1) throw failedToParse('explained write batches must be of size 1');
  const filter = only['q'];
  if (!isDocument(filter)) throw failedToParse("a statement needs 'q'");
  return parseQuery(filter);
}
