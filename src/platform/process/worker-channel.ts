import type { SupervisorMessage, WorkerMessage } from './worker-messages.js';

/** Asks the supervisor what to serve. Asked for, because a message sent before anybody listens is lost. */
export function receiveOrders<Orders>(): Promise<Orders> {
  return new Promise((resolve) => {
    process.on('message', (message: SupervisorMessage<Orders>) => {
      if (message.kind === 'serve') resolve(message.orders);
    });
    void tellSupervisor({ kind: 'awaiting-orders' });
  });
}

export function onLeave(leave: () => void): void {
  process.on('message', (message: SupervisorMessage<unknown>) => {
    if (message.kind === 'leave') leave();
  });
}

/** Resolves when it is on its way, or cannot be told any more. */
export function tellSupervisor(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || !process.send) return resolve();
    process.send(message, () => resolve());
  });
}
