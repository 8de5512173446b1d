import { pino, type DestinationStream, type Logger } from 'pino';
import { redactedKeys, redactText } from './redact.js';

export type { Logger } from 'pino';

/** How long a line may wait to be written together with others. Fatal ones, and what is left at exit, do not wait. */
const waitMs = 100;
const batchBytes = 4096;

/** JSON lines on standard output; redacted by member name and, the whole line, by the shape of tokens and addresses. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const paths = redactedKeys.flatMap((key) => {
    const member = key.includes('-') ? `["${key}"]` : `.${key}`;
    return [member.replace(/^\./, ''), `*${member}`, `*.*${member}`];
  });
  const options = {
    level,
    base: null,
    redact: { paths, censor: '[redacted]' },
    hooks: { streamWrite: redactText },
  };
  const batched = { dest: 1, sync: false, minLength: batchBytes, periodicFlush: waitMs };
  return pino(options, destination ?? pino.destination(batched));
}
