/** What a worker tells its supervisor. That it listens is told by node:cluster itself. */
export type WorkerMessage =
  /** It has loaded its code and wants its orders. */
  | { kind: 'awaiting-orders' }
  /** It cannot serve, for a reason that the operator has to mend. */
  | { kind: 'failed'; reason: string };

/** What a supervisor tells its worker. That all of them end is told by SIGTERM. */
export type SupervisorMessage<Orders> =
  | { kind: 'serve'; orders: Orders }
  /** Another one is about to take its place: finish what runs, and do not say "not ready" meanwhile. */
  | { kind: 'leave' };
