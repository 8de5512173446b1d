import type { RootHookObject } from 'mocha';
import { closeDatabases } from './database.js';

/** Run by mocha: after each file where files run side by side, else after the last one. */
export const mochaHooks: RootHookObject = { afterAll: closeDatabases };
