import { pino } from 'pino';
import type { Logger } from './logger.js';
import { redactPath } from './redact.js';

export interface RequestLine {
  requestId: string;
  method: string;
  /** Without the query, which may hold codes. */
  path: string;
  status: number;
  durationMs: number;
}

export type LogRequest = (line: RequestLine) => void;

/**
 * The line of a request, in the form of all other lines. It is written for every request and only its path comes from
 * outside, so it is put together here: the redaction of a whole line costs more than the rest of a small request.
 */
export function requestLog(log: Logger): LogRequest {
  if (!log.isLevelEnabled('info')) return () => undefined;
  const { [pino.symbols.streamSym]: stream } = log as unknown as Record<symbol, { write(line: string): void }>;
  const level = log.levels.values['info'];
  const bindings = JSON.stringify(log.bindings()).slice(1, -1); // of a worker: which one it is
  const own = bindings === '' ? '' : `,${bindings}`;
  return ({ requestId, method, path, status, durationMs }) => {
    const shown = JSON.stringify(redactPath(path));
    stream?.write(
      `{"level":${level},"time":${Date.now()}${own},"requestId":"${requestId}","method":"${method}","path":${shown},` +
        `"status":${status},"durationMs":${durationMs},"msg":"request"}\n`,
    );
  };
}
