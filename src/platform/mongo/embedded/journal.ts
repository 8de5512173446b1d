import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeDocument } from './document.js';
import { encodeFrame, readFrames, SIGNATURE, type Operation } from './journal-frames.js';

/**
 * Operations are appended in the order in which they happened in memory; what was appended without waiting for
 * anything in between becomes durable together or not at all.
 */
export interface Journal {
  append(operation: Operation): void;
  /** Resolves when everything appended so far would survive a crash. Throws JournalFailure. */
  durable(): Promise<void>;
  close(): Promise<void>;
}

/** Whether the last operations are on disk is unknown, so there is no honest answer about them. */
export class JournalFailure extends Error {
  constructor(cause: unknown) {
    super(`the journal cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'JournalFailure';
  }
}

export type JournalFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'close'>;

export interface JournalOptions {
  readonly path: string;
  /** Called for everything the file holds, in order, before the journal is opened. */
  apply(operation: Operation): void;
  /** The operations that make the present state from nothing, for a shorter file. */
  snapshot(): Operation[];
  /** Writing or syncing failed: nothing may be acknowledged any more. Called once. */
  onFailure(error: JournalFailure): void;
  /** A rewrite is due when the file is longer than this and than four times what was live at the last one, or at the start. */
  readonly compactAboveBytes?: number;
  /** For tests: how a file is opened to be written. */
  readonly openFile?: (path: string) => Promise<JournalFile>;
}

interface Writer {
  readonly options: Required<JournalOptions>;
  file: JournalFile;
  /** Where the next frame begins. */
  size: number;
  compactAbove: number;
  pending: Uint8Array[];
  /** These two count operations. */
  appended: number;
  synced: number;
  /** The write that is under way. */
  batch: Promise<void> | null;
  failure: JournalFailure | null;
}

const COMPACT_ABOVE_BYTES = 8 * 1024 * 1024;
const COMPACT_FACTOR = 4;
const OPERATIONS_A_FRAME = 500;

export function createForgetfulJournal(): Journal {
  return { append: () => undefined, durable: () => Promise.resolve(), close: () => Promise.resolve() };
}

export async function openJournal(given: JournalOptions): Promise<Journal> {
  const options = { compactAboveBytes: COMPACT_ABOVE_BYTES, openFile: openForWriting, ...given };
  const { path, compactAboveBytes, openFile } = options;
  await rm(`${path}.new`, { force: true });
  const bytes = await readFile(path).catch(nothingIfMissing);
  const { size, liveSize } = readAll(options, bytes);
  const file = await openFile(path);
  const counters = { appended: 0, synced: 0, batch: null, failure: null };
  const compactAbove = Math.max(compactAboveBytes, COMPACT_FACTOR * liveSize);
  const writer: Writer = { options, file, size, compactAbove, pending: [], ...counters };
  if (size < bytes.length) await file.truncate(size);
  if (size === 0) await append(writer, SIGNATURE);
  await file.datasync();
  await syncDirectoryOf(path);
  return {
    append(operation) {
      writer.pending.push(encodeDocument(operation));
      writer.appended++;
      if (!writer.failure) writer.batch ??= writeBatch(writer);
    },
    async durable() {
      const upTo = writer.appended;
      while (writer.synced < upTo && !writer.failure) await writer.batch;
      if (writer.failure) throw writer.failure;
    },
    async close() {
      while (writer.batch) await writer.batch;
      await writer.file.close();
    },
  };
}

/** How much of the file is good, and about how much of it tells of what still is. */
function readAll({ path, apply, snapshot }: JournalOptions, bytes: Buffer): { size: number; liveSize: number } {
  let operations = 0;
  try {
    const size = readFrames(bytes, (operation) => {
      operations++;
      apply(operation);
    });
    return { size, liveSize: operations === 0 ? 0 : (size * snapshot().length) / operations };
  } catch (error) {
    throw new Error(`The journal ${path} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Group commit: what is appended while one batch is written and synced becomes the next one. A batch is cut in a turn
 * of the event loop of its own, so what one command appends without waiting is never parted.
 */
async function writeBatch(writer: Writer): Promise<void> {
  await nextTurn();
  const { pending, appended } = writer;
  writer.pending = [];
  try {
    // The state in memory contains the batch, so a rewrite takes its place.
    if (writer.size > writer.compactAbove) await compact(writer, writer.options.snapshot());
    else await append(writer, encodeFrame(pending));
    await writer.file.datasync();
    writer.synced = appended;
  } catch (error) {
    writer.failure = new JournalFailure(error);
    writer.options.onFailure(writer.failure);
  }
  writer.batch = writer.pending.length > 0 && !writer.failure ? writeBatch(writer) : null;
}

/** Writes the present state into a new file, in slices, and puts that in the place of the old one. */
async function compact(writer: Writer, operations: Operation[]): Promise<void> {
  const { options, file: old } = writer;
  writer.file = await options.openFile(`${options.path}.new`);
  writer.size = 0;
  await append(writer, SIGNATURE);
  for (let at = 0; at < operations.length; at += OPERATIONS_A_FRAME) {
    await append(writer, encodeFrame(operations.slice(at, at + OPERATIONS_A_FRAME).map(encodeDocument)));
  }
  await writer.file.datasync();
  await rename(`${options.path}.new`, options.path);
  await syncDirectoryOf(options.path);
  await old.close();
  writer.compactAbove = Math.max(options.compactAboveBytes, COMPACT_FACTOR * writer.size);
}

/** At a given place, so that a retry of a short write cannot leave a gap. */
async function append(writer: Writer, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await writer.file.write(bytes, done, bytes.length - done, writer.size + done);
    if (bytesWritten === 0) throw new Error('the file takes no more bytes');
    done += bytesWritten;
  }
  writer.size += bytes.length;
}

/** Neither truncates nor appends by itself; readable by its owner only. */
async function openForWriting(path: string): Promise<JournalFile> {
  return open(path, 'r+', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return open(path, 'wx+', 0o600);
    throw error;
  });
}

/** Makes a new or renamed name survive a crash. */
async function syncDirectoryOf(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
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
