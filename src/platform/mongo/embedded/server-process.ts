/** The entry of the child process: serves the directory named by its argument until its parent says stop, or is gone. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createCursors } from './cursors.js';
import { claimDirectory, type Claim } from './directory-owner.js';
import { dispatch } from './dispatch.js';
import type { Document } from './document.js';
import { startExpiry } from './expiry.js';
import { openJournal } from './journal.js';
import { createForgetfulJournal, type Journal } from './journal-operation.js';
import type { ProcessMessage } from './process-message.js';
import { replay, snapshotOf } from './replay.js';
import { listen, type WireServer } from './server.js';
import type { ServerState } from './server-state.js';
import type { Session } from './sessions.js';
import { createStorage, type Storage } from './storage.js';

interface Running {
  readonly wire: WireServer;
  readonly claim: Claim | null;
  readonly server: ServerState;
  stopExpiry(): void;
}

const MEMORY = ':memory:';

async function main(directory: string): Promise<void> {
  // The terminal sends these to the whole group; the parent finishes its requests first and needs the database for it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('SIGHUP', () => undefined);
  const started = start(directory);
  const stop = () => void started.then(stopRunning).then(() => process.exit(0), fail);
  process.on('message', stop);
  process.on('disconnect', stop);
  // A parent that died before this point has no more events to send.
  if (!process.connected) return stop();
  const running = await started;
  if (running) tell({ kind: 'ready', port: running.wire.port });
}

/** Null if another process owns the directory: the parent has been told, and this process is to end. */
async function start(directory: string): Promise<Running | null> {
  const instanceId = randomUUID();
  let open: (server: ServerState) => void = () => undefined;
  const opened = new Promise<ServerState>((resolve) => (open = resolve));
  const wire = await listen(async (command: Document) => {
    // Answered while the data is still being read, so that a second opener sees that somebody is at it.
    if ('embeddedInstance' in command) return { instanceId, ok: 1 };
    const server = await opened;
    return server.isStopping ? null : dispatch(server, command);
  });
  let claim: Claim | null = null;
  if (directory !== MEMORY) {
    const claimed = await claimDirectory(directory, { port: wire.port, pid: process.pid, instanceId });
    if ('port' in claimed) {
      tell({ kind: 'occupied', port: claimed.port }, () => process.exit(0));
      return null;
    }
    claim = claimed;
  }
  const server = await openServer(directory, wire.port);
  const expiry = startExpiry(server);
  server.rescheduleExpiry = () => expiry.reschedule();
  open(server);
  return { wire, claim, server, stopExpiry: () => expiry.stop() };
}

async function openServer(directory: string, port: number): Promise<ServerState> {
  const sessions = new Map<string, Session>();
  return {
    storage:
      directory === MEMORY ? createStorage(new Map(), createForgetfulJournal()) : await load(directory, sessions),
    sessions,
    cursors: createCursors(),
    address: `127.0.0.1:${port}`,
    parameters: { ttlMonitorSleepSecs: 60, transactionLifetimeLimitSeconds: 60 },
    failPoint: null,
    isStopping: false,
    rescheduleExpiry: () => undefined,
  };
}

async function load(directory: string, sessions: Map<string, Session>): Promise<Storage> {
  const loading = createStorage(new Map(), createForgetfulJournal());
  const journal: Journal = await openJournal({
    path: join(directory, 'journal'),
    apply: (operation) => replay(loading, sessions, operation),
    snapshot: () => snapshotOf(storage, sessions),
    onFailure: fail,
  });
  const storage: Storage = { ...loading, journal };
  return storage;
}

/**
 * Nothing new is begun, but the port goes on answering until the claim is released: as soon as it does not, another
 * process may take the directory over.
 */
async function stopRunning(running: Running | null): Promise<void> {
  if (!running) return;
  running.stopExpiry();
  running.server.isStopping = true;
  await running.server.storage.journal.durable();
  await running.server.storage.journal.close();
  await running.claim?.release();
  await running.wire.close();
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
main(process.argv[2] ?? MEMORY).catch(fail);
