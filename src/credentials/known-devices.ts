import { randomBytes } from 'node:crypto';
import { equalSecrets } from '../kernel/secret.js';
import { epochSeconds, secondsAfter, type Clock } from '../kernel/time.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';

/**
 * Browsers on which somebody has signed in before. A browser keeps one mark for each person, newest first: a random id,
 * when it ends, and a keyed hash of both with the user's id, which only this server can make. Nothing is stored.
 */
export interface KnownDevices {
  /** The id of the mark that this cookie holds for the user; null for none, an old one, or anything else. */
  findMark(cookie: string | undefined, userId: string): string | null;
  /** The cookie with a fresh mark for the user in front. */
  mark(cookie: string | undefined, userId: string): string;
  lifetimeSeconds: number;
}

/** People who share one browser; the one who was here longest ago is forgotten. */
const mostMarks = 5;
const markForm = /^([\w-]{22})\.(\d{1,12})\.([\w-]{43})$/;

export function knownDevices(deps: { hash: KeyedHash; lifetimeSeconds: number; now: Clock }): KnownDevices {
  const { hash, lifetimeSeconds, now } = deps;
  const marksIn = (cookie: string | undefined): string[] => (cookie ?? '').split('~', mostMarks);

  function idIfOf(mark: string, userId: string): string | null {
    const [, id = '', endsAt = '', signature = ''] = markForm.exec(mark) ?? [];
    if (Number(endsAt) <= epochSeconds(now())) return null;
    return equalSecrets(signature, hash(id, endsAt, userId)) ? id : null;
  }

  return {
    lifetimeSeconds,
    findMark(cookie, userId) {
      for (const mark of marksIn(cookie)) {
        const id = idIfOf(mark, userId);
        if (id !== null) return id;
      }
      return null;
    },
    mark(cookie, userId) {
      const id = randomBytes(16).toString('base64url');
      const endsAt = String(epochSeconds(secondsAfter(now(), lifetimeSeconds)));
      const others = marksIn(cookie).filter((mark) => markForm.test(mark) && idIfOf(mark, userId) === null);
      return [`${id}.${endsAt}.${hash(id, endsAt, userId)}`, ...others].slice(0, mostMarks).join('~');
    },
  };
}
