import { crc32 } from 'node:zlib';
import { decodeDocument } from './document.js';
import type { Operation } from './journal-operation.js';

/*
 * The file: a signature, then frames. A frame is
 *   magic u32 | payload length u32 | crc32 u32 | durable up to f64 | payload (BSON documents, one for each operation)
 * A frame is written and synced as one, so it survives whole or counts for nothing. «Durable up to» is the length of
 * the file that was known to be synced when the frame was written. It tells a torn tail (nothing after the damage
 * relied on it) from damage to data that had been acknowledged.
 */
export const SIGNATURE = Buffer.from('embedded database journal 1\n', 'latin1');
const MAGIC = 0x31464a45;
const MAGIC_BYTES = Buffer.from('EJF1', 'latin1');
const HEADER_BYTES = 20;

export function encodeFrame(operations: Uint8Array[], durableUpTo: number): Buffer {
  const payload = Buffer.concat(operations);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(payload.length, 4);
  header.writeDoubleLE(durableUpTo, 12);
  header.writeUInt32LE(checksum(header, payload), 8);
  return Buffer.concat([header, payload]);
}

/**
 * Applies all operations of the file and answers how much of it is good. What follows is the torn tail of a write
 * that was never acknowledged. Throws if acknowledged data is damaged: starting without it would lose it silently.
 */
export function readFrames(file: Buffer, apply: (operation: Operation) => void): number {
  if (file.length < SIGNATURE.length && SIGNATURE.subarray(0, file.length).equals(file)) return 0;
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE))
    throw new Error('it does not begin like a journal of this database');
  let at = SIGNATURE.length;
  for (let frame = frameAt(file, at); frame; frame = frameAt(file, at)) {
    applyAll(frame.payload, apply);
    at += HEADER_BYTES + frame.payload.length;
  }
  for (let next = file.indexOf(MAGIC_BYTES, at + 1); next >= 0; next = file.indexOf(MAGIC_BYTES, next + 1)) {
    const frame = frameAt(file, next);
    if (frame && frame.durableUpTo > at) {
      throw new Error(`it is damaged at byte ${at}, and acknowledged data follows at byte ${next}`);
    }
  }
  return at;
}

function frameAt(file: Buffer, at: number): { payload: Buffer; durableUpTo: number } | null {
  if (at + HEADER_BYTES > file.length || file.readUInt32LE(at) !== MAGIC) return null;
  const header = file.subarray(at, at + HEADER_BYTES);
  const end = at + HEADER_BYTES + header.readUInt32LE(4);
  if (end > file.length) return null;
  const payload = file.subarray(at + HEADER_BYTES, end);
  if (checksum(header, payload) !== header.readUInt32LE(8)) return null;
  return { payload, durableUpTo: header.readDoubleLE(12) };
}

function checksum(header: Buffer, payload: Buffer): number {
  return crc32(payload, crc32(header.subarray(12, HEADER_BYTES), header.readUInt32LE(4)));
}

function applyAll(payload: Buffer, apply: (operation: Operation) => void): void {
  for (let at = 0; at < payload.length;) {
    const size = payload.readInt32LE(at);
    apply(decodeDocument(payload.subarray(at, at + size)) as Operation);
    at += size;
  }
}
