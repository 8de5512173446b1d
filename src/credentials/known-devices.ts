import { randomBytes } from 'node:crypto';
import { equalSecrets } from '../kernel/secret.js';
import { epochSeconds, secondsAfter, type Clock } from '../kernel/time.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';

export interface Owner {
  id: string;
  credentialsChangedAt?: Date | undefined;
}

/**
 * Browsers on which somebody has signed in before. A browser keeps one mark for each person, newest first: a random id,
 * when it ends, and a keyed hash of both with the user's id and the time of their password, which only this server can
 * make. Nothing is stored; a new password makes strangers of all of them.
 */
export interface KnownDevices {
  /** The id of the mark that this cookie holds for the user; null for none, an old one, or anything else. */
  findMark(cookie: string | undefined, user: Owner): string | null;
  /** The cookie with a fresh mark for the user in front. */
  mark(cookie: string | undefined, user: Owner): string;
  lifetimeSeconds: number;
}

/** People who share one browser; the one who was here longest ago is forgotten. */
const mostMarks = 5;
const markForm = /^([\w-]{22})\.(\d{1,12})\.([\w-]{43})$/;

export function knownDevices(deps: { hash: KeyedHash; lifetimeSeconds: number; now: Clock }): KnownDevices {
  const { hash, lifetimeSeconds, now } = deps;
  const marksIn = (cookie: string | undefined): string[] => (cookie ?? '').split('~', mostMarks);

  const signatureOf = (id: string, endsAt: string, user: Owner): string =>
    hash(id, endsAt, user.id, ...(user.credentialsChangedAt ? [user.credentialsChangedAt.toISOString()] : []));

  function idIfOf(mark: string, user: Owner): string | null {
    const [, id = '', endsAt = '', signature = ''] = markForm.exec(mark) ?? [];
    if (Number(endsAt) <= epochSeconds(now())) return null;
    return equalSecrets(signature, signatureOf(id, endsAt, user)) ? id : null;
  }

  return {
    lifetimeSeconds,
    findMark(cookie, user) {
      for (const mark of marksIn(cookie)) {
        const id = idIfOf(mark, user);
        if (id !== null) return id;
      }
      return null;
    },
    mark(cookie, user) {
      const id = randomBytes(16).toString('base64url');
      const endsAt = String(epochSeconds(secondsAfter(now(), lifetimeSeconds)));
      const others = marksIn(cookie).filter((mark) => markForm.test(mark) && idIfOf(mark, user) === null);
      return [`${id}.${endsAt}.${signatureOf(id, endsAt, user)}`, ...others].slice(0, mostMarks).join('~');
    },
  };
}
