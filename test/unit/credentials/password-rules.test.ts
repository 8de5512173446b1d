import { expect } from 'chai';
import { resolve } from 'node:path';
import { readPasswordBlockList } from '../../../src/credentials/password-block-list.js';
import { folded, passwordRules } from '../../../src/credentials/password-rules.js';
import { openCatalogues } from '../../../src/platform/i18n/catalogues.js';

const english = openCatalogues(resolve(import.meta.dirname, '../../../locales'))('en');
const common = readPasswordBlockList(15);
const rules = passwordRules({
  ...{ minimumLength: 15, maximumLength: 128, isCommon: (text) => common.has(text) },
  guessable: ['Gatehouse', 'id.example.com', 'Acme Inc', 'acme', 'Ada Lovelace', 'ada.lovelace', 'example'],
});
const codeOf = (password: string): string => rules.problemOf(password)?.code ?? 'taken';

describe('the rules for passwords', () => {
  for (const [password, code] of [
    ['', 'length'],
    ['fourteen chars', 'length'],
    ['fifteen letters', 'taken'],
    ['é'.normalize('NFD').repeat(14), 'length'],
    ['🐈 black cat, white cat, red cat', 'taken'],
    ['nine lives of a black cat', 'taken'],
    ['NINE LIVES OF A BLACK CAT', 'taken'],
    ['neun Leben einer schwarzen Katze', 'taken'],
    ['девять жизней чёрной кошки', 'taken'],
    [`${'word '.repeat(4)}and others`, 'taken'],
    [Array.from({ length: 128 }, (_, index) => String.fromCodePoint(0x4e00 + index * 7)).join(''), 'taken'],
    ['nine lives '.repeat(12), 'length'],
    ['aaaaaaaaaaaaaaaa', 'repeated'],
    ['passwordpassword', 'repeated'],
    ['abc123abc123abc123', 'repeated'],
    ['123456789012345', 'in_a_row'],
    ['abcdefghijklmnop', 'in_a_row'],
    ['ponmlkjihgfedcba', 'in_a_row'],
    ['qwertyuiopasdfgh', 'in_a_row'],
    ['1234567890qwerty', 'in_a_row'],
    ['987654321-qwertyuiop', 'in_a_row'],
    ['adalovelace12345', 'personal'],
    ['Ada.Lovelace@example', 'personal'],
    ['4d4-l0v3l4c3-2026', 'personal'],
    ['gatehouse-2026-acme', 'personal'],
    ['AcmeAcmeGatehouse!', 'personal'],
    ['a long word beside Lovelace is enough', 'taken'],
    ['correcthorsebatterystaple', 'common'],
    ['CorrectHorseBatteryStaple', 'common'],
    ['correct horse battery staple', 'common'],
    ['a line\nbreak in the middle', 'characters'],
    ['a zero \u0000 in the middle', 'characters'],
    ['a lone \ud800 surrogate in it', 'characters'],
    ['zero\u200bwidth and \u202ebidi are text', 'taken'],
  ] as const) {
    it(`${JSON.stringify(password.slice(0, 40))} is ${code}`, () => {
      expect(codeOf(password)).to.equal(code);
    });
  }

  it('say what to do, and never hold the password', () => {
    for (const password of [
      'short',
      'x'.repeat(200),
      'passwordpassword',
      'adalovelace12345',
      'correcthorsebatterystaple',
    ]) {
      const problem = rules.problemOf(password);
      const message = problem ? english.t(problem.said) : '';
      expect(message)
        .to.match(/^(?:The|Many) .*\.$/)
        .and.not.contain(password);
    }
  });

  it('are quick with whatever is typed', () => {
    const startedAt = performance.now();
    for (const password of ['a'.repeat(128), 'ab'.repeat(64), `${'a'.repeat(127)}b`, '\u{1f408}'.repeat(128)])
      for (let round = 0; round < 20; round++) rules.problemOf(password);
    expect((performance.now() - startedAt) / 80).to.be.below(20);
  });

  it('know common and leaked passwords that are long enough to be taken, in one spelling', () => {
    expect(common.size).to.be.greaterThan(100);
    for (const entry of common) {
      expect([...entry].length).to.be.at.least(15);
      expect(folded(entry)).to.equal(entry);
    }
  });
});
