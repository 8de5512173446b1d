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
/** Of its place in the list: a type and a number as text. */
const PLACE_BYTES = 10;
const IDLE_MS = 10 * 60_000;

export function createCursors(): Cursors {
  return { open: new Map(), lastId: 0 };
}

/** The `cursor` of a reply. What does not fit into the batch waits for getMore. */
export function openCursor(
  cursors: Cursors,
  namespace: string,
  documents: Document[],
  options: { batchSize?: number | undefined; singleBatch?: boolean } = {},
): Document {
  const cursor: Cursor = { namespace, documents, position: 0, lastUsedAt: Date.now() };
  const firstBatch = nextBatch(cursor, options.batchSize ?? FIRST_BATCH_SIZE);
  if (cursor.position === documents.length || options.singleBatch) return { firstBatch, id: Long.ZERO, ns: namespace };
  const id = ++cursors.lastId;
  cursors.open.set(String(id), cursor);
  return { firstBatch, id: Long.fromNumber(id), ns: namespace };
}

export function continueCursor(cursors: Cursors, id: string, namespace: string, batchSize = Infinity): Document {
  const cursor = cursors.open.get(id);
  if (cursor?.namespace !== namespace) throw new CommandError('CursorNotFound', `cursor id ${id} not found`);
  const batch = nextBatch(cursor, batchSize);
  const isDone = cursor.position === cursor.documents.length;
  if (isDone) cursors.open.delete(id);
  return { nextBatch: batch, id: isDone ? Long.ZERO : Long.fromString(id), ns: namespace };
}

export function expireCursors({ open }: Cursors, now: number): void {
  for (const [id, { lastUsedAt }] of open) if (now - lastUsedAt > IDLE_MS) open.delete(id);
}

/** Cut by count and by bytes, but never empty when there is something to give (unless the client asks for 0). */
function nextBatch(cursor: Cursor, count: number): Document[] {
  const batch: Document[] = [];
  let bytes = 0;
  cursor.lastUsedAt = Date.now();
  while (cursor.position < cursor.documents.length && batch.length < count) {
    const document = cursor.documents[cursor.position]!;
    if (cursor.documents.length > 1) bytes += PLACE_BYTES + documentBytes(document);
    if (batch.length > 0 && bytes > MAX_DOCUMENT_BYTES) break;
    batch.push(document);
    cursor.position++;
  }
  return batch;
}
