import { decodeDocument, encodeDocument, isDocument, type Document } from './document.js';

export const MAX_MESSAGE_BYTES = 48_000_000;
const HEADER_BYTES = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
/** Of the lower 16 flag bits an unknown one must be refused. */
const REQUIRED_FLAGS = 0xffff;

export interface Request {
  readonly requestId: number;
  readonly body: Document;
  /** The first hello of a connection comes in the old form, and wants its answer so. */
  readonly isLegacy: boolean;
  readonly wantsReply: boolean;
}

/** The bytes on the wire are not what they should be: the connection is lost, the server is not. */
export class WireError extends Error {}

/** Cuts a stream of bytes into messages. */
export function createMessageReader(): (chunk: Buffer) => Buffer[] {
  let chunks: Buffer[] = [];
  let buffered = 0;
  let needed = HEADER_BYTES;
  return (chunk) => {
    chunks.push(chunk);
    buffered += chunk.length;
    const messages: Buffer[] = [];
    while (buffered >= needed) {
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      chunks = [bytes];
      needed = bytes.readInt32LE(0);
      if (needed < HEADER_BYTES || needed > MAX_MESSAGE_BYTES) throw new WireError(`a message of ${needed} bytes`);
      if (buffered < needed) break;
      messages.push(bytes.subarray(0, needed));
      buffered -= needed;
      chunks = [bytes.subarray(needed)];
      needed = HEADER_BYTES;
    }
    return messages;
  };
}

export function parseRequest(message: Buffer): Request {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  try {
    if (opCode === OP_MSG) return parseMsg(message, requestId);
    if (opCode === OP_QUERY) return parseQuery(message, requestId);
  } catch (error) {
    throw new WireError(`a malformed message: ${String(error)}`);
  }
  throw new WireError(`the operation code ${opCode}`);
}

function parseMsg(message: Buffer, requestId: number): Request {
  const flags = message.readUInt32LE(HEADER_BYTES);
  if (flags & REQUIRED_FLAGS & ~(CHECKSUM_PRESENT | MORE_TO_COME)) throw new WireError(`the message flags ${flags}`);
  const end = flags & CHECKSUM_PRESENT ? message.length - 4 : message.length;
  let body: Document | null = null;
  const sequences: Document = {};
  let at = HEADER_BYTES + 4;
  while (at < end) {
    const kind = message[at]!;
    const size = message.readInt32LE(at + 1);
    const next = at + 1 + size;
    if (size < 5 || next > end) throw new WireError(`a section of ${size} bytes`);
    if (kind === 0 && !body) body = decodeDocument(message.subarray(at + 1, next));
    else if (kind === 1) addSequence(sequences, message.subarray(at + 5, next));
    else throw new WireError(`a section of the kind ${kind}`);
    at = next;
  }
  if (!body) throw new WireError('a message without a body');
  return { requestId, body: { ...body, ...sequences }, isLegacy: false, wantsReply: (flags & MORE_TO_COME) === 0 };
}

/** Documents beside the body: they belong into the named field of it. */
function addSequence(sequences: Document, section: Buffer): void {
  const nameEnd = section.indexOf(0);
  const name = section.toString('utf8', 0, nameEnd);
  const documents: Document[] = [];
  for (let at = nameEnd + 1; at < section.length;) {
    const size = section.readInt32LE(at);
    if (size < 5) throw new WireError(`a document of ${size} bytes`);
    documents.push(decodeDocument(section.subarray(at, at + size)));
    at += size;
  }
  sequences[name] = documents;
}

/** flags, `<database>.$cmd`, skip, limit, document */
function parseQuery(message: Buffer, requestId: number): Request {
  const nameStart = HEADER_BYTES + 4;
  const nameEnd = message.indexOf(0, nameStart);
  const [database, collection] = message.toString('utf8', nameStart, nameEnd).split('.');
  if (collection !== '$cmd') throw new WireError('an OP_QUERY that is not a command');
  const query = decodeDocument(message.subarray(nameEnd + 9));
  const command = isDocument(query['$query']) ? query['$query'] : query;
  if (!['hello', 'isMaster', 'ismaster'].includes(Object.keys(command)[0] ?? '')) {
    throw new WireError('an OP_QUERY other than hello');
  }
  return { requestId, body: { ...command, $db: database }, isLegacy: true, wantsReply: true };
}

export function encodeReply(request: Request, reply: Document): Buffer {
  const opCode = request.isLegacy ? OP_REPLY : OP_MSG;
  return encodeMessage(opCode, request.isLegacy ? legacyPreamble() : Buffer.alloc(5), { reply, to: request.requestId });
}

/** A command as a client sends it. */
export function encodeCommand(command: Document): Buffer {
  return encodeMessage(OP_MSG, Buffer.alloc(5), { reply: command, to: 0 });
}

export function parseReply(message: Buffer): Document {
  return parseRequest(message).body;
}

function encodeMessage(opCode: number, preamble: Buffer, { reply, to }: { reply: Document; to: number }): Buffer {
  const document = encodeDocument(reply);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(HEADER_BYTES + preamble.length + document.length, 0);
  // The message's own id (4) stays 0: nobody answers to it but on the same connection, in order.
  header.writeInt32LE(to, 8);
  header.writeInt32LE(opCode, 12);
  return Buffer.concat([header, preamble, document]);
}

/** flags (await capable), cursor 0, from 0, one document */
function legacyPreamble(): Buffer {
  const preamble = Buffer.alloc(20);
  preamble.writeInt32LE(8, 0);
  preamble.writeInt32LE(1, 16);
  return preamble;
}
