import { hash, verify } from '@node-rs/argon2';
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import { AppError } from '../kernel/errors.js';
import { parseImportedHash } from './imported-hashes.js';

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
  /** Against one of ours, or one that another system made (`parseImportedHash`). */
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
const refusalsOfTurn = 16;

/**
 * argon2id, as many at a time as there are cores (more would only fight for memory bandwidth) and a bounded number
 * waiting; past that, and for who has waited too long on a slow machine, the answer is 503 with Retry-After.
 * Passwords are compared in NFKC, so that every keyboard gives the same bytes.
 */
export function createPasswordHashing(parameters: HashParameters, queue: HashQueue): PasswordHashing {
  const atATime = Math.min(availableParallelism(), poolThreads - 1);
  const limit = pLimit(atATime);
  const oneByOne = pLimit(1); // those of others may take much more memory
  let inLine = 0;
  let refused = 0;
  let refusals: Promise<void> = Promise.resolve();
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

  /** Of former parameters, or of another system, which hashed what was typed before NFKC made something else of it. */
  async function verifyImported(stored: string, password: string): Promise<boolean> {
    const imported = parseImportedHash(stored);
    if (!imported) throw new Error('a stored password hash cannot be read');
    for (const spelling of new Set([password.normalize('NFKC'), password]))
      if (await imported.verify(spelling)) return true;
    return false;
  }

  /** A thousand at once are told so a few at a time: everybody else gets a turn in between. */
  async function refuse(): Promise<never> {
    refusals = refusals.then(() => (++refused % refusalsOfTurn === 0 ? setImmediate() : undefined));
    await refusals;
    throw tooManyWaiting();
  }

  return {
    async inLine(work) {
      if (inLine >= queue.waitingHashes + atATime) return refuse();
      inLine++;
      try {
        return await work();
      } finally {
        inLine--;
      }
    },
    hash: (password) => queued(() => hash(password.normalize('NFKC'), options)),
    verify: (stored, password) =>
      queued(() =>
        stored.startsWith(expected)
          ? verify(stored, password.normalize('NFKC'))
          : oneByOne(() => verifyImported(stored, password)),
      ),
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
