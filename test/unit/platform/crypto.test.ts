import { expect } from 'chai';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { createHash, randomBytes } from 'node:crypto';
import type { DataKeyStore } from '../../../src/platform/crypto/data-key-store.js';
import { openKeyRing } from '../../../src/platform/crypto/key-ring.js';
import { keyedHash } from '../../../src/platform/crypto/keyed-hash.js';
import { openSealing, type SealingKey } from '../../../src/platform/crypto/sealing.js';

const sealingKey = (kid: string): SealingKey => ({ kid, bytes: randomBytes(32) });
const refused = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'was not refused',
    (error: Error) => error.message,
  );

describe('sealing', () => {
  it('what was sealed opens again under the same context', async () => {
    const sealing = await openSealing([sealingKey('a')]);
    for (const text of ['', 'ada@example.com', '\0', 'ß✓🗝', 'x'.repeat(100_000)]) {
      expect(await sealing.open(await sealing.seal(text, 'user:usr_1'), 'user:usr_1')).to.equal(text);
    }
  });

  it('the same text looks different every time, and nothing of it shows', async () => {
    const sealing = await openSealing([sealingKey('a')]);
    const sealed = await Promise.all(Array.from({ length: 100 }, () => sealing.seal('ada@example.com', 'user:usr_1')));
    expect(new Set(sealed).size).to.equal(100);
    expect(new Set(sealed.map((text) => text.split('.')[2])).size, 'initialisation vectors').to.equal(100);
    const readable = sealed.map((text) => Buffer.from(text.split('.')[3] ?? '', 'base64url').toString('latin1'));
    expect(readable.filter((text) => text.includes('ada'))).to.deep.equal([]);
  });

  it('a sealed text that was moved to another record does not open there', async () => {
    const sealing = await openSealing([sealingKey('a')]);
    const sealed = await sealing.seal('ada@example.com', 'user:usr_1');
    for (const context of ['user:usr_2', 'user:usr_', 'user:usr_10', '', 'User:usr_1', 'password:usr_1']) {
      expect(await refused(sealing.open(sealed, context)), context).to.equal('sealed text belongs to another record');
    }
  });

  it('is the compact form of a JWE, which a library reads and writes too', async () => {
    const { kid, bytes } = sealingKey('a');
    const sealing = await openSealing([{ kid, bytes }]);
    for (const text of ['', 'ada@example.com', 'ünïcode \u{1f511}', 'x'.repeat(5000)]) {
      const { plaintext, protectedHeader } = await compactDecrypt(await sealing.seal(text, 'user:usr_1'), bytes);
      expect(Buffer.from(plaintext).toString('utf8')).to.equal(text);
      expect(protectedHeader).to.deep.equal({ alg: 'dir', enc: 'A256GCM', kid, ctx: 'user:usr_1' });
      const made = await new CompactEncrypt(Buffer.from(text))
        .setProtectedHeader({ ...protectedHeader })
        .encrypt(bytes);
      expect(await sealing.open(made, 'user:usr_1')).to.equal(text);
    }
  });

  it('a change of any part is noticed', async () => {
    const sealing = await openSealing([sealingKey('a')]);
    const parts = (await sealing.seal('ada@example.com', 'user:usr_1')).split('.');
    for (const index of [0, 2, 3, 4]) {
      const bytes = Buffer.from(parts[index] ?? '', 'base64url');
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        const tampered = parts.with(index, changed.toString('base64url')).join('.');
        expect(await refused(sealing.open(tampered, 'user:usr_1')), `part ${index}, byte ${at}`).not.to.equal(
          'was not refused',
        );
      }
    }
  });

  it('a forged header does not choose another algorithm or context', async () => {
    const sealing = await openSealing([sealingKey('a')]);
    const [, ...rest] = (await sealing.seal('ada@example.com', 'user:usr_1')).split('.');
    for (const header of [
      { alg: 'dir', enc: 'A256GCM', kid: 'a', ctx: 'user:usr_2' },
      { alg: 'dir', enc: 'A256GCM', kid: 'a' },
      { alg: 'dir', enc: 'A128GCM', kid: 'a', ctx: 'user:usr_2' },
      { alg: 'A256KW', enc: 'A256GCM', kid: 'a', ctx: 'user:usr_2' },
      { alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', kid: 'a', p2c: 1e9, p2s: 'AAAA', ctx: 'user:usr_2' },
      { alg: 'dir', enc: 'A256GCM', zip: 'DEF', kid: 'a', ctx: 'user:usr_2' },
    ]) {
      const forged = [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
      expect(await refused(sealing.open(forged, 'user:usr_2')), JSON.stringify(header)).not.to.equal('was not refused');
    }
  });

  it('text that was never sealed is refused', async () => {
    const sealing = await openSealing([sealingKey('a')]);
    for (const text of ['', '....', 'ada@example.com', 'eyJhbGciOiJkaXIifQ....', '{}']) {
      expect(await refused(sealing.open(text, 'user:usr_1')), text).not.to.equal('was not refused');
    }
  });

  it('the first key seals and every key opens; an unknown one does not', async () => {
    const [old, current, foreign] = [sealingKey('old'), sealingKey('new'), sealingKey('foreign')];
    const before = await openSealing([old]);
    const after = await openSealing([current, old]);
    const sealedBefore = await before.seal('text', 'c');
    const sealedAfter = await after.seal('text', 'c');
    expect(await after.open(sealedBefore, 'c')).to.equal('text');
    expect(await refused(before.open(sealedAfter, 'c'))).to.equal(
      'the key that sealed this text is not among the known keys',
    );
    const elsewhere = await openSealing([foreign]);
    expect(await refused(elsewhere.open(sealedBefore, 'c'))).to.contain('not among the known keys');
  });

  it('a key of the same name with other bytes does not open', async () => {
    const sealed = await (await openSealing([sealingKey('a')])).seal('text', 'c');
    const other = await openSealing([sealingKey('a')]);
    expect(await refused(other.open(sealed, 'c'))).not.to.equal('was not refused');
  });

  it('there is no sealing without a key, nor with one of the wrong length', async () => {
    expect(await refused(openSealing([]))).to.equal('sealing needs at least one key');
    expect(await refused(openSealing([{ kid: 'a', bytes: randomBytes(31) }]))).not.to.equal('was not refused');
  });
});

function storeInMemory(): DataKeyStore & { sealed: Map<string, string> } {
  const sealed = new Map<string, string>();
  return {
    sealed,
    async find(name) {
      const found = sealed.get(name);
      return found === undefined ? null : { name, sealed: found };
    },
    async insertIfAbsent(key) {
      if (!sealed.has(key.name)) sealed.set(key.name, key.sealed);
    },
    async replaceSealed(name, text) {
      sealed.set(name, text);
    },
  };
}

describe('the key ring', () => {
  it('opened a second time it holds the same keys', async () => {
    const [master, store] = [randomBytes(32), storeInMemory()];
    const first = await openKeyRing([master], store);
    const stored = new Map(store.sealed);
    const second = await openKeyRing([master], store);
    expect(store.sealed).to.deep.equal(stored);
    expect(second.hashFor('email')('ada@example.com')).to.equal(first.hashFor('email')('ada@example.com'));
    expect(second.bytesFor('dpop')).to.deep.equal(first.bytesFor('dpop'));
    expect(await second.sealing.open(await first.sealing.seal('text', 'c'), 'c')).to.equal('text');
  });

  it('several processes that open an empty store at once end with one set of keys', async () => {
    const [master, store] = [randomBytes(32), storeInMemory()];
    const rings = await Promise.all(Array.from({ length: 10 }, () => openKeyRing([master], store)));
    expect(new Set(rings.map((ring) => ring.hashFor('email')('ada@example.com'))).size).to.equal(1);
  });

  it('a new master key in front seals the data keys again, and then the old one can go', async () => {
    const [old, current, store] = [randomBytes(32), randomBytes(32), storeInMemory()];
    const before = await openKeyRing([old], store);
    const sealedBefore = new Map(store.sealed);
    const both = await openKeyRing([current, old], store);
    for (const [name, text] of sealedBefore) expect(store.sealed.get(name), name).not.to.equal(text);
    const after = await openKeyRing([current], store);
    for (const ring of [both, after]) {
      expect(ring.hashFor('email')('ada@example.com')).to.equal(before.hashFor('email')('ada@example.com'));
      expect(await ring.sealing.open(await before.sealing.seal('text', 'c'), 'c')).to.equal('text');
    }
  });

  it('a master key behind the current one changes nothing', async () => {
    const [master, store] = [randomBytes(32), storeInMemory()];
    await openKeyRing([master], store);
    const stored = new Map(store.sealed);
    await openKeyRing([master, randomBytes(32)], store);
    expect(store.sealed).to.deep.equal(stored);
  });

  it('a wrong master key is refused and leaves what is stored alone', async () => {
    const store = storeInMemory();
    await openKeyRing([randomBytes(32)], store);
    const stored = new Map(store.sealed);
    expect(await refused(openKeyRing([randomBytes(32)], store))).to.equal(
      'MASTER_KEYS does not open the keys of this database',
    );
    expect(await refused(openKeyRing([], store))).not.to.equal('was not refused');
    expect(store.sealed).to.deep.equal(stored);
  });

  it('data keys that were swapped in the store do not open', async () => {
    const [master, store] = [randomBytes(32), storeInMemory()];
    await openKeyRing([master], store);
    const [sealing, hashing] = [store.sealed.get('sealing') ?? '', store.sealed.get('hashing') ?? ''];
    store.sealed.set('sealing', hashing).set('hashing', sealing);
    expect(await refused(openKeyRing([master], store))).not.to.equal('was not refused');
  });

  it('no key stands in the store as it is', async () => {
    const [master, store] = [randomBytes(32), storeInMemory()];
    await openKeyRing([master], store);
    const stored = [...store.sealed.values()].join('\n');
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(stored).not.to.contain(master.toString(encoding));
    }
    expect(store.sealed.size).to.equal(2);
  });
});

describe('keyed hashes', () => {
  it('are 43 characters of base64url, the same for the same text', () => {
    const hash = keyedHash(randomBytes(32), 'hash:email');
    expect(hash('ada@example.com')).to.match(/^[\w-]{43}$/);
    expect(hash('ada@example.com')).to.equal(hash('ada@example.com'));
  });

  it('differ by purpose, by key, by text and by where the parts end', () => {
    const root = randomBytes(32);
    const hash = keyedHash(root, 'hash:email');
    const values = [
      hash('ada@example.com'),
      keyedHash(root, 'hash:csrf')('ada@example.com'),
      keyedHash(randomBytes(32), 'hash:email')('ada@example.com'),
      hash('ada@example.com '),
      hash('Session', 'ab'),
      hash('Sessiona', 'b'),
      hash('', 'Sessionab'),
    ];
    expect(new Set(values).size).to.equal(values.length);
  });

  it('are no plain hash of the text', () => {
    const plain = createHash('sha256').update('ada@example.com').digest('base64url');
    expect(keyedHash(randomBytes(32), 'hash:email')('ada@example.com')).not.to.equal(plain);
  });

  it('a hash and bytes for the same purpose share no key', async () => {
    const ring = await openKeyRing([randomBytes(32)], storeInMemory());
    const bytes = ring.bytesFor('csrf');
    expect(bytes).to.have.length(32);
    expect(keyedHash(bytes, '')('text')).not.to.equal(ring.hashFor('csrf')('text'));
    expect(ring.bytesFor('dpop')).not.to.deep.equal(bytes);
  });
});
