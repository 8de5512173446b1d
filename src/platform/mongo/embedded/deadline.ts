import { setTimeout as delay } from 'node:timers/promises';
import type { Document } from './document.js';
import { badValue, CommandError } from './errors.js';

/** As in mongod. It is also the longest time that a timer can wait. */
const MAX_MILLISECONDS = 2 ** 31 - 1;

/** Until when a command may take: milliseconds since the epoch, Infinity if it names no `maxTimeMS` or 0. */
export function deadlineOf({ maxTimeMS = 0 }: Document): number {
  if (Number.isInteger(maxTimeMS) && (maxTimeMS as number) >= 0 && (maxTimeMS as number) <= MAX_MILLISECONDS) {
    return maxTimeMS === 0 ? Infinity : Date.now() + (maxTimeMS as number);
  }
  throw badValue(`'maxTimeMS' must be a whole number from 0 to ${MAX_MILLISECONDS}`);
}

export function assertInTime(deadlineAt: number): void {
  if (Date.now() >= deadlineAt) throw new CommandError('MaxTimeMSExpired', 'operation exceeded time limit');
}

/** Throws if the deadline comes before the event. */
export async function waitFor(event: Promise<void>, deadlineAt: number): Promise<void> {
  if (deadlineAt === Infinity) return event;
  await Promise.race([event, delay(Math.max(0, deadlineAt - Date.now()) + 1)]);
  assertInTime(deadlineAt);
}
