/** What the child tells its parent. */
export type ProcessMessage =
  | { kind: 'ready'; port: number }
  /** Another process serves the directory on this port. */
  | { kind: 'occupied'; port: number }
  | { kind: 'failed'; reason: string };
