/** A process to be killed: opens the database of its argument and tells where it is. */
import { openEmbeddedDatabase } from '../../src/platform/mongo/embedded/open-embedded-database.js';

const { uri } = await openEmbeddedDatabase({ directory: process.argv[2]! });
process.send?.({ port: Number(new URL(uri).port) });
