import { expect } from 'chai';
import { foldName, parseEmail } from '../../../src/kernel/email.js';

const accepted: readonly [why: string, spelling: string, canonical: string][] = [
  ['as it is', 'ada@example.com', 'ada@example.com'],
  ['upper case on both sides', 'ADA@EXAMPLE.COM', 'ada@example.com'],
  ['space around it', ' \tada@example.com\n', 'ada@example.com'],
  ['a byte order mark in front', '\ufeffada@example.com', 'ada@example.com'],
  ['fullwidth letters', 'ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'ada@example.com'],
  ['a fullwidth @', 'ada＠example.com', 'ada@example.com'],
  ['an ideographic full stop', 'ada@example。com', 'ada@example.com'],
  ['a ligature', 'o\ufb03ce@example.com', 'office@example.com'],
  ['a composed accent', 'ren\u00e9@example.com', 'rené@example.com'],
  ['a decomposed accent', 'rene\u0301@example.com', 'rené@example.com'],
  ['a domain in its own script', 'ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
  ['a domain in its ASCII form', 'ada@XN--bcher-kva.example', 'ada@xn--bcher-kva.example'],
  ['a tag', 'ada+news@example.com', 'ada+news@example.com'],
  ['dots inside the local part', 'ada.lovelace@example.com', 'ada.lovelace@example.com'],
  ['a local part of 64', `${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
  ['many labels', 'ada@a.b.c.example.com', 'ada@a.b.c.example.com'],
];

const refused: readonly [why: string, spelling: string][] = [
  ['a path behind the domain', 'ada@example.com/evil.example'],
  ['a query behind the domain', 'ada@example.com?evil.example'],
  ['a fragment behind the domain', 'ada@example.com#evil.example'],
  ['a backslash behind the domain', 'ada@example.com\\evil.example'],
  ['percent-encoding in the domain', 'ada@ex%61mple.com'],
  ['a tab in the domain', 'ada@exam\tple.com'],
  ['a line break in the domain', 'ada@exam\r\nple.com'],
  ['a zero-width space in the domain', 'ada@exam\u200bple.com'],
  ['a soft hyphen in the domain', 'ada@exam\u00adple.com'],
  ['a byte order mark in the domain', 'ada@\ufeffexample.com'],
  ['a variation selector in the domain', 'ada@exam\ufe0fple.com'],
  ['a variation selector in the local part', 'ad\ufe0fa@example.com'],
  ['a Hangul filler in the local part', 'ad\u3164a@example.com'],
  ['a combining grapheme joiner in the local part', 'ad\u034fa@example.com'],
  ['a number that is an IPv4 address', 'ada@0x7f.1'],
  ['nothing', ''],
  ['only an @', '@'],
  ['no @', 'ada.example.com'],
  ['no local part', '@example.com'],
  ['no domain', 'ada@'],
  ['two @', 'ada@evil.example@example.com'],
  ['two @ side by side', 'ada@@example.com'],
  ['a second @ in fullwidth', 'ada＠evil.example@example.com'],
  ['a trailing dot', 'ada@example.com.'],
  ['a trailing ideographic full stop', 'ada@example.com。'],
  ['a leading dot in the domain', 'ada@.example.com'],
  ['two dots in the domain', 'ada@example..com'],
  ['a single label', 'ada@localhost'],
  ['a leading dot in the local part', '.ada@example.com'],
  ['a trailing dot in the local part', 'ada.@example.com'],
  ['two dots in the local part', 'ada..lovelace@example.com'],
  ['a quoted local part', '"ada"@example.com'],
  ['a quoted @', '"ada@evil.example"@example.com'],
  ['a comment', 'ada(comment)@example.com'],
  ['a display name', 'Ada Lovelace <ada@example.com>'],
  ['a list', 'ada@example.com,ada@example.com'],
  ['a group', 'friends:ada@example.com;'],
  ['a backslash', 'ada\\@example.com'],
  ['a space in the local part', 'a da@example.com'],
  ['a no-break space in the local part', 'a\u00a0da@example.com'],
  ['a space in the domain', 'ada@ex ample.com'],
  ['a zero-width space in front', '\u200bada@example.com'],
  ['a zero-width space in the local part', 'a\u200bda@example.com'],
  ['a zero-width joiner in the local part', 'a\u200dda@example.com'],
  ['a soft hyphen in the local part', 'a\u00adda@example.com'],
  ['a right-to-left override', '\u202eada@example.com'],
  ['NUL', 'ada\0@example.com'],
  ['NUL at the end', 'ada@example.com\0'],
  ['a line break in the local part', 'ada\r\nBcc:x@example.com'],
  ['a line break behind the domain', 'ada@example.com\r\nBcc: ada@example.com'],
  ['a lone surrogate', 'a\ud800da@example.com'],
  ['an address literal', 'ada@[127.0.0.1]'],
  ['an IPv6 literal', 'ada@[IPv6:::1]'],
  ['a port', 'ada@example.com:25'],
  ['an underscore in the domain', 'ada@ex_ample.com'],
  ['a label that begins with a hyphen', 'ada@-example.com'],
  ['a label that ends with a hyphen', 'ada@example-.com'],
  ['punycode that decodes to nothing', 'ada@xn--.example'],
  ['a local part of 65', `${'a'.repeat(65)}@example.com`],
  ['a label of 64', `ada@${'a'.repeat(64)}.com`],
  [
    'more than 254 characters',
    `ada@${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example.com`,
  ],
  ['a million characters', `${'a'.repeat(1_000_000)}@example.com`],
];

describe('the one spelling of an e-mail address', () => {
  for (const [why, spelling, canonical] of accepted) {
    it(`sec-047 takes ${why}`, () => expect(parseEmail(spelling)).to.equal(canonical));
  }

  for (const [why, spelling] of refused) {
    it(`sec-009 refuses ${why}`, () => expect(parseEmail(spelling)).to.equal(null));
  }

  it('sec-047 leaves a canonical address as it is, whatever character it holds', () => {
    const changed: string[] = [];
    for (let code = 0; code < 0x30000; code++) {
      const once = parseEmail(`a${String.fromCodePoint(code)}b@example.com`);
      if (once !== null && parseEmail(once) !== once) changed.push(code.toString(16));
    }
    expect(changed).to.deep.equal([]);
  });
});

describe('a name that is counted', () => {
  it('sec-047 is one in every spelling, also in those that open nothing', () => {
    for (const [why, spelling] of [
      ...accepted.filter(([, , canonical]) => canonical === 'ada@example.com'),
      ['a zero-width space', 'ada@exam\u200bple.com'],
      ['a zero-width joiner in the local part', 'a\u200dda@example.com'],
      ['a byte order mark in the domain', 'ada@\ufeffexample.com'],
      ['a variation selector', 'ad\ufe0fa@example.com'],
      ['a direction mark', '\u202eada@example.com'],
      ['a dot at the end', 'ada@example.com.'],
      ['dots at the end', 'ada@example.com..'],
      ['a blank inside', 'ada @example.com'],
      ['a line break inside', 'ada@exam\r\nple.com'],
      ['a NUL at the end', 'ada@example.com\0'],
    ] as const) {
      expect(foldName(spelling), why).to.equal('ada@example.com');
    }
  });

  it('of no address is the text that was typed, folded', () => {
    expect(foldName(' Ａda ')).to.equal('ada');
    expect(foldName('')).to.equal('');
  });
});
