import { pino, type DestinationStream, type Logger } from 'pino';
import { redactedKeys, redactText } from './redact.js';

export type { Logger } from 'pino';

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
  return destination ? pino(options, destination) : pino(options);
}
