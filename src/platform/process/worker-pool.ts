import cluster, { type Worker } from 'node:cluster';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../log/logger.js';
import { createReserve, type Recruit, type Reserve } from './reserve.js';
import type { SupervisorMessage, WorkerMessage } from './worker-messages.js';

export interface WorkerPoolOptions<Orders> {
  size: number;
  /** Handed over the channel between the processes: neither arguments nor environment show them. */
  orders: Orders;
  log: Logger;
  /** How long a worker may take to finish what runs; then it is killed. */
  leaveMs: number;
}

export interface WorkerPool {
  /** Replaces the workers one by one; the others serve meanwhile. */
  replaceAll(): Promise<void>;
  /** Ends all of them. True when each ended by itself and without an error. */
  stop(): Promise<boolean>;
}

/** A worker ended before the pool was up. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
}

/** Emits `listening` for each worker that begins to serve in it. */
type Place = EventEmitter & { worker?: Worker; isServing?: boolean };

interface WorkerEnd {
  code: number | null;
  signal: string | null;
  listened: boolean;
  reason: string | undefined;
}

/** A worker that lived this long did not end because it cannot serve. */
const steadyMs = 10_000;
const longestDelayMs = 5000;

/** None after a first end, so that a killed worker is back at once; then growing while it keeps ending. */
export function restartDelayMs(quickEnds: number): number {
  return quickEnds <= 1 ? 0 : Math.min(250 * 2 ** (quickEnds - 2), longestDelayMs);
}

/**
 * Starts the workers and keeps that many serving: one that ends is replaced. Resolves when all of them listen; rejects,
 * with none left running, when one of them ends before. After that it never gives up, since a cause may pass.
 */
export async function startWorkers<Orders>(options: WorkerPoolOptions<Orders>): Promise<WorkerPool> {
  cluster.schedulingPolicy = cluster.SCHED_RR; // evenly, also where connections live long
  cluster.setupPrimary({ serialization: 'advanced' }); // orders hold buffers
  const stopping = new AbortController();
  const reserve = createReserve(options.log);
  const places: Place[] = Array.from({ length: options.size }, () => new EventEmitter());
  const allListen = Promise.all(places.map((place) => once(place, 'listening')));
  let isUp = false;
  const ends = places.map((place) =>
    occupy(place, { ...options, reserve, isUp: () => isUp, stopping: stopping.signal }),
  );

  const pool: WorkerPool = {
    async stop() {
      stopping.abort();
      reserve.dismiss();
      for (const { worker } of places) if (worker) endWorker(worker, () => worker.process.kill('SIGTERM'), options);
      const results = await Promise.allSettled(ends);
      return results.every((end) => end.status === 'fulfilled' && end.value);
    },
    async replaceAll() {
      reserve.dismiss(); // it may have loaded older code
      for (const place of places) {
        if (!place.isServing) await once(place, 'listening'); // the others may be needed until then
        const { worker } = place;
        if (!worker) continue;
        const isBack = once(place, 'listening');
        endWorker(worker, () => worker.send({ kind: 'leave' } satisfies SupervisorMessage<Orders>), options);
        await isBack;
      }
    },
  };
  try {
    await Promise.race([allListen, Promise.all(ends)]);
    isUp = true;
    reserve.refill();
    return pool;
  } catch (error) {
    await pool.stop();
    throw error;
  }
}

interface OccupyOptions<Orders> extends WorkerPoolOptions<Orders> {
  reserve: Reserve;
  isUp(): boolean;
  stopping: AbortSignal;
}

/** Keeps one worker in the place until the pool stops; true when the last one ended well. */
async function occupy<Orders>(place: Place, options: OccupyOptions<Orders>): Promise<boolean> {
  const { log, reserve, stopping } = options;
  for (let quickEnds = 0; ;) {
    const startedAt = performance.now();
    const recruit = reserve.take();
    const { worker } = recruit;
    log.info({ worker: worker.id, pid: worker.process.pid }, 'worker started');
    place.worker = worker;
    worker.once('listening', () => {
      place.isServing = true;
      place.emit('listening');
      if (options.isUp() && !stopping.aborted) reserve.refill();
    });
    const { code, signal, listened, reason } = await serve(recruit, options.orders);
    place.isServing = false;
    if (stopping.aborted) return code === 0 || !listened;
    if (!options.isUp()) throw new WorkerStartError(reason ?? `A worker ended with ${signal ?? `code ${code}`}.`);
    quickEnds = performance.now() - startedAt < steadyMs ? quickEnds + 1 : 0;
    const delayMs = restartDelayMs(quickEnds);
    if (code === 0) log.info({ worker: worker.id }, 'worker has left');
    else log.error({ worker: worker.id, code, signal, reason, delayMs }, 'worker ended; another one takes its place');
    await delay(delayMs, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return true;
  }
}

/** Gives the worker its orders, and waits for its end. */
async function serve<Orders>({ worker, awaitsOrders }: Recruit, orders: Orders): Promise<WorkerEnd> {
  let reason: string | undefined;
  let listened = false;
  worker.once('listening', () => (listened = true));
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'failed') reason = message.reason;
  });
  worker.on('error', () => undefined); // it could not be told something since it has ended, which is seen below
  void awaitsOrders.then(() => worker.send({ kind: 'serve', orders } satisfies SupervisorMessage<Orders>));
  const [code, signal] = (await once(worker.process, 'exit')) as [number | null, string | null];
  return { code, signal, listened, reason };
}

/** Asks it to end, and kills it when it has not after its time. */
function endWorker(worker: Worker, ask: () => unknown, { leaveMs }: { leaveMs: number }): void {
  if (worker.isDead()) return;
  const impatience = setTimeout(() => worker.process.kill('SIGKILL'), leaveMs);
  worker.process.once('exit', () => clearTimeout(impatience));
  ask();
}
