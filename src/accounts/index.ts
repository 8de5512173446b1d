/**
 * What people do with their own account by mail: make one, get back into it, prove and change their address; and whose
 * account somebody of a provider opens. Owns no data: links are the action-links slice's, people the users slice's,
 * passwords the credentials slice's, who is who at a provider the identities slice's. Each use case is one transaction; pages and who is signed in are the concern of who calls (sign-in, account).
 */
import type { AccountsDeps } from './accounts-deps.js';
import { findEmailChange, proveEmailChange, startEmailChange } from './change-email.js';
import { arriveByProvider } from './arrive-by-provider.js';
import { linkIdentity, unlinkIdentity } from './link-identity.js';
import { isUnproven, makeAccount } from './make-account.js';
import { findRecovery, requestRecovery, resetPassword } from './recover.js';
import { completeSignUp, findSignUp, isSignUpOpen, requestSignUp, requireSignUpOpen } from './sign-up.js';
import { findUndo, undoEmailChange } from './undo-email-change.js';
import { findVerification, requestEmailVerification, verifyEmail } from './verify-email.js';

export type { SignUp } from './accounts-deps.js';
export type { SignUpRequest, SignUpThrough } from './sign-up.js';
export type { ArrivalResult, ProviderArrival } from './arrive-by-provider.js';
export type { LinkResult } from './link-identity.js';
export type { EmailChange, EmailChangeStarted } from './change-email.js';
export type { AccountResult, NewAccount } from './make-account.js';

const useCases = {
  ...{ requestRecovery, findRecovery, resetPassword },
  ...{ makeAccount, isUnproven, isSignUpOpen, requireSignUpOpen, requestSignUp, findSignUp, completeSignUp },
  ...{ requestEmailVerification, findVerification, verifyEmail },
  ...{ arriveByProvider, linkIdentity, unlinkIdentity },
  ...{ startEmailChange, findEmailChange, proveEmailChange, findUndo, undoEmailChange },
};

type UseCases = typeof useCases;
export type AccountsModule = {
  [Name in keyof UseCases]: UseCases[Name] extends (deps: AccountsDeps, ...args: infer Args) => infer Result
    ? (...args: Args) => Result
    : never;
};

export function accountsModule(deps: AccountsDeps): AccountsModule {
  const bound = Object.entries(useCases).map(([name, useCase]) => [
    name,
    (...args: unknown[]) => (useCase as (...all: unknown[]) => unknown)(deps, ...args),
  ]);
  return Object.fromEntries(bound) as AccountsModule;
}
