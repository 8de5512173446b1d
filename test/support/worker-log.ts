import type { ServerProcess } from './server-process.js';

/** What a test reads of a log line. */
export interface Line {
  msg: string;
  level: number;
  /** Milliseconds since 1970. */
  time: number;
  worker?: number;
  requestId?: string;
  pid?: number;
  path?: string;
  status?: number;
  code?: number | null;
  signal?: string | null;
  delayMs?: number;
  err?: { message: string };
}

export function linesOf(server: ServerProcess): Line[] {
  return parse(textLines(server));
}

/** Without the lines of requests, of which there are many under load. */
function livesOf(server: ServerProcess): Line[] {
  return parse(textLines(server).filter((line) => !line.endsWith('"msg":"request"}')));
}

function textLines(server: ServerProcess): string[] {
  return server.output().split('\n');
}

function parse(lines: readonly string[]): Line[] {
  const whole = lines.filter((line) => line.startsWith('{') && line.endsWith('}'));
  return whole.map((line) => JSON.parse(line) as Line);
}

export function endOf(server: ServerProcess, worker: Line | undefined): Line | undefined {
  const isEnd = ({ msg }: Line): boolean => msg.startsWith('worker ended') || msg === 'worker has left';
  return livesOf(server).find((line) => isEnd(line) && line.worker === worker?.worker);
}

/** The lines of those workers that listen now. */
export function servingWorkers(server: ServerProcess): Line[] {
  const lines = livesOf(server);
  const listens = (id?: number): boolean => lines.some(({ msg, worker }) => msg === 'listening' && worker === id);
  const started = lines.filter(({ msg }) => msg === 'worker started');
  return started.filter((line) => listens(line.worker) && !endOf(server, line));
}

/** The one that has loaded its code and waits for a place. */
export function standbyOf(server: ServerProcess): Line | undefined {
  const lines = livesOf(server);
  const isTaken = (id?: number): boolean => lines.some(({ msg, worker }) => msg === 'worker started' && worker === id);
  return lines.find(({ msg, worker }) => msg === 'worker stands by' && !isTaken(worker));
}

/** How many times a worker has begun to serve, and when the last one did (milliseconds since 1970). */
export function listeningOf(server: ServerProcess): { count: number; lastAtMs: number } {
  const listening = livesOf(server).filter(({ msg }) => msg === 'listening');
  return { count: listening.length, lastAtMs: listening.at(-1)?.time ?? 0 };
}

/** Who answered these requests, as far as the log has it. */
export function workersOf(server: ServerProcess, requestIds: readonly string[]): (number | undefined)[] {
  const lines = linesOf(server).filter(
    ({ msg, requestId }) => msg === 'request' && requestIds.includes(requestId ?? ''),
  );
  return lines.map(({ worker }) => worker);
}
