import { randomBytes } from 'node:crypto';

/** Prefixes are part of the API: an id says what it names. */
export type IdPrefix =
  'ten' | 'usr' | 'mem' | 'rol' | 'sva' | 'key' | 'evt' | 'inv' | 'mai' | 'fac' | 'lgo' | 'con' | 'ide' | 'dom';

/** A new opaque id: the prefix and 128 random bits as hex. Ids are never reused. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomBytes(16).toString('hex')}`;
}
