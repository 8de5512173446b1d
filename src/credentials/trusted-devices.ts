import type { Clock } from '../kernel/time.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { User } from '../users/index.js';
import { knownDevices, type KnownDevices, type Owner } from './known-devices.js';

type Person = Pick<User, 'id' | 'credentialsChangedAt' | 'factorsChangedAt' | 'browsersTrustedSince'>;

/**
 * Browsers in which a second factor was given and that are not asked for it again for a while. The same marks as of known
 * devices, under a hash of their own in which the time of the factors stands beside that of the password, and since when
 * browsers are trusted: a change of any of them makes strangers of all. Nothing is stored, so there is no list of them.
 */
export interface TrustedDevices {
  isTrusted(cookie: string | undefined, user: Person): boolean;
  /** The cookie with a mark for this person in front. */
  mark(cookie: string | undefined, user: Person): string;
  lifetimeSeconds: number;
}

export function trustedDevices(deps: { hash: KeyedHash; lifetimeSeconds: number; now: Clock }): TrustedDevices {
  const devices: KnownDevices = knownDevices(deps);
  const ownerOf = ({ id, credentialsChangedAt, factorsChangedAt, browsersTrustedSince }: Person): Owner => ({
    id: [id, factorsChangedAt?.toISOString() ?? '', browsersTrustedSince?.toISOString() ?? ''].join(' ').trimEnd(),
    credentialsChangedAt,
  });
  return {
    lifetimeSeconds: deps.lifetimeSeconds,
    isTrusted: (cookie, user) => devices.findMark(cookie, ownerOf(user)) !== null,
    mark: (cookie, user) => devices.mark(cookie, ownerOf(user)),
  };
}
