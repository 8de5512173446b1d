import type { Logger } from '../log/logger.js';

/**
 * What happens to errors that nobody caught. Both are logged as any line is, redacted; Node would print them raw.
 *
 * - A promise that nobody waited for has unwound its own work and nothing else, so the process goes on.
 * - After an exception that went through the event loop nobody knows what was left half done. Nothing more is answered
 *   from that state: the process ends at once with 1, and whoever supervises it starts another one.
 */
export function watchForUncaughtErrors(log: Logger): void {
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise failed and nobody waited for it'));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an exception was not caught; the process ends');
    process.exit(1);
  });
}
