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

const COMPACT_ABOVE_BYTES = 8 * 1024 * 1024;
const COMPACT_FACTOR = 4;
const OPERATIONS_A_SLICE = 500;

interface Target {
  readonly file: JournalFile;
  size: number;
}

interface Waiter {
  readonly upTo: number;
  resolve(): void;
  reject(error: Error): void;
}

interface Writing {
  readonly options: JournalOptions;
  target: Target;
  pending: Uint8Array[];
  /** While a shorter file is being written: what it does not have yet. */
  sinceSnapshot: Uint8Array[] | null;
  /** The shorter file, once it lacks only that. */
  compacted: Target | null;
  compactAbove: number;
  /** Counts operations. */
  appended: number;
  synced: number;
  waiters: Waiter[];
  running: Promise<void> | null;
  failure: Error | null;
}

export async function openJournal(options: JournalOptions): Promise<Journal> {
  await rm(`${options.path}.new`, { force: true });
  const bytes = await readFile(options.path).catch(nothingIfMissing);
  const goodBytes = readAll(options, bytes);
  const target: Target = { file: await openFor(options, options.path), size: goodBytes };
  if (goodBytes < bytes.length) await target.file.truncate(goodBytes);
  if (goodBytes === 0) await writeSignature(target);
  await target.file.datasync();
  await syncDirectory(options.path);
  return journalOver({
    options,
    target,
    pending: [],
    sinceSnapshot: null,
    compacted: null,
    compactAbove: options.compactAboveBytes ?? COMPACT_ABOVE_BYTES,
    appended: 0,
    synced: 0,
    waiters: [],
    running: null,
    failure: null,
  });
}

function readAll(options: JournalOptions, bytes: Buffer): number {
  try {
    return readFrames(bytes, (operation) => options.apply(operation));
  } catch (error) {
    throw new Error(`The journal ${options.path} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

function journalOver(writing: Writing): Journal {
  return {
    append(operation) {
      const bytes = encodeDocument(operation);
      writing.pending.push(bytes);
      writing.sinceSnapshot?.push(bytes);
      writing.appended++;
      wake(writing);
    },
    durable() {
      if (writing.failure) return Promise.reject(writing.failure);
      if (writing.synced >= writing.appended) return Promise.resolve();
      return new Promise((resolve, reject) => writing.waiters.push({ upTo: writing.appended, resolve, reject }));
    },
    async close() {
      while (writing.running) await writing.running;
      await writing.target.file.close();
    },
  };
}

function hasWork({ pending, compacted, failure }: Writing): boolean {
  return !failure && (pending.length > 0 || compacted !== null);
}

function wake(writing: Writing): void {
  writing.running ??= writePending(writing)
    .catch((error: unknown) => fail(writing, error))
    .finally(() => {
      writing.running = null;
      if (hasWork(writing)) wake(writing);
    });
}

/**
 * Group commit: what is appended while one sync runs is written as one frame by the next. Frames begin in a turn of
 * the event loop of their own, so what one command appends without waiting is never parted.
 */
async function writePending(writing: Writing): Promise<void> {
  while (hasWork(writing)) {
    await nextTurn();
    const upTo = writing.appended;
    const batch = writing.pending;
    writing.pending = [];
    if (writing.compacted) await moveTo(writing, writing.compacted);
    else await appendFrame(writing.target, batch, true);
    writing.synced = upTo;
    for (const waiter of writing.waiters) if (waiter.upTo <= upTo) waiter.resolve();
    writing.waiters = writing.waiters.filter((waiter) => waiter.upTo > upTo);
    if (writing.target.size > writing.compactAbove && !writing.sinceSnapshot) {
      void compact(writing).catch((error: unknown) => fail(writing, error));
    }
  }
}

/** Writes the present state in slices, beside the old file, which goes on taking everything. */
async function compact(writing: Writing): Promise<void> {
  const { options } = writing;
  writing.sinceSnapshot = [];
  const operations = options.snapshot();
  const fresh: Target = { file: await openFor(options, `${options.path}.new`), size: 0 };
  await writeSignature(fresh);
  for (let at = 0; at < operations.length; at += OPERATIONS_A_SLICE) {
    // Synced as a whole before it counts, so each frame may say that it relies on all before it.
    await appendFrame(fresh, operations.slice(at, at + OPERATIONS_A_SLICE).map(encodeDocument), false);
  }
  writing.compactAbove = Math.max(options.compactAboveBytes ?? COMPACT_ABOVE_BYTES, COMPACT_FACTOR * fresh.size);
  writing.compacted = fresh;
  wake(writing);
}

/** The shorter file takes what it lacks, and the place of the old one. */
async function moveTo(writing: Writing, fresh: Target): Promise<void> {
  const { options, target } = writing;
  const missing = writing.sinceSnapshot ?? [];
  writing.sinceSnapshot = null;
  writing.compacted = null;
  await appendFrame(fresh, missing, true);
  await rename(`${options.path}.new`, options.path);
  await syncDirectory(options.path);
  writing.target = fresh;
  await target.file.close();
}

function fail(writing: Writing, error: unknown): void {
  if (writing.failure) return;
  const failure = error instanceof Error ? error : new Error(String(error));
  writing.failure = failure;
  for (const waiter of writing.waiters) waiter.reject(failure);
  writing.waiters = [];
  writing.options.onFailure(failure);
}

async function writeSignature(target: Target): Promise<void> {
  await writeAll(target.file, SIGNATURE, 0);
  target.size = SIGNATURE.length;
}

function openFor({ openFile = openForWriting }: JournalOptions, path: string): Promise<JournalFile> {
  return openFile(path);
}

async function appendFrame(target: Target, operations: Uint8Array[], sync: boolean): Promise<void> {
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
