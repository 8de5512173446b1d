/** Our server as it is built for `npm start`, on a fresh embedded database, as a child of the benchmark. */
import { randomBytes } from 'node:crypto';
import { policy } from '../../config/policy.js';
import type * as sources from '../../src/app.js';
import type * as httpServer from '../../src/platform/http/server.js';
import type * as logger from '../../src/platform/log/logger.js';
import type * as storageModule from '../../src/platform/mongo/storage.js';
import { benchSeeds } from './bench-seed.js';
import { answerParent } from './child.js';

// the build and not the sources: what runs sources from here names every function anew each time one is made
const built = async (path: string): Promise<unknown> => import(new URL(`../../dist/src/${path}`, import.meta.url).href);
const { createApp } = (await built('app.js')) as { createApp: typeof sources.createApp };
const { createHttpServer, listen } = (await built('platform/http/server.js')) as Pick<
  typeof httpServer,
  'createHttpServer' | 'listen'
>;
const { createLogger } = (await built('platform/log/logger.js')) as { createLogger: typeof logger.createLogger };
const { openStorage } = (await built('platform/mongo/storage.js')) as { openStorage: typeof storageModule.openStorage };

const log = createLogger('info'); // as in production; the parent throws the lines away
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
  clientCertificates: undefined,
  rateLimitFactor: 1000, // they are asked, and let all through
  redis: null,
  egress: { allow: [], extraAuthorities: [] },
  lookupText: async () => [],
  signUp: 'open',
  masterKeys: [randomBytes(32)],
  cookieKeys: [randomBytes(32).toString('hex')],
  policy,
  passwordBlockList: new Set(),
  mail: { send: async () => undefined, close: async () => undefined },
  viewsDirectory: new URL('../../dist/views', import.meta.url).pathname,
  localesDirectory: new URL('../../dist/locales', import.meta.url).pathname,
  database: storage.database,
  log,
  now: () => new Date(),
  isDraining: () => false,
});
for (const part of benchSeeds()) await app.seeding.applySeed(part);
handle = app.listener;
answerParent(issuer);
process.on('disconnect', () => void storage.close().then(() => process.exit(0)));
