import { AppError } from '../kernel/errors.js';
import { equalSecrets } from '../kernel/secret.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';

export interface Cursors {
  /** `scope` says of which list it is: it leads on nowhere else. */
  write(scope: readonly string[], after: string): string;
  /** Throws 400 for one that is not ours, or of another list. */
  read(scope: readonly string[], cursor: string): string;
}

/** Where a page ended, with a keyed hash: nobody else can say where to go on. */
export function createCursors(hash: KeyedHash): Cursors {
  const sign = (scope: readonly string[], after: string): string => hash(JSON.stringify(scope), after);
  return {
    write: (scope, after) => `${Buffer.from(after).toString('base64url')}.${sign(scope, after)}`,
    read(scope, cursor) {
      const [encoded = '', signature = '', ...others] = cursor.split('.');
      const after = Buffer.from(encoded, 'base64url').toString();
      const isSpeltAsOurs = Buffer.from(after).toString('base64url') === encoded;
      if (others.length === 0 && isSpeltAsOurs && equalSecrets(signature, sign(scope, after))) return after;
      throw new AppError('request.bad_cursor', {
        status: 400,
        detail: 'The cursor is none of this list. Start again without it.',
        fields: [{ pointer: '/cursor', code: 'invalid', detail: 'is not a cursor of this list' }],
      });
    },
  };
}
