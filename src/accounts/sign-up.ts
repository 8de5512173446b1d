import { parseEmail } from '../kernel/email.js';
import { AppError } from '../kernel/errors.js';
import { readerOf, type Language } from '../kernel/languages.js';
import type { Message } from '../kernel/message.js';
import { byPerson, mayHavePassword, type AccountsDeps } from './accounts-deps.js';
import { isUnproven, makeAccount } from './make-account.js';

/** An app on the way into which somebody makes an account. */
export interface SignUpThrough {
  clientId: string;
  offersSignUp: boolean;
}

/** From an app, where it offers that; without one, where the platform is open to anybody. */
export function isSignUpOpen({ signUp }: AccountsDeps, through: SignUpThrough | null): boolean {
  return through ? signUp !== 'closed' && through.offersSignUp : signUp === 'open';
}

/** Throws 403 where people cannot make accounts by themselves. */
export function requireSignUpOpen(deps: AccountsDeps, through: SignUpThrough | null): void {
  if (isSignUpOpen(deps, through)) return;
  throw new AppError('sign_up.closed', {
    status: 403,
    detail: 'Accounts are not made here. Ask whoever runs the app.',
  });
}

/** What somebody asks for who wants an account. */
export interface SignUpRequest {
  login: string;
  /** The sign-in to go back to. */
  from?: string | undefined;
  through: SignUpThrough | null;
  /** Of the page on which it was asked for. */
  language?: Language | undefined;
}

/**
 * Sends a link to the address; who has an account with it is told so by mail, and only there. False: it is no address,
 * so that nothing could be sent.
 */
export async function requestSignUp(
  deps: AccountsDeps,
  { login, from, through, language }: SignUpRequest,
): Promise<boolean> {
  requireSignUpOpen(deps, through);
  const email = parseEmail(login);
  if (email === null) return false;
  const isAdmitted = await deps.links.countMail('sign_up', email);
  const to = isAdmitted && (await mayHavePassword(deps, email)) ? email : null;
  const user = await deps.users.findUserByEmail(email);
  const isKnown = user !== null && !(await isUnproven(deps, user));
  await deps.inTransaction(async (tx) => {
    const data = {
      ...{ email, ...(from === undefined ? {} : { from }) },
      ...(through ? { clientId: through.clientId } : {}),
    };
    const { token, expiresAt } = await deps.links.createLink(tx, { purpose: 'sign_up', userId: null, data });
    // the token of who is known is told to nobody
    const letter = isKnown
      ? ({ name: 'known', values: { email }, path: '/recover' } as const)
      : ({ name: 'sign_up', values: { email, expiresAt }, path: `/sign-up/${token}` } as const);
    await deps.queueMail(tx, { to, reader: readerOf(user?.profile ?? {}, language), ...letter });
    await deps.recordEvent(tx, byPerson('user.sign_up_requested', user?.id ?? null));
  });
  return true;
}

export interface OpenSignUp {
  email: string;
  minimumLength: number;
}

/** What the page of the link shows; null: it is over. Changes nothing. */
export async function findSignUp(deps: AccountsDeps, token: string): Promise<OpenSignUp | null> {
  const link = await findOpenLink(deps, token);
  if (!link) return null;
  const { email } = link;
  if (!(await mayHavePassword(deps, email))) return null;
  const { minimumLength } = await deps.credentials.passwordRulesFor({ email });
  return { email, minimumLength };
}

export type SignUpResult =
  | { outcome: 'done'; from: string | null }
  | { outcome: 'known' }
  | { outcome: 'over' }
  | { outcome: 'refused'; why: Message };

/** An account with a personal tenant of its own, in the transaction that uses the link up. */
export async function completeSignUp(
  deps: AccountsDeps,
  { token, name, password }: { token: string; name: string; password: string },
): Promise<SignUpResult> {
  const link = await findOpenLink(deps, token);
  if (!link) return { outcome: 'over' };
  const result = await makeAccount(
    deps,
    { email: link.email, name, password },
    {
      before: async (tx) => (await deps.links.takeLink(tx, 'sign_up', token)) !== null,
      after: (tx, userId) => deps.createPersonalTenant(tx, userId),
    },
  );
  return result.outcome === 'made' ? { outcome: 'done', from: link.from ?? null } : result;
}

/** What a link is good for is asked again when it is used: an app may have closed meanwhile. */
async function findOpenLink(
  deps: AccountsDeps,
  token: string,
): Promise<{ email: string; from: string | undefined } | null> {
  const { email, from, clientId } = (await deps.links.findLink('sign_up', token))?.data ?? {};
  if (email === undefined && deps.signUp !== 'closed') return null;
  const through = clientId === undefined ? null : { clientId, offersSignUp: await deps.offersSignUp(clientId) };
  requireSignUpOpen(deps, through);
  return { email: email ?? '', from };
}
