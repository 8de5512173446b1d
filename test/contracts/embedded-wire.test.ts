import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { deserialize, serialize } from 'bson';
import { expect } from 'chai';
import {
  openEmbeddedDatabase,
  type EmbeddedDatabase,
} from '../../src/platform/mongo/embedded/open-embedded-database.js';

const OP_QUERY = 2004;
const OP_MSG = 2013;

describe('embedded database: wire protocol', () => {
  let database: EmbeddedDatabase;
  let socket: Socket;

  before(async () => {
    database = await openEmbeddedDatabase({ directory: ':memory:' });
  });
  after(() => database.close());
  beforeEach(async () => {
    socket = await connected();
  });
  afterEach(() => {
    socket.destroy();
  });

  async function connected(): Promise<Socket> {
    const opened = connect(Number(new URL(database.uri).port), '127.0.0.1');
    await once(opened, 'connect');
    return opened;
  }

  function message(opCode: number, requestId: number, ...parts: Uint8Array[]): Buffer {
    const body = Buffer.concat(parts);
    const header = Buffer.alloc(16);
    header.writeInt32LE(16 + body.length, 0);
    header.writeInt32LE(requestId, 4);
    header.writeInt32LE(opCode, 12);
    return Buffer.concat([header, body]);
  }

  function section(command: object): Buffer {
    return Buffer.concat([Buffer.from([0]), serialize(command)]);
  }

  function sequence(name: string, documents: object[]): Buffer {
    const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((document) => serialize(document))]);
    const size = Buffer.alloc(4);
    size.writeInt32LE(content.length + 4);
    return Buffer.concat([Buffer.from([1]), size, content]);
  }

  function nested(levels: number): Buffer {
    const bytes = Buffer.alloc(5 + 8 * levels);
    for (let level = 0; level <= levels; level++) {
      bytes.writeInt32LE(bytes.length - 8 * level, 7 * level);
      if (level < levels) bytes.write('\x03a\0', 7 * level + 4, 'latin1');
    }
    return bytes;
  }

  const flags = (value: number) => Buffer.from([value, 0, 0, 0]);

  async function reply(): Promise<{ to: number; opCode: number; document: Record<string, unknown> }> {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    const opCode = bytes.readInt32LE(12);
    return { to: bytes.readInt32LE(8), opCode, document: deserialize(bytes.subarray(opCode === OP_MSG ? 21 : 36)) };
  }

  it('answers the old form of hello in the old form, without what it could not keep', async () => {
    socket.write(
      message(
        OP_QUERY,
        7,
        flags(0),
        Buffer.from('admin.$cmd\0'),
        Buffer.from([0, 0, 0, 0, 255, 255, 255, 255]),
        serialize({ ismaster: 1, helloOk: true }),
      ),
    );
    const { to, opCode, document } = await reply();
    expect([to, opCode]).to.deep.equal([7, 1]);
    expect(document).to.include({
      ismaster: true,
      isWritablePrimary: true,
      minWireVersion: 0,
      maxWireVersion: 21,
      ok: 1,
    });
    expect(document).to.not.have.any.keys('topologyVersion', 'compression', 'saslSupportedMechs');
  });

  it('takes documents beside the body, in a message that comes in pieces', async () => {
    const insert = message(
      OP_MSG,
      8,
      flags(0),
      section({ insert: 'c', $db: 'wire' }),
      sequence('documents', [{ _id: 1 }, { _id: 2 }]),
    );
    for (let at = 0; at < insert.length; at += 11) socket.write(insert.subarray(at, at + 11));
    expect((await reply()).document).to.include({ n: 2, ok: 1 });
  });

  it('does not answer a message that wants no reply, and goes on', async () => {
    socket.write(message(OP_MSG, 9, flags(2), section({ insert: 'd', documents: [{ _id: 1 }], $db: 'wire' })));
    socket.write(message(OP_MSG, 10, flags(0), section({ count: 'd', $db: 'wire' })));
    const { to, document } = await reply();
    expect([to, document['n']]).to.deep.equal([10, 1]);
  });

  it('answers a filter of a million levels with an error, and goes on', async () => {
    const levels = nested(1_000_000);
    const command = Buffer.from(serialize({ find: 'c', $db: 'wire', filter: {} }));
    const empty = command.subarray(-6, -1);
    const body = Buffer.concat([command.subarray(0, -6), levels, Buffer.alloc(1)]);
    body.writeInt32LE(body.length);
    expect([...empty]).to.deep.equal([5, 0, 0, 0, 0]);
    socket.write(message(OP_MSG, 11, flags(0), Buffer.from([0]), body));
    expect((await reply()).document).to.include({ ok: 0 });
    socket.write(message(OP_MSG, 12, flags(0), section({ ping: 1, $db: 'admin' })));
    expect((await reply()).document).to.include({ ok: 1 });
  });

  const broken: [title: string, bytes: () => Buffer][] = [
    ['of an impossible length', () => Buffer.alloc(16, 0x7f)],
    ['shorter than its header', () => Buffer.alloc(16)],
    ['with an unknown operation', () => message(2012, 1, flags(0))],
    ['with an unknown flag', () => message(OP_MSG, 1, flags(8), section({ ping: 1, $db: 'admin' }))],
    ['with an unknown section', () => message(OP_MSG, 1, flags(0), Buffer.from([9, 5, 0, 0, 0, 0]))],
    ['with a section that is longer than itself', () => message(OP_MSG, 1, flags(0), Buffer.from([0, 99, 0, 0, 0, 0]))],
    ['without a body', () => message(OP_MSG, 1, flags(0))],
    ['with broken BSON', () => message(OP_MSG, 1, flags(0), Buffer.from([0, 8, 0, 0, 0, 0x77, 0x77, 0x77, 0]))],
  ];
  for (const [title, bytes] of broken) {
    it(`closes only the connection of a message ${title}`, async () => {
      const bystander = socket;
      const culprit = await connected();
      culprit.on('error', () => undefined);
      culprit.write(bytes());
      await once(culprit, 'close');
      bystander.write(message(OP_MSG, 3, flags(0), section({ ping: 1, $db: 'admin' })));
      expect((await reply()).document).to.include({ ok: 1 });
    });
  }
});
