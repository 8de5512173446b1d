import { crc32 } from 'node:zlib';
import { decodeDocuments, type Document } from './document.js';

/** One step of the journal. They state results, not intentions, so replaying them needs no decision. */
export type Operation =
  | { put: string; document: Document }
  | { remove: string; id: unknown }
  | { create: string }
  | { createIndex: string; specification: Document }
  | { drop: string }
  /** The reply to a retryable write: if the client asks again, it gets the same answer and nothing is written twice. */
  | { reply: Document; session: string; txnNumber: number };

/*
 * The file: a signature, then frames of
 *   magic u32 | payload length u32 | crc32 of length and payload u32 | payload (BSON documents, one for each operation)
 * A frame is written and synced before the next one is begun. So a damaged frame with nothing behind it is the torn
 * tail of a write that was never acknowledged, and one with another frame behind it is damage to acknowledged data.
 */
export const SIGNATURE = Buffer.from('embedded database journal 2\n', 'latin1');
const MAGIC = Buffer.from('EJF2', 'latin1');
const HEADER_BYTES = 12;

export function encodeFrame(operations: Uint8Array[]): Buffer {
  const payload = Buffer.concat(operations);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(payload.length, 4);
  header.writeUInt32LE(crc32(payload, payload.length), 8);
  return Buffer.concat([header, payload]);
}

/**
 * Applies all operations of the file and answers how much of it is good; what follows is a torn tail. Throws if
 * acknowledged data is damaged: starting without it would lose it silently.
 */
export function readFrames(file: Buffer, apply: (operation: Operation) => void): number {
  if (file.length < SIGNATURE.length && SIGNATURE.subarray(0, file.length).equals(file)) return 0;
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) {
    throw new Error('it does not begin like a journal of this database');
  }
  let at = SIGNATURE.length;
  for (let payload = payloadAt(file, at); payload; payload = payloadAt(file, at)) {
    for (const operation of decodeDocuments(payload)) apply(operation as Operation);
    at += HEADER_BYTES + payload.length;
  }
  for (let next = file.indexOf(MAGIC, at + 1); next >= 0; next = file.indexOf(MAGIC, next + 1)) {
    if (payloadAt(file, next)) {
      throw new Error(`it is damaged at byte ${at}, and acknowledged data follows at byte ${next}`);
    }
  }
  return at;
}

function payloadAt(file: Buffer, at: number): Buffer | null {
  if (at + HEADER_BYTES > file.length || !file.subarray(at, at + 4).equals(MAGIC)) return null;
  const length = file.readUInt32LE(at + 4);
  const payload = file.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
  return payload.length === length && crc32(payload, length) === file.readUInt32LE(at + 8) ? payload : null;
}
