/** Our server on a fresh embedded database, as a child of the benchmark. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { policy } from '../../config/policy.js';
import { createApp } from '../../src/app.js';
import { createHttpServer, listen } from '../../src/platform/http/server.js';
import { createLogger } from '../../src/platform/log/logger.js';
import { openStorage } from '../../src/platform/mongo/storage.js';
import { benchSeed } from './bench-seed.js';
import { answerParent } from './child.js';

const log = createLogger('error');
const storage = await openStorage(
  { mongodbUri: undefined, dataDirectory: ':memory:', onLost: () => process.exit(1) },
  log,
);
let handle: Parameters<typeof createHttpServer>[0] = (_req, res) => res.writeHead(503).end();
const server = createHttpServer((req, res) => void handle(req, res), policy.limits);
const port = await listen(server, 0, '127.0.0.1');
const issuer = `http://localhost:${port}`;
const app = await createApp({
  issuer,
  trustedProxies: 0,
  masterKeys: [randomBytes(32)],
  cookieKeys: [randomBytes(32).toString('hex')],
  policy,
  viewsDirectory: fileURLToPath(new URL('../../views', import.meta.url)),
  database: storage.database,
  log,
  now: () => new Date(),
  isDraining: () => false,
});
await app.seeding.applySeed(benchSeed());
handle = app.listener;
answerParent(issuer);
process.on('disconnect', () => void storage.close().then(() => process.exit(0)));
