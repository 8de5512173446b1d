import { expect } from 'chai';
import { hash as argon2 } from '@node-rs/argon2';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { parseImportedHash } from '../../../src/credentials/imported-hashes.js';

const password = 'correct horse battery';
const salt = Buffer.from('a salt of sixteen');
const plain = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

const scryptHash = (ln: number, r: number, p: number): string => {
  const key = scryptSync(password, salt, 32, { N: 2 ** ln, r, p, maxmem: 2 ** 30 });
  return `$scrypt$ln=${ln},r=${r},p=${p}$${plain(salt)}$${plain(key)}`;
};
const pbkdf2Hash = (digest: 'sha256' | 'sha512', iterations: number, prefix = 'i='): string => {
  const key = pbkdf2Sync(password, salt, iterations, digest === 'sha256' ? 32 : 64, digest);
  return `$pbkdf2-${digest}$${prefix}${iterations}$${plain(salt)}$${plain(key)}`;
};

describe('hashes of other systems', function () {
  this.timeout(30_000);

  for (const [what, make] of [
    ['bcrypt', () => bcrypt(password, 8)],
    ['bcrypt of PHP', async () => (await bcrypt(password, 8)).replace(/^\$2b/, '$2y')],
    ['bcrypt of former times', async () => (await bcrypt(password, 8)).replace(/^\$2b/, '$2a')],
    ['argon2id', () => argon2(password, { memoryCost: 8192, timeCost: 3, parallelism: 2 })],
    ['scrypt', async () => scryptHash(14, 8, 1)],
    ['scrypt with more lanes', async () => scryptHash(12, 8, 4)],
    ['PBKDF2 with SHA-256', async () => pbkdf2Hash('sha256', 10_000)],
    ['PBKDF2 with SHA-512', async () => pbkdf2Hash('sha512', 10_000)],
    ['PBKDF2 as Passlib writes it', async () => pbkdf2Hash('sha256', 10_000, '').replaceAll('+', '.')],
  ] as const) {
    it(`${what}: takes the password and no other`, async () => {
      const imported = parseImportedHash(await make());
      expect(await imported?.verify(password)).to.equal(true);
      expect(await imported?.verify(`${password} `)).to.equal(false);
      expect(await imported?.verify('')).to.equal(false);
    });
  }

  it('that would cost seconds or much memory are refused before they are computed', () => {
    const key = 'A'.repeat(43);
    for (const hostile of [
      `$2b$14$${'a'.repeat(53)}`,
      `$2b$31$${'a'.repeat(53)}`,
      `$2b$03$${'a'.repeat(53)}`,
      `$scrypt$ln=18,r=8,p=1$${key}$${key}`,
      `$scrypt$ln=17,r=8,p=16$${key}$${key}`,
      `$scrypt$ln=10,r=99,p=99$${key}$${key}`,
      `$scrypt$ln=0,r=8,p=1$${key}$${key}`,
      `$pbkdf2-sha256$i=1000001$${key}$${key}`,
      `$pbkdf2-sha256$i=0$${key}$${key}`,
      `$pbkdf2-sha256$i=1000$${key}$${'A'.repeat(86)}`,
      `$argon2id$v=19$m=1048576,t=1,p=1$${'A'.repeat(22)}$${key}`,
      `$argon2id$v=19$m=131072,t=9,p=1$${'A'.repeat(22)}$${key}`,
      `$argon2id$v=19$m=8,t=0,p=1$${'A'.repeat(22)}$${key}`,
    ])
      expect(parseImportedHash(hostile), hostile).to.equal(null);
  });

  it('of other kinds, damaged ones and plain texts are refused', async () => {
    const good = await bcrypt(password, 4);
    const key = 'A'.repeat(43);
    for (const wrong of [
      '',
      password,
      '5f4dcc3b5aa765d61d8327deb882cf99',
      good.slice(0, -1),
      `${good} `,
      `${good}\n`,
      good.replace('$2b', '$2x'),
      `$argon2i$v=19$m=8192,t=2,p=1$${'A'.repeat(22)}$${key}`,
      `$argon2id$m=8192,t=2,p=1$${'A'.repeat(22)}$${key}`,
      `$pbkdf2-sha1$i=1000$${key}$${'A'.repeat(27)}`,
      `$pbkdf2-sha256$i=1000$${key}$${'A'.repeat(8)}`,
      `$pbkdf2-sha256$i=1000$${key}$AAAA====AAAAAAAAAAAAAAAAAAAA`,
    ])
      expect(parseImportedHash(wrong), wrong).to.equal(null);
  });
});
