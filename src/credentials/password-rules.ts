import type { Message } from '../kernel/message.js';

/** Why a password cannot be taken, and what to do about it. */
export interface PasswordProblem {
  code: 'length' | 'characters' | 'repeated' | 'in_a_row' | 'personal' | 'common' | 'former';
  said: Message;
}

/** What a new password of one person has to fulfil. */
export interface PasswordRules {
  minimumLength: number;
  problemOf(password: string): PasswordProblem | null;
}

export interface PasswordLimits {
  minimumLength: number;
  maximumLength: number;
  /** Texts that somebody could guess of this person: name, address, service, tenants. */
  guessable: readonly string[];
  /** Whether it stands on the list of common and leaked ones; asked in the form of `folded`. */
  isCommon(text: string): boolean;
}

/** What is left beside guessable parts has to be worth something by itself. */
const leastBeside = 8;
/** A part that is repeated counts once. */
const leastPeriod = 12;
const shortestWord = 3;
const shortestRun = 4;
const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  ...['qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'yxcvbnm', 'azertyuiop', 'qsdfghjklm', 'wxcvbn'],
];
const runs = [...rows, ...rows.map((row) => [...row].reverse().join(''))].flatMap(piecesOf);
const leet: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's' };

/** Characters as people count them; every keyboard gives the same number. */
export function lengthOf(password: string): number {
  return [...password.normalize('NFKC')].length;
}

/** One form of all spellings that differ in case alone. */
export function folded(password: string): string {
  return password.normalize('NFKC').toLowerCase();
}

/** NIST SP 800-63B-4 §3.1.1.2: length and what is easily guessed, and nothing about kinds of characters. */
export function passwordRules(limits: PasswordLimits): PasswordRules {
  const { minimumLength, maximumLength } = limits;
  const words = wordsOf(limits.guessable);
  return {
    minimumLength,
    problemOf(password) {
      const length = lengthOf(password);
      const because = (code: PasswordProblem['code'], said: Message): PasswordProblem => ({ code, said });
      if (length < minimumLength)
        return because('length', { key: 'password_problems.too_short', values: { minimumLength } });
      if (length > maximumLength)
        return because('length', { key: 'password_problems.too_long', values: { maximumLength } });
      const code = guessedBy(password);
      return code && because(code, { key: `password_problems.${code}` });
    },
  };

  function guessedBy(password: string): Exclude<PasswordProblem['code'], 'length'> | null {
    if (/[\p{Cc}\p{Cs}]/u.test(password)) return 'characters';
    const plain = lettersOf(folded(password));
    if (periodOf(folded(password)) < leastPeriod) return 'repeated';
    if (isLittleBeside(folded(password), runs, leastBeside)) return 'in_a_row';
    if ([plain, lettersOf(unleeted(folded(password)))].some((text) => isLittleBeside(text, words, leastBeside)))
      return 'personal';
    return limits.isCommon(folded(password)) || limits.isCommon(plain) ? 'common' : null;
  }
}

function lettersOf(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}]/gu, '');
}

function unleeted(text: string): string {
  return text.replace(/[013457@$]/g, (character) => leet[character] ?? character);
}

/** The words of these texts, and each text as one, the longest first. */
function wordsOf(texts: readonly string[]): string[] {
  const all = texts.flatMap((text) => [...folded(text).split(/[^\p{L}\p{M}\p{N}]+/u), folded(text)]).map(lettersOf);
  return [...new Set(all)].filter((word) => [...word].length >= shortestWord).sort((a, b) => b.length - a.length);
}

/** All parts of a row that are long enough to be one, the longest first. */
function piecesOf(row: string): string[] {
  const pieces: string[] = [];
  for (let size = row.length; size >= shortestRun; size--)
    for (let start = 0; start + size <= row.length; start++) pieces.push(row.slice(start, start + size));
  return pieces;
}

/** Whether the text holds one of the words, and has too little without them. */
function isLittleBeside(text: string, words: readonly string[], least: number): boolean {
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), text);
  return rest !== text && [...rest].length < least;
}

/** After how many characters the text begins again and only repeats what it had; its length where it does not. */
function periodOf(text: string): number {
  const characters = [...text];
  for (let period = 1; period <= characters.length / 2; period++)
    if (characters.every((character, index) => index < period || character === characters[index - period]))
      return period;
  return characters.length;
}
