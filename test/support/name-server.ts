import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** `null` is an error of the server, `'no such name'` its word that there is none. */
type Records = readonly string[] | null | 'no such name';

/** What is known of a name, by kind; a kind that is missing gets no answer at all. */
export type Zone = Readonly<Record<string, { A?: Records; AAAA?: Records; TXT?: Records }>>;

export interface NameServer {
  /** For `Resolver.setServers`. */
  address: string;
  close(): Promise<void>;
}

const kinds: Readonly<Record<number, 'A' | 'AAAA' | 'TXT'>> = { 1: 'A', 16: 'TXT', 28: 'AAAA' };

/** Codes of answers (RFC 1035 §4.1.1). */
const serverFailure = 2;
const nameError = 3;

/** A name server (RFC 1035) on 127.0.0.1 that knows these names, in lower case. */
export async function startNameServer(zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 1;
    const question = query.subarray(12, end + 4);
    const kind = kinds[query.readUInt16BE(end)];
    const known = kind === undefined ? [] : zone[nameIn(question)]?.[kind];
    if (known === undefined) return;
    const records = typeof known === 'string' || known === null ? [] : known;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 + (known === null ? serverFailure : known === 'no such name' ? nameError : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const bytesOf = kind === 'TXT' ? bytesOfText : bytesOfAddress;
    const answers = records.map((record) => recordOf(question.subarray(-4, -2), bytesOf(record)));
    socket.send(Buffer.concat([header, question, ...answers]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 0; question[at] !== 0; at += question[at]! + 1)
    labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!));
  return labels.join('.').toLowerCase();
}

/** Of the name in the question, of class IN, for no time at all. */
function recordOf(kind: Buffer, data: Buffer): Buffer {
  const length = [data.length >> 8, data.length & 255];
  return Buffer.concat([Buffer.from([0xc0, 12]), kind, Buffer.from([0, 1, 0, 0, 0, 0, ...length]), data]);
}

/** In parts of 255 bytes at most, each behind its length. */
function bytesOfText(value: string): Buffer {
  const parts = value.match(/.{1,255}/g) ?? [''];
  return Buffer.concat(parts.map((part) => Buffer.from(`${String.fromCharCode(part.length)}${part}`, 'latin1')));
}

function bytesOfAddress(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  return Buffer.from(
    address.split(':').flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}
