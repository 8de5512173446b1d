import type { EventDraft, RecordEvent } from '../events/index.js';
import { temporarilyUnavailable } from '../kernel/errors.js';
import type { Language } from '../kernel/languages.js';
import type { Clock } from '../kernel/time.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { InTransaction, Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import type { Proof } from './assurance.js';
import type { BeginAttempt } from './begin-attempt.js';
import type { EmailCodeStore } from './email-code-store.js';
import type { CodeMethod, FactorNotice } from './factor.js';
import type { FactorRecord, FactorStore } from './factor-store.js';
import { parseRecoveryCode, type RecoveryCodeStore } from './recovery-code-store.js';
import type { Wait } from './sign-in-attempts.js';
import { stepsOfCode } from './totp.js';

export interface ProveCodeDeps {
  store: FactorStore;
  recoveryCodes: RecoveryCodeStore;
  emailCodes: EmailCodeStore;
  /** Counts by person and method, whatever the flow, browser or address. */
  openAttempt: BeginAttempt;
  openSending: BeginAttempt;
  sealing: Sealing;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
  sendCode(tx: Tx, user: User, sent: { code: string; language: Language | undefined }): Promise<void>;
  notify(tx: Tx, user: User, notice: FactorNotice): Promise<void>;
}

export interface TypedCode {
  method: CodeMethod;
  code: string;
  /** The sign-in for which a code was sent by e-mail. */
  binding: string;
  clientId: string;
  /** Of the page. */
  language?: Language;
}

export type CodeResult =
  | { outcome: 'proven'; proof: Proof }
  | { outcome: 'refused' }
  /** Too many wrong ones: the code was not looked at. */
  | { outcome: 'blocked'; wait: Wait };

/** One for all: it is the person and the method that are counted, and nothing that whoever guesses could change. */
const everywhere = { key: 'everywhere', isKnownDevice: true } as const;

export function subjectOf(userId: string, method: CodeMethod | 'email_sent'): string {
  return `${userId} ${method}`;
}

export const secretContext = ({ _id }: Pick<FactorRecord, '_id'>): string => `factor:${_id}`;

/** Whether this code is good, once; counted before it is looked at. */
export async function proveCode(deps: ProveCodeDeps, user: User, typed: TypedCode): Promise<CodeResult> {
  const code = parseCode(typed);
  if (code === null) return { outcome: 'refused' }; // it can be none, so nothing is guessed by it
  const attempt = await deps.openAttempt(subjectOf(user.id, typed.method), everywhere, user.id);
  if (!attempt.admitted) return { outcome: 'blocked', wait: attempt.wait };
  let isGood: boolean;
  try {
    isGood = await takeCode(deps, user, { ...typed, code });
  } catch (error) {
    await attempt.notMade().catch(() => undefined); // the first error is the one to tell of
    throw error;
  }
  if (isGood) await attempt.succeeded();
  const { method, clientId } = typed;
  const about = { tenantId: null, actor: { kind: 'user', userId: user.id }, subjectId: user.id } as const;
  const data = { clientId, method };
  const events: EventDraft[] = [{ ...about, type: isGood ? 'user.factor_accepted' : 'user.factor_failed', data }];
  if (!isGood && attempt.wait) {
    const { reason, until } = attempt.wait;
    const wait = { reason, ...(until ? { until: until.toISOString() } : {}) };
    events.push({ ...about, type: 'user.factor_blocked', data: { ...data, ...wait } });
  }
  await deps.inTransaction(async (tx) => {
    for (const event of events) await deps.recordEvent(tx, event);
  });
  return isGood ? { outcome: 'proven', proof: { method, amr: ['otp'] } } : { outcome: 'refused' };
}

function parseCode({ method, code }: TypedCode): string | null {
  if (method === 'recovery_code') return parseRecoveryCode(code);
  const digits = code.normalize('NFKC').replace(/[\s-]/g, '');
  return /^\d{6}$/.test(digits) ? digits : null;
}

async function takeCode(
  deps: ProveCodeDeps,
  user: User,
  { method, code, binding, language }: TypedCode,
): Promise<boolean> {
  switch (method) {
    case 'totp':
      return takeTotp(deps, user.id, code);
    case 'email_code':
      return (user.factorKinds?.includes('email') ?? false) && deps.emailCodes.take(user.id, binding, code);
    case 'recovery_code':
      return deps.inTransaction(async (tx) => {
        if (!(await deps.recoveryCodes.take(tx, user.id, code))) return false;
        await deps.notify(tx, user, { letter: 'recovery_code_used', language });
        return true;
      });
  }
}

/** The step is used up by one conditional write: of any number of parallel uses one wins, and no code comes again. */
async function takeTotp({ store, sealing, now }: ProveCodeDeps, userId: string, code: string): Promise<boolean> {
  const factor = await store.findOfKind(userId, 'totp');
  if (factor?.sealedSecret === undefined) return false;
  const secret = await sealing.open(factor.sealedSecret, secretContext(factor));
  const [step] = stepsOfCode(secret, code, now()).filter((each) => each > (factor.lastStep ?? 0));
  return step !== undefined && store.takeStep(factor._id, step, now());
}

/** A code that is to be sent: where it counts, and the language of the page. */
export interface CodeAsked {
  binding: string;
  language?: Language;
}

/** Sends a code to the person's own address, unless too many were sent. */
export async function sendEmailCode(
  deps: ProveCodeDeps,
  user: User,
  { binding, language }: CodeAsked,
): Promise<Wait | null> {
  const sending = await deps.openSending(subjectOf(user.id, 'email_sent'), everywhere, user.id);
  if (!sending.admitted) return sending.wait;
  if (!user.factorKinds?.includes('email')) throw temporarilyUnavailable(); // taken away in this moment
  await deps.inTransaction(async (tx) => {
    await deps.sendCode(tx, user, { code: await deps.emailCodes.create(tx, user.id, binding), language });
  });
  return null;
}
