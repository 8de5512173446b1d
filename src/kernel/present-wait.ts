import type { Message, MessageKey } from './message.js';

/** Null where waiting does not help. */
interface Wait {
  until: Date | null;
}

/** What a page says, and what stands in `Retry-After`. */
export interface WaitShown {
  message: Message;
  retryAfterSeconds: number;
}

/** An hour for who must not wait but do something else: a client that reads only the header comes back seldom. */
const stoppedRetrySeconds = 3600;

function shown({ until }: Wait, now: Date, [timed, stopped]: readonly [MessageKey, MessageKey]): WaitShown {
  if (!until) return { message: { key: stopped }, retryAfterSeconds: stoppedRetrySeconds };
  const retryAfterSeconds = Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1000));
  return { message: { key: timed, values: { minutes: Math.ceil(retryAfterSeconds / 60) } }, retryAfterSeconds };
}

/** To who tried too often, the same whether there is such an account or not. */
export function presentWait(wait: Wait, now: Date): WaitShown {
  return shown(wait, now, ['waits.account', 'waits.account_stopped']);
}

/** To who typed too many wrong codes. */
export function presentFactorWait(wait: Wait, now: Date): WaitShown {
  return shown(wait, now, ['waits.codes', 'waits.codes_stopped']);
}
