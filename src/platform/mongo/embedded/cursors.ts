import { Long } from 'bson';
import { type Document, documentBytes, MAX_DOCUMENT_BYTES } from './document.js';
import { CommandError } from './errors.js';

interface Cursor {
  readonly namespace: string;
  readonly documents: Document[];
  position: number;
  lastUsedAt: number;
}

export interface Cursors {
  readonly open: Map<string, Cursor>;
  lastId: number;
}

const FIRST_BATCH_SIZE = 101;
const IDLE_MS = 10 * 60_000;

export function createCursors(): Cursors {
  return { open: new Map(), lastId: 0 };
}

/** The `cursor` of a reply. What does not fit into the batch waits for getMore. */
export function openCursor(
  cursors: Cursors,
  namespace: string,
  documents: Document[],
  options: { batchSize?: number | undefined; singleBatch?: boolean | undefined } = {},
): Document {
  const cursor: Cursor = { namespace, documents, position: 0, lastUsedAt: Date.now() };
  const firstBatch = nextBatch(cursor, options.batchSize ?? FIRST_BATCH_SIZE);
  if (cursor.position === documents.length || options.singleBatch) return { firstBatch, id: Long.ZERO, ns: namespace };
  const id = ++cursors.lastId;
  cursors.open.set(String(id), cursor);
  return { firstBatch, id: Long.fromNumber(id), ns: namespace };
}

export function continueCursor(
  cursors: Cursors,
  id: unknown,
  namespace: string,
  batchSize: number | undefined,
): Document {
  const cursor = cursors.open.get(String(id));
  if (!cursor) throw new CommandError(43, `cursor id ${String(id)} not found`);
  if (cursor.namespace !== namespace) {
    throw new CommandError(
      13,
      `Requested getMore on namespace '${namespace}', but cursor belongs to '${cursor.namespace}'`,
    );
  }
  const batch = nextBatch(cursor, batchSize || Infinity);
  const isDone = cursor.position === cursor.documents.length;
  if (isDone) cursors.open.delete(String(id));
  return { nextBatch: batch, id: isDone ? Long.ZERO : Long.fromString(String(id)), ns: namespace };
}

export function closeCursor(cursors: Cursors, id: unknown): boolean {
  return cursors.open.delete(String(id));
}

export function expireCursors(cursors: Cursors): void {
  for (const [id, cursor] of cursors.open) if (Date.now() - cursor.lastUsedAt > IDLE_MS) cursors.open.delete(id);
}

/** Cut by count and by bytes, but never empty when there is something to give (unless the client asks for 0). */
function nextBatch(cursor: Cursor, count: number): Document[] {
  const batch: Document[] = [];
  let bytes = 0;
  cursor.lastUsedAt = Date.now();
  while (cursor.position < cursor.documents.length && batch.length < count) {
    const document = cursor.documents[cursor.position]!;
    const own = documentBytes(document);
    if (own > MAX_DOCUMENT_BYTES) throw new CommandError(10334, `BSONObj size: ${own} is invalid for a result`);
    bytes += own + 16;
    if (batch.length > 0 && bytes > MAX_DOCUMENT_BYTES) break;
    batch.push(document);
    cursor.position++;
  }
  return batch;
}
