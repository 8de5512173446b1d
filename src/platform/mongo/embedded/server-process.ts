/** The entry of the child process: serves the directory named by its argument (or memory) as long as its parent lives. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ServerState } from './command.js';
import { createCursors } from './cursors.js';
import { claimDirectory } from './directory-owner.js';
import { dispatch } from './dispatch.js';
import { startExpiry } from './expiry.js';
import { openJournal } from './journal.js';
import type { ProcessMessage } from './open-embedded-database.js';
import { replay, snapshotOf } from './replay.js';
import { createStorage } from './storage.js';
import { listen } from './wire.js';

type Stop = () => Promise<void>;

async function main(directory: string | undefined): Promise<void> {
  // The terminal sends these to the whole group; the parent finishes its requests first and needs the database for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
  const started = start(directory);
  const end = () => void started.then((stop) => stop()).then(() => process.exit(0), fail);
  process.on('disconnect', end);
  // A parent that died before this point has no more events to send.
  if (!process.connected) end();
  await started;
}

async function start(directory: string | undefined): Promise<Stop> {
  const instanceId = randomUUID();
  let isStopping = false;
  const wire = await listen(async (command) => {
    // Answered while the data is still being read, so that a second opener sees that somebody is at it.
    if ('embeddedInstance' in command) return { instanceId, ok: 1 };
    const server = await opened;
    return isStopping ? null : dispatch(server, command);
  });
  const opened = claimAndOpen(directory, wire.port, instanceId);
  const server = await opened;
  const stopExpiry = startExpiry(server);
  tell({ kind: 'ready', port: wire.port });
  return async () => {
    stopExpiry();
    // Nothing new is begun; the port is given up last, since another process may then take the directory over.
    isStopping = true;
    await server.storage.journal.close();
    await wire.close();
  };
}

/** Never comes back if another process owns the directory: the parent is told, and this process ends. */
async function claimAndOpen(directory: string | undefined, port: number, instanceId: string): Promise<ServerState> {
  if (directory !== undefined) {
    const owner = await claimDirectory(directory, { port, pid: process.pid, instanceId });
    if (owner.instanceId !== instanceId) {
      tell({ kind: 'occupied', port: owner.port }, () => process.exit(0));
      return new Promise(() => undefined);
    }
  }
  const storage = createStorage();
  const sessions: ServerState['sessions'] = new Map();
  if (directory !== undefined) {
    storage.journal = await openJournal({
      path: join(directory, 'journal'),
      apply: (operation) => replay(storage, sessions, operation),
      snapshot: () => snapshotOf(storage, sessions),
      onFailure: fail,
    });
  }
  return {
    storage,
    sessions,
    cursors: createCursors(),
    address: `127.0.0.1:${port}`,
    failPoint: null,
    // A client that was killed leaves locked what its transaction has written (mongod's default is 60). Whoever meets
    // that lock tries for ten seconds, and is to see the end of it.
    transactionSeconds: 5,
  };
}

/** Ends the process at once: after a failed write nothing may be answered any more. */
function fail(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  tell({ kind: 'failed', reason }, () => process.exit(1));
}

function tell(message: ProcessMessage, then: () => void = () => undefined): void {
  if (!process.connected || !process.send) return then();
  process.send(message, () => then());
}

/* eslint-disable no-restricted-syntax -- the entry of a process acts by itself: nobody imports it */
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
main(process.argv[2]).catch(fail);
