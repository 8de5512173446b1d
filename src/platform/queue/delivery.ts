import { setTimeout as delay } from 'node:timers/promises';
import type { IdPrefix } from '../../kernel/ids.js';
import { secondsAfter, type Clock } from '../../kernel/time.js';
import type { Sealing } from '../crypto/sealing.js';
import type { Logger } from '../log/logger.js';
import type { Database } from '../mongo/open-database.js';
import type { QueueStore, Taken } from './queue-store.js';

export interface QueueRules {
  /** Of one process at the same time. */
  atOnce: number;
  /** For so long nobody else takes up what a process has taken up. */
  leaseSeconds: number;
  /** What has not been taken by then is tried again later. Well below the lease. */
  sendSeconds: number;
  /** What is still under way so long after the end was called is left to another process. */
  stopSeconds: number;
  pollMs: number;
  firstRetrySeconds: number;
  longestRetrySeconds: number;
  giveUpSeconds: number;
  keepFailedSeconds: number;
}

export interface QueueDeps<Content> {
  /** What one is called in the log. */
  noun: string;
  collection: string;
  idPrefix: IdPrefix;
  database: Database;
  sealing: Sealing;
  now: Clock;
  log: Logger;
  rules: QueueRules;
  /** Aborted: the other side is hung up on, so that what is tried again was not taken meanwhile. */
  send(id: string, content: Content, signal: AbortSignal): Promise<void>;
  /** Of an error of `send`: what may be told of it, and whether another try would be of no use. */
  judge(error: Error): { reason: string; isFinal: boolean };
}

export interface Delivery {
  /** Takes up what is due, as fast as it can be sent. Gives what has been begun: each whether it was delivered. */
  takeUpDue(): Promise<Promise<boolean>[]>;
  /** Takes up nothing more. Ends once the round and what is under way are done, or their time is over. */
  end(round: Promise<void> | undefined): Promise<void>;
}

export function createDelivery<Content>(deps: QueueDeps<Content>, store: QueueStore<Content>): Delivery {
  const { atOnce, leaseSeconds, stopSeconds } = deps.rules;
  const sending = new Set<Promise<boolean>>();
  let isOver = false;
  return {
    async takeUpDue() {
      const begun: Promise<boolean>[] = [];
      for (;;) {
        while (sending.size >= atOnce) await Promise.race(sending);
        const taken = isOver ? null : await store.take(leaseSeconds);
        if (!taken) return begun;
        const one: Promise<boolean> = deliver(deps, store, taken).finally(() => sending.delete(one));
        sending.add(one);
        begun.push(one);
      }
    },
    async end(round) {
      isOver = true;
      const ended = within(stopSeconds, async () => {
        await round;
        await Promise.all(sending);
      });
      await ended.catch(() => undefined); // what is not done by then is left to another process
    },
  };
}

class TookTooLong extends Error {
  override name = 'TookTooLong';
}

/** Rejects once the time is over. The work is told by the signal, and not waited for. */
async function within<T>(seconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const done = new AbortController();
  const late = delay(seconds * 1000, undefined, { signal: done.signal }).then(() => {
    over.abort();
    throw new TookTooLong();
  });
  try {
    return await Promise.race([work(over.signal), late]);
  } finally {
    done.abort();
    late.catch(() => undefined);
  }
}

/** Whether it was delivered. Never rejects: what cannot be noted is taken up again when the lease is over. */
async function deliver<Content>(
  deps: QueueDeps<Content>,
  store: QueueStore<Content>,
  taken: Taken<Content>,
): Promise<boolean> {
  try {
    await send(deps, taken);
  } catch (error) {
    await putOff(deps, store, { taken, error: error as Error }).catch(notNoted(deps, taken));
    return false;
  }
  await store.remove(taken).catch(notNoted(deps, taken));
  return true;
}

async function send<Content>(deps: QueueDeps<Content>, taken: Taken<Content>): Promise<void> {
  const content = await taken.open();
  await within(deps.rules.sendSeconds, (signal) => deps.send(taken.id, content, signal));
}

function notNoted<Content>({ log, noun }: QueueDeps<Content>, { id }: Taken<Content>): (error: unknown) => void {
  return (error) => log.error({ err: error as Error, [noun]: id }, `what became of a ${noun} was not noted`);
}

async function putOff<Content>(
  deps: QueueDeps<Content>,
  store: QueueStore<Content>,
  { taken, error }: { taken: Taken<Content>; error: Error },
): Promise<void> {
  const { rules, log, now, noun } = deps;
  const { reason, isFinal } = deps.judge(error);
  const about = { [noun]: taken.id, reason, attempt: taken.attempt };
  if (isFinal || secondsAfter(taken.queuedAt, rules.giveUpSeconds) <= now()) {
    log.error(about, `a ${noun} could not be delivered and is given up`);
    return store.fail(taken, reason, rules.keepFailedSeconds);
  }
  const longest = Math.min(rules.longestRetrySeconds, rules.firstRetrySeconds * 2 ** (taken.attempt - 1));
  const seconds = longest * (0.5 + Math.random() / 2);
  log.warn(about, `a ${noun} could not be delivered and is tried again`);
  return store.postpone(taken, secondsAfter(now(), seconds));
}
