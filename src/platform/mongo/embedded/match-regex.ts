import { CommandError, badValue } from './errors.js';

/** Constructs that JavaScript would accept, but read differently from PCRE. */
const READ_DIFFERENTLY = /\[\[[:.=]|\\[QEAZzGKRXhH]|\(\*/;
/** A literal beginning, which an index can look up as a range of strings. */
const LITERAL_PREFIX = /^\^((?:[^\\^$.|?*+()[\]{}]|\\[.\-/+@])*)/;

/**
 * mongod uses PCRE, this uses JavaScript in its strict (`u`) form, which refuses what it does not know instead of
 * taking it literally. What the two read differently is an error and not a guess.
 */
export function compileRegex(pattern: string, options: string): (value: unknown) => boolean {
  for (const option of options) {
    if (!'ims'.includes(option)) throw badValue(`$regex option '${option}' is not supported`);
  }
  if (READ_DIFFERENTLY.test(pattern)) throw notSupported(pattern);
  const regex = parse(pattern, `${options}u`);
  return (value) => typeof value === 'string' && regex.test(value);
}

/** The text every match must begin with, or '' if there is none that an index could use. */
export function literalPrefixOf(pattern: string, options: string): string {
  if (options !== '' || pattern.includes('|')) return '';
  const found = LITERAL_PREFIX.exec(pattern);
  if (!found) return '';
  const rest = pattern.slice(found[0].length);
  let prefix = found[1]!;
  // In `^ab*` and `^ab?` the last literal is optional.
  if (/^[*?{]/.test(rest)) prefix = prefix.replace(/\\?.$/su, '');
  return prefix.replaceAll('\\', '');
}

function parse(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch {
    throw notSupported(pattern);
  }
}

function notSupported(pattern: string): CommandError {
  return new CommandError(51091, `Regular expression is invalid or not supported here: ${pattern}`);
}
