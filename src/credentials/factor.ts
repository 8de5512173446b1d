import type { Language } from '../kernel/languages.js';
import type { LetterName } from '../kernel/message.js';

/** What a person can prove themselves with beside their password. Recovery codes come with the first of the other two. */
export const factorKinds = ['totp', 'passkey', 'email'] as const;
export type FactorKind = (typeof factorKinds)[number];

/** With what codes are proven, each counted for itself. */
export type CodeMethod = 'totp' | 'recovery_code' | 'email_code';

export interface Factor {
  id: string;
  userId: string;
  kind: FactorKind;
  /** As the person calls it. */
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
  /** Of a passkey that may be on several devices of the person. */
  isSynced?: boolean;
}

export const recoveryCodeCount = 10;

export interface FactorLimits {
  /** How long a secret that was shown waits for its first code. */
  enrolmentSeconds: number;
  /** How old the proof may be with which factors are changed. */
  freshSeconds: number;
  passkeys: number;
  challengeSeconds: number;
  emailCodeSeconds: number;
  emailCodeTries: number;
  /** How long a browser in which a factor was given is not asked for it again. */
  trustedDeviceSeconds: number;
}

/** How and when somebody has proven who they are: whoever calls knows the session or token. */
export interface Freshness {
  provenAt: Date;
  level: string | undefined;
  /** Authentication method references (RFC 8176). */
  amr: readonly string[];
  /** Of the page, for the letter that tells of the change. */
  language?: Language | undefined;
}

/** What a person is told of at once. */
export type FactorLetter = Extract<
  LetterName,
  'factor_added' | 'factor_removed' | 'factors_reset' | 'recovery_codes_made' | 'recovery_code_used'
>;

/** A letter about factors, in the language of the page where the person has none of their own. */
export interface FactorNotice {
  letter: FactorLetter;
  kind?: FactorKind;
  language?: Language | undefined;
}
