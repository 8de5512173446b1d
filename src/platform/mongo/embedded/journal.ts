import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeDocument } from './document.js';
import { encodeFrame, readFrames, SIGNATURE } from './journal-frames.js';
import type { Journal, Operation } from './journal-operation.js';

export interface JournalOptions {
  readonly path: string;
  /** Called for everything the file holds, in order, before the journal is opened. */
  apply(operation: Operation): void;
  /** The operations that make the present state from nothing, for a shorter file. */
  snapshot(): Operation[];
  /** Writing or syncing failed: nothing may be acknowledged any more. Called once. */
  onFailure(error: Error): void;
  /** A rewrite is due when the file is longer than this and than four times what was live at the last one. */
  readonly compactAboveBytes?: number;
  /** For tests: how a file is opened to be written. */
  readonly openFile?: (path: string) => Promise<JournalFile>;
}

export type JournalFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'close'>;

interface Waiter {
  readonly upTo: number;
  resolve(): void;
  reject(error: Error): void;
}

const COMPACT_ABOVE_BYTES = 8 * 1024 * 1024;
const COMPACT_FACTOR = 4;
const OPERATIONS_A_SLICE = 500;

export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { path, openFile = openForWriting } = options;
  await rm(`${path}.new`, { force: true });
  const bytes = await readFile(path).catch(nothingIfMissing);
  let size = 0;
  try {
    size = readFrames(bytes, (operation) => options.apply(operation));
  } catch (error) {
    throw new Error(`The journal ${path} cannot be used: ${(error as Error).message}`, { cause: error });
  }
  const file = await openFile(path);
  if (size < bytes.length) await file.truncate(size);
  if (size === 0) {
    await writeAll(file, SIGNATURE, 0);
    size = SIGNATURE.length;
  }
  await file.datasync();
  await syncDirectory(path);
  return startWriting(options, openFile, { file, size });
}

interface Target {
  file: JournalFile;
  size: number;
}

/**
 * Group commit: what is appended while one sync runs is written as one frame by the next. Frames begin in a turn of
 * the event loop of their own, so what one command appends without waiting is never parted.
 */
function startWriting(
  options: JournalOptions,
  openFile: NonNullable<JournalOptions['openFile']>,
  target: Target,
): Journal {
  let pending: Uint8Array[] = [];
  /** While a shorter file is being written: what it does not have yet. */
  let sinceSnapshot: Uint8Array[] | null = null;
  let compacted: Target | null = null;
  let appended = 0;
  let synced = 0;
  let waiters: Waiter[] = [];
  let running: Promise<void> | null = null;
  let failure: Error | null = null;
  let compactAbove = options.compactAboveBytes ?? COMPACT_ABOVE_BYTES;

  function fail(error: unknown): void {
    if (failure) return;
    failure = error instanceof Error ? error : new Error(String(error));
    for (const waiter of waiters) waiter.reject(failure);
    waiters = [];
    options.onFailure(failure);
  }

  function wake(): void {
    running ??= writePending()
      .catch(fail)
      .finally(() => {
        running = null;
        if (!failure && (pending.length > 0 || compacted)) wake();
      });
  }

  async function writePending(): Promise<void> {
    while ((pending.length > 0 || compacted) && !failure) {
      await nextTurn();
      const upTo = appended;
      const batch = pending;
      pending = [];
      if (compacted) await moveTo(compacted);
      else await appendFrame(target, batch);
      synced = upTo;
      for (const waiter of waiters) if (waiter.upTo <= upTo) waiter.resolve();
      waiters = waiters.filter((waiter) => waiter.upTo > upTo);
      if (target.size > compactAbove && !sinceSnapshot) void compact().catch(fail);
    }
  }

  /** The old file goes on taking everything until this one has caught up. */
  async function compact(): Promise<void> {
    sinceSnapshot = [];
    const operations = options.snapshot();
    const fresh: Target = { file: await openFile(`${options.path}.new`), size: SIGNATURE.length };
    await writeAll(fresh.file, SIGNATURE, 0);
    for (let at = 0; at < operations.length; at += OPERATIONS_A_SLICE) {
      const slice = operations.slice(at, at + OPERATIONS_A_SLICE).map(encodeDocument);
      // The file counts only when it is complete: each of its frames relies on all before it.
      await appendFrame(fresh, slice, false);
    }
    compactAbove = Math.max(options.compactAboveBytes ?? COMPACT_ABOVE_BYTES, COMPACT_FACTOR * fresh.size);
    compacted = fresh;
    wake();
  }

  async function moveTo(fresh: Target): Promise<void> {
    const missing = sinceSnapshot ?? [];
    sinceSnapshot = null;
    compacted = null;
    await appendFrame(fresh, missing);
    await rename(`${options.path}.new`, options.path);
    await syncDirectory(options.path);
    await target.file.close();
    Object.assign(target, fresh);
  }

  return {
    append(operation) {
      const bytes = encodeDocument(operation);
      pending.push(bytes);
      sinceSnapshot?.push(bytes);
      appended++;
      wake();
    },
    durable() {
      if (failure) return Promise.reject(failure);
      if (synced >= appended) return Promise.resolve();
      return new Promise((resolve, reject) => waiters.push({ upTo: appended, resolve, reject }));
    },
    async close() {
      while (running) await running;
      await target.file.close();
    },
  };
}

async function appendFrame(target: Target, operations: Uint8Array[], sync = true): Promise<void> {
  const frame = encodeFrame(operations, target.size);
  await writeAll(target.file, frame, target.size);
  if (sync) await target.file.datasync();
  target.size += frame.length;
}

/** At a given place, so that a retry of a short write cannot leave a gap. */
async function writeAll(file: JournalFile, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Error('the file takes no more bytes');
    done += bytesWritten;
  }
}

/** Neither truncates nor appends by itself; readable by its owner only. */
async function openForWriting(path: string): Promise<JournalFile> {
  return open(path, 'r+', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return open(path, 'wx+', 0o600);
    throw error;
  });
}

/** Makes a new or renamed name survive a crash. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(join(dirname(path), '.'), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function nothingIfMissing(error: NodeJS.ErrnoException): Buffer {
  if (error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}
