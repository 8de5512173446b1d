import { hash, verify } from '@node-rs/argon2';
import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { AppError } from '../kernel/errors.js';

export interface HashParameters {
  memoryKib: number;
  iterations: number;
  parallelism: number;
}

/** How many may wait for their turn, and how long. */
export interface HashQueue {
  waitingHashes: number;
  longestWaitMs: number;
}

export interface PasswordHashing {
  /** argon2id in PHC string form. */
  hash(password: string): Promise<string>;
  verify(stored: string, password: string): Promise<boolean>;
  /**
   * Does work of which hashing is a part: only as many at a time as could be hashing or wait for it, so that all that
   * surrounds the hash is bounded with it. More are refused before they have cost anything.
   */
  inLine<T>(work: () => Promise<T>): Promise<T>;
  /** Whether a stored hash was made with other parameters than today's. */
  isOutdated(stored: string): boolean;
}

/** Threads of libuv's pool unless set otherwise. Signing and sealing run there too, so hashing leaves them one. */
const poolThreads = 4;

/**
 * argon2id, as many at a time as there are cores (more would only fight for memory bandwidth) and a bounded number
 * waiting; past that, and for who has waited too long on a slow machine, the answer is 503 with Retry-After.
 * Passwords are compared in NFKC, so that every keyboard gives the same bytes.
 */
export function createPasswordHashing(parameters: HashParameters, queue: HashQueue): PasswordHashing {
  const atATime = Math.min(availableParallelism(), poolThreads - 1);
  const limit = pLimit(atATime);
  let inLine = 0;
  const options = {
    // the package's default algorithm is argon2id; its enum cannot be imported under verbatimModuleSyntax
    memoryCost: parameters.memoryKib,
    timeCost: parameters.iterations,
    parallelism: parameters.parallelism,
  };
  const expected = `$argon2id$v=19$m=${parameters.memoryKib},t=${parameters.iterations},p=${parameters.parallelism}$`;

  async function queued<T>(work: () => Promise<T>): Promise<T> {
    if (limit.pendingCount >= queue.waitingHashes) throw tooManyWaiting();
    const queuedAt = performance.now();
    return limit(async () => {
      if (performance.now() - queuedAt > queue.longestWaitMs) throw tooManyWaiting();
      return work();
    });
  }

  return {
    async inLine(work) {
      if (inLine >= queue.waitingHashes + atATime) throw tooManyWaiting();
      inLine++;
      try {
        return await work();
      } finally {
        inLine--;
      }
    },
    hash: (password) => queued(() => hash(password.normalize('NFKC'), options)),
    verify: (stored, password) => queued(() => verify(stored, password.normalize('NFKC'))),
    isOutdated: (stored) => !stored.startsWith(expected),
  };
}

function tooManyWaiting(): AppError {
  return new AppError('credentials.busy', {
    status: 503,
    detail: 'Too many people are signing in at this moment. Please try again in a few seconds.',
    retryAfterSeconds: 5,
  });
}
