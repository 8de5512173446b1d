import type { ChildProcess } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import type { Logger } from '../log/logger.js';
import type { WorkerMessage } from './worker-messages.js';

export interface Recruit {
  worker: Worker;
  /** It has loaded its code. Never settles when it ends before. */
  awaitsOrders: Promise<void>;
}

/** One worker more than is needed, with its code loaded, so that a lost one is replaced without waiting for that. */
export interface Reserve {
  /** The one that stands by, or a new one where there is none. */
  take(): Recruit;
  refill(): void;
  /** Ends the one that stands by. */
  dismiss(): void;
}

export function createReserve(log: Logger): Reserve {
  let spare: Recruit | undefined;
  return {
    take() {
      const recruit = spare ?? enlist();
      spare = undefined;
      return recruit;
    },
    refill() {
      if (spare) return;
      const recruit = (spare = enlist());
      const { worker } = recruit;
      void recruit.awaitsOrders.then(() =>
        log.info({ worker: worker.id, pid: worker.process.pid }, 'worker stands by'),
      );
      worker.once('exit', () => {
        if (spare === recruit) spare = undefined;
      });
    },
    dismiss() {
      spare?.worker.process.kill('SIGTERM');
      spare = undefined;
    },
  };
}

function enlist(): Recruit {
  const worker = cluster.fork();
  closeLostConnection(worker.process);
  const awaitsOrders = new Promise<void>((resolve) => {
    worker.on('message', ({ kind }: WorkerMessage) => {
      if (kind === 'awaiting-orders') resolve();
    });
  });
  return { worker, awaitsOrders };
}

/**
 * node:cluster hands a connection over and waits for the word that it was taken; of a worker that is killed before it
 * says so the connection would stay open, and be answered by nobody. There is one on its way at a time, so the last one
 * is remembered and closed with its worker. Where it was taken it is closed here already, and nothing happens.
 */
function closeLostConnection(worker: ChildProcess): void {
  let onItsWay: { close(): void } | undefined;
  const send = worker.send.bind(worker) as (...message: unknown[]) => boolean;
  worker.send = (message: { act?: string }, handle?: unknown, ...rest: unknown[]) => {
    if (message.act === 'newconn') onItsWay = handle as { close(): void };
    return send(message, handle, ...rest);
  };
  worker.once('exit', (code) => {
    if (code !== 0) onItsWay?.close(); // one that has left by itself may have refused it, and another one has it now
  });
}
