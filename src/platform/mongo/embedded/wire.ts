import { createServer, type AddressInfo, type Socket } from 'node:net';
import { decodeDocument, decodeDocuments, encodeDocument, type Document } from './document.js';

export const MAX_MESSAGE_BYTES = 48_000_000;
const HEADER_BYTES = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

const MORE_TO_COME = 2;
/** Of the lower 16 flag bits an unknown one must be refused. */
const REQUIRED_FLAGS = 0xffff;

interface Request {
  readonly requestId: number;
  readonly body: Document;
  /** The first hello of a connection comes in the old form, and wants its answer so. */
  readonly isLegacy: boolean;
  readonly wantsReply: boolean;
}

/** Answers one command; null means to close the connection without a word. */
export type Answer = (command: Document) => Promise<Document | null>;

export interface WireServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on loopback only: there is no authentication. The port is the system's choice. */
export async function listen(answer: Answer): Promise<WireServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    // A client that goes away is no event here.
    socket.on('error', () => socket.destroy());
    serve(socket, answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/**
 * One command after the other on each connection, as clients rely on after an unacknowledged write. Bytes that are not
 * what they should be cost the connection: what follows them cannot be told from the rest of them.
 */
function serve(socket: Socket, answer: Answer): void {
  const read = createMessageReader();
  let last: Promise<void> = Promise.resolve();
  socket.on('data', (chunk) => {
    try {
      for (const message of read(chunk)) last = last.then(() => answerMessage(socket, answer, message));
    } catch {
      socket.destroy();
    }
  });
}

async function answerMessage(socket: Socket, answer: Answer, message: Buffer): Promise<void> {
  if (socket.destroyed) return;
  try {
    const request = parseRequest(message);
    const reply = await answer(request.body);
    if (reply === null) socket.destroy();
    else if (request.wantsReply) socket.write(encodeReply(request, reply));
  } catch {
    socket.destroy();
  }
}

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
      if (needed < HEADER_BYTES || needed > MAX_MESSAGE_BYTES) throw new Error(`a message of ${needed} bytes`);
      if (buffered < needed) break;
      messages.push(bytes.subarray(0, needed));
      buffered -= needed;
      chunks = [bytes.subarray(needed)];
      needed = HEADER_BYTES;
    }
    return messages;
  };
}

function parseRequest(message: Buffer): Request {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_QUERY) return { requestId, body: parseHello(message), isLegacy: true, wantsReply: true };
  if (opCode !== OP_MSG) throw new Error(`the operation code ${opCode}`);
  const flags = message.readUInt32LE(HEADER_BYTES);
  if (flags & REQUIRED_FLAGS & ~MORE_TO_COME) throw new Error(`the message flags ${flags}`);
  return { requestId, body: parseBody(message), isLegacy: false, wantsReply: (flags & MORE_TO_COME) === 0 };
}

/** Sections, each begun by its kind: 0 is the body, 1 are documents that belong into the named field of it. */
export function parseBody(message: Buffer): Document {
  let body: Document | null = null;
  let sequences: Document | null = null;
  for (let at = HEADER_BYTES + 4; at < message.length;) {
    const kind = message[at]!;
    const size = message.readInt32LE(at + 1);
    const next = at + 1 + size;
    if (size < 5 || next > message.length) throw new Error(`a section of ${size} bytes`);
    const section = message.subarray(at + 1, next);
    if (kind === 0 && !body) body = decodeDocument(section);
    else if (kind === 1) addSequence((sequences ??= {}), section);
    else throw new Error(`a section of the kind ${kind}`);
    at = next;
  }
  if (!body) throw new Error('a message without a body');
  return sequences ? { ...body, ...sequences } : body;
}

/** The size of the section, the name of the field, the documents: so the driver sends those of an insert. */
function addSequence(sequences: Document, section: Buffer): void {
  const nameEnd = section.indexOf(0, 4);
  sequences[section.toString('utf8', 4, nameEnd)] = decodeDocuments(section.subarray(nameEnd + 1));
}

/** flags, `<database>.$cmd`, skip, limit, document */
function parseHello(message: Buffer): Document {
  const nameStart = HEADER_BYTES + 4;
  const nameEnd = message.indexOf(0, nameStart);
  const [database, collection] = message.toString('utf8', nameStart, nameEnd).split('.');
  const command = decodeDocument(message.subarray(nameEnd + 9));
  const isHello = ['hello', 'isMaster', 'ismaster'].includes(Object.keys(command)[0] ?? '');
  if (collection !== '$cmd' || !isHello) throw new Error('an OP_QUERY other than hello');
  return { ...command, $db: database };
}

function encodeReply({ requestId, isLegacy }: Request, reply: Document): Buffer {
  if (!isLegacy) return encodeMessage(OP_MSG, Buffer.alloc(5), requestId, reply);
  const preamble = Buffer.alloc(20); // flags (await capable), cursor 0, from 0, one document
  preamble.writeInt32LE(8, 0);
  preamble.writeInt32LE(1, 16);
  return encodeMessage(OP_REPLY, preamble, requestId, reply);
}

/** A command as a client sends it. */
export function encodeCommand(command: Document): Buffer {
  return encodeMessage(OP_MSG, Buffer.alloc(5), 0, command);
}

function encodeMessage(opCode: number, preamble: Buffer, responseTo: number, content: Document): Buffer {
  const document = encodeDocument(content);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(HEADER_BYTES + preamble.length + document.length, 0);
  // The message's own id (4) stays 0: nobody answers to it but on the same connection, in order.
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(opCode, 12);
  return Buffer.concat([header, preamble, document]);
}
