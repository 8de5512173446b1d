import type { Socket } from 'node:net';

/**
 * Ends a connection with RST, at once. `resetAndDestroy` shuts it down first, and libuv refuses to reset what is just
 * being shut down: Node then keeps the handle, and a process that has finished all its work never exits.
 */
export function resetSocket(socket: Socket): void {
  const isBeingShutDown = socket.writableEnded && !socket.writableFinished;
  if (!isBeingShutDown) (socket as Socket & { resetAndClosing: boolean }).resetAndClosing = true;
  socket.destroy();
}
