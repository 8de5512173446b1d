import { pbkdf2, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyArgon2 } from '@node-rs/argon2';

/** A hash that another system made, ready to be compared. */
export interface ImportedHash {
  verify(password: string): Promise<boolean>;
}

type Derive = (password: string) => Promise<Buffer>;

const derivePbkdf2 = promisify(pbkdf2);
const deriveScrypt = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** So that no hash that somebody brings costs seconds or the memory of the server. */
const most = {
  bcryptCost: 13,
  pbkdf2Iterations: 1_000_000,
  /** 128 · N · r bytes; and N · r · p, which is what it takes in time. */
  scryptBytes: 128 * 1024 * 1024,
  scryptWork: 2 ** 21,
  argon2Kib: 128 * 1024,
  argon2Work: 256 * 1024,
};

const bcryptForm = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const argon2Form = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d)\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/;
const scryptForm = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/=]{8,88})\$([A-Za-z0-9+/=]{22,88})$/;
/** With `i=` as in PHC strings, or the bare number as Passlib writes it (and `.` for `+`). */
const pbkdf2Form = /^\$pbkdf2-(sha256|sha512)\$(?:i=)?(\d{1,9})\$([A-Za-z0-9+./=]{8,88})\$([A-Za-z0-9+./=]{22,88})$/;

/** argon2id, bcrypt, scrypt and PBKDF2 within bounds; null for anything else. */
export function parseImportedHash(text: string): ImportedHash | null {
  return parseBcrypt(text) ?? parseArgon2(text) ?? parseScrypt(text) ?? parsePbkdf2(text);
}

function parseBcrypt(text: string): ImportedHash | null {
  const [, cost] = bcryptForm.exec(text) ?? [];
  if (cost === undefined || Number(cost) < 4 || Number(cost) > most.bcryptCost) return null;
  // brought in with the first hash of this kind, which most servers have none of
  return { verify: async (password) => (await import('@node-rs/bcrypt')).verify(password, text) };
}

function parseArgon2(text: string): ImportedHash | null {
  const [, memory, time, lanes] = (argon2Form.exec(text) ?? []).map(Number);
  if (memory === undefined || time === undefined || lanes === undefined) return null;
  if (time < 1 || lanes < 1 || memory < 8 * lanes || memory > most.argon2Kib || memory * time > most.argon2Work)
    return null;
  return { verify: (password) => verifyArgon2(text, password) };
}

function parseScrypt(text: string): ImportedHash | null {
  const [, ln, r, p, salt = '', hash = ''] = scryptForm.exec(text) ?? [];
  const [exponent, blockSize, lanes] = [Number(ln), Number(r), Number(p)];
  if (!(exponent >= 1 && blockSize >= 1 && lanes >= 1)) return null;
  const bytes = 128 * 2 ** exponent * blockSize;
  if (bytes > most.scryptBytes || 2 ** exponent * blockSize * lanes > most.scryptWork) return null;
  const options = { N: 2 ** exponent, r: blockSize, p: lanes, maxmem: 2 * most.scryptBytes };
  const expected = Buffer.from(hash, 'base64');
  return comparing(expected, (password) =>
    deriveScrypt(password, Buffer.from(salt, 'base64'), expected.length, options),
  );
}

const digestBytes = { sha256: 32, sha512: 64 } as const;

function parsePbkdf2(text: string): ImportedHash | null {
  const [, digest, count, salt = '', hash = ''] = pbkdf2Form.exec(text) ?? [];
  const iterations = Number(count);
  if (!(iterations >= 1 && iterations <= most.pbkdf2Iterations)) return null;
  const bytesOf = (part: string): Buffer => Buffer.from(part.replaceAll('.', '+'), 'base64');
  const expected = bytesOf(hash);
  // every block beyond the first costs as much again
  if (expected.length > digestBytes[digest as keyof typeof digestBytes]) return null;
  return comparing(expected, (password) =>
    derivePbkdf2(password, bytesOf(salt), iterations, expected.length, digest ?? ''),
  );
}

function comparing(expected: Buffer, derive: Derive): ImportedHash | null {
  if (expected.length < 16) return null;
  return { verify: async (password) => timingSafeEqual(await derive(password), expected) };
}
