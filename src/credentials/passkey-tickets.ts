import { equalSecrets, randomSecret } from '../kernel/secret.js';
import { epochSeconds, secondsAfter, type Clock } from '../kernel/time.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { OneTimeRecords } from '../platform/mongo/one-time-records.js';

/**
 * Challenges of passkeys: 256 random bits, good for one use within five minutes by whom and for what they were made.
 * Nothing is stored when one is shown, since every sign-in page shows one: a ticket beside it says until when, under a
 * keyed hash of all of it. What is stored is that a challenge was used.
 */
export interface PasskeyTickets {
  create(binding: string): { challenge: string; ticket: string };
  /** Whether this ticket was given with this challenge for this binding, and still counts. */
  isGood(shown: { challenge: string; ticket: string; binding: string }): boolean;
  /** False: it was used before. */
  use(challenge: string): Promise<boolean>;
}

const ticketForm = /^(\d{1,12})\.([\w-]{43})$/;

export function passkeyTickets(deps: {
  hash: KeyedHash;
  used: Pick<OneTimeRecords, 'claim'>;
  now: Clock;
  challengeSeconds: number;
}): PasskeyTickets {
  const { hash, used, now, challengeSeconds } = deps;
  return {
    create(binding) {
      const challenge = randomSecret();
      const endsAt = String(epochSeconds(secondsAfter(now(), challengeSeconds)));
      return { challenge, ticket: `${endsAt}.${hash(challenge, endsAt, binding)}` };
    },
    isGood({ challenge, ticket, binding }) {
      const [, endsAt = '', signature = ''] = ticketForm.exec(ticket) ?? [];
      if (Number(endsAt) <= epochSeconds(now())) return false;
      return equalSecrets(signature, hash(challenge, endsAt, binding));
    },
    // kept as long as the ticket could still be shown
    use: (challenge) => used.claim(challenge, challengeSeconds + 60),
  };
}
