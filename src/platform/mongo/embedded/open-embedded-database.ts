import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLiveOwner } from './directory-owner.js';

export interface EmbeddedDatabase {
  /** `mongodb://127.0.0.1:PORT/`, without a database name: name one in the options of the connection, or append it. */
  readonly uri: string;
  /** Stops the server if this opener started it. Safe to call twice. */
  close(): Promise<void>;
}

export interface EmbeddedDatabaseOptions {
  /** Where the journal is kept (created if missing), or ':memory:' for nothing that lasts. */
  readonly directory: string;
  /** The server ended without having been closed here. */
  readonly onExit?: (reason: string) => void;
}

/** The reason is for whoever looks after the machine: a damaged journal, a disk that does not take a file. */
export class EmbeddedDatabaseNotStarted extends Error {
  constructor(reason: string) {
    super(`The embedded database did not start: ${reason}`);
    this.name = 'EmbeddedDatabaseNotStarted';
  }
}

/** What the server process tells its parent. */
export type ProcessMessage =
  | { kind: 'ready'; port: number }
  /** Another process serves the directory on this port. */
  | { kind: 'occupied'; port: number }
  | { kind: 'failed'; reason: string };

const STOP_MS = 10_000;

/** The data lies in memory: what bounds the heap of its user is not for this process. */
const boundsHeap = /^--max-(old|semi)-space-size/;

/**
 * Opens a MongoDB-like database for development and tests. It runs in a process of its own, as the real one does, so
 * that it shares no event loop with its users. If another live process serves the directory, that one is used, and
 * outlives close().
 */
export async function openEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const onExit = options.onExit ?? (() => undefined);
  if (options.directory === ':memory:') return startServer([], onExit);
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const owner = await findLiveOwner(directory);
  return owner ? attach(owner.port, onExit) : startServer([directory], onExit);
}

async function startServer(entryArguments: string[], onExit: (reason: string) => void): Promise<EmbeddedDatabase> {
  const entry = new URL(`./server-process${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
  const execArgv = process.execArgv.filter((flag) => !boundsHeap.test(flag));
  const child = fork(entry, entryArguments, { execArgv });
  const message = await firstMessage(child);
  if (message.kind === 'failed') throw new EmbeddedDatabaseNotStarted(message.reason);
  if (message.kind === 'occupied') return attach(message.port, onExit);

  let reason = 'the server process ended unexpectedly';
  let isClosing = false;
  child.on('message', (later: ProcessMessage) => {
    if (later.kind === 'failed') reason = later.reason;
  });
  const exited = once(child, 'exit').then(() => {
    if (!isClosing) onExit(reason);
  });
  return {
    uri: uriOf(message.port),
    async close() {
      isClosing = true;
      // The closed channel is what ends it.
      if (child.connected) child.disconnect();
      // It keeps what it acknowledged even so; a close that never ends would be worse.
      const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(impatience);
    },
  };
}

function firstMessage(child: ChildProcess): Promise<ProcessMessage> {
  return new Promise((resolve) => {
    child.once('message', (message: ProcessMessage) => resolve(message));
    child.once('error', (error) => resolve({ kind: 'failed', reason: error.message }));
    child.once('exit', (code, signal) =>
      resolve({ kind: 'failed', reason: `it ended with ${signal ?? `code ${code}`}` }),
    );
  });
}

/** An idle connection tells when the owner goes away. */
function attach(port: number, onExit: (reason: string) => void): Promise<EmbeddedDatabase> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let isClosing = false;
    socket.on('error', reject);
    socket.on('close', () => {
      if (!isClosing) onExit('the process that serves the directory has ended');
    });
    socket.on('connect', () => {
      socket.unref();
      resolve({
        uri: uriOf(port),
        async close() {
          isClosing = true;
          socket.destroy();
        },
      });
    });
  });
}

function uriOf(port: number): string {
  return `mongodb://127.0.0.1:${port}/`;
}
