import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../log/logger.js';
import { presentProblem, toAppError } from './problem.js';

type Handle = (req: IncomingMessage, res: ServerResponse) => unknown;

/**
 * Answers what is thrown past the two applications, which answer their own errors: a bug in one request costs that
 * request a 500 and not the process.
 */
export function withLastResort(log: Logger, handle: Handle): Handle {
  return async (req, res) => {
    try {
      await handle(req, res);
    } catch (thrown) {
      const requestId = String(res.getHeader('X-Request-Id') ?? randomUUID());
      log.error({ requestId, err: thrown }, 'request failed past everything that answers errors');
      if (res.headersSent) return void res.destroy(); // a cut answer is at least not taken for a whole one
      const error = toAppError(thrown);
      const headers = { 'X-Request-Id': requestId, 'Content-Type': 'application/problem+json' };
      res.writeHead(error.status, headers).end(JSON.stringify(presentProblem(error, requestId)));
    }
  };
}
