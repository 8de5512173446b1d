import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeedInput } from '../../src/seeding/index.js';
import { startBalancer } from './balancer.js';
import { contractSeed } from './contract-seed.js';
import { crowd } from './crowd.js';
import { freshDatabaseUri } from './database.js';
import { startFaultProxy, type FaultProxy } from './fault-proxy.js';
import { residentBytes } from './resident-bytes.js';
import {
  freePort,
  killServerProcesses,
  serverCommand,
  startServerProcess,
  type ServerProcess,
} from './server-process.js';

/** One server process of several; it can be ended and started again on its port. */
export interface ClusterNode {
  /** `http://127.0.0.1:PORT`: past the balancer, where only `/health` answers under this name. */
  origin: string;
  port: number;
  process: ServerProcess;
  start(): Promise<void>;
  rssMegabytes(): number;
}

export interface Cluster {
  issuer: string;
  nodes: ClusterNode[];
  /** Between the nodes and their database. */
  databaseLink: FaultProxy;
  /** The database itself, past the proxy. */
  databaseUri: string;
  /** A process like the nodes, which the balancer does not know. */
  startSpare(): Promise<ServerProcess>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  nodes?: number;
  environment?: Record<string, string>;
  /** The seed of the contract unless given; a crowd is added. */
  seed?: SeedInput;
  command?: readonly string[];
}

/** Real server processes of one issuer behind a balancer, on one database behind a proxy that can do harm. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-cluster-'));
  const databaseUri = await freshDatabaseUri();
  const through = new URL(databaseUri);
  const databaseLink = await startFaultProxy({ host: through.hostname, port: Number(through.port) });
  through.host = `127.0.0.1:${databaseLink.port}`;
  // the name that a replica set gives itself would lead past the proxy
  through.searchParams.set('directConnection', 'true');
  const ports: number[] = [];
  while (ports.length < (options.nodes ?? 2)) ports.push(await freePort());
  const balancer = await startBalancer(ports);
  const issuer = `http://localhost:${balancer.port}`;
  const seedFile = join(directory, 'seed.json');
  const seed = options.seed ?? contractSeed;
  writeFileSync(seedFile, JSON.stringify({ ...seed, users: [...(seed.users ?? []), ...crowd] }));
  const environment = {
    ISSUER: issuer,
    DATA_DIR: directory,
    MONGODB_URI: through.href,
    MASTER_KEYS: randomBytes(32).toString('base64url'),
    COOKIE_KEYS: randomBytes(32).toString('base64url'),
    // clients name their address themselves, so that limits by address see many
    TRUSTED_PROXIES: '1',
    RATE_LIMIT_FACTOR: '1000',
    LOG_LEVEL: 'warn',
    ...options.environment,
  };

  async function launch(port: number, more: Record<string, string> = {}): Promise<ServerProcess> {
    const launched = await startServerProcess(
      { ...environment, ...more, PORT: String(port) },
      undefined,
      options.command ?? serverCommand,
    );
    if (!launched.output().includes('is ready at')) throw new Error(launched.output());
    return launched;
  }

  const nodes: ClusterNode[] = [];
  for (const port of ports) {
    const node: ClusterNode = {
      origin: `http://127.0.0.1:${port}`,
      port,
      process: await launch(port, nodes.length === 0 ? { SEED_FILE: seedFile } : {}),
      async start() {
        node.process = await launch(port);
      },
      rssMegabytes: () => residentBytes(node.process.pid) / 2 ** 20,
    };
    nodes.push(node);
  }
  return {
    ...{ issuer, nodes, databaseLink, databaseUri },
    startSpare: async () => launch(await freePort()),
    async close() {
      killServerProcesses();
      await Promise.all(nodes.map((node) => node.process.exited));
      await balancer.close();
      await databaseLink.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
