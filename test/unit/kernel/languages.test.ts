import { expect } from 'chai';
import { lookUpLanguage, readerOf } from '../../../src/kernel/languages.js';

describe('the language of somebody', () => {
  for (const [tags, language] of [
    ['de', 'de'],
    ['DE-at', 'de'],
    ['de-Latn-AT-1996', 'de'],
    ['fr de en', 'de'],
    ['fr-CH en-GB', 'en'],
    ['fr', null],
    ['den', null],
    ['d', null],
    ['', null],
    [undefined, null],
    ['<script> de', 'de'],
    ['de_AT', null],
    ['--de', null],
    [`${'xx '.repeat(20)}de`, null],
    ['__proto__ constructor', null],
  ] as const) {
    it(`asked for as ${JSON.stringify(tags)?.slice(0, 40)} is ${language}`, () => {
      expect(lookUpLanguage(tags)).to.equal(language);
    });
  }

  it('is their own if there are texts in it, else that of the page, else English', () => {
    expect(readerOf({ locale: 'de-AT', zoneinfo: 'Europe/Vienna' }, 'en')).to.deep.equal({
      language: 'de',
      zoneinfo: 'Europe/Vienna',
    });
    expect(readerOf({ locale: 'fr' }, 'de').language).to.equal('de');
    expect(readerOf({}).language).to.equal('en');
  });

  it('is found at once in whatever is sent', () => {
    const startedAt = performance.now();
    for (const tags of ['-'.repeat(100_000), 'a-'.repeat(50_000), ' '.repeat(100_000), `${'a'.repeat(99_999)}!`])
      expect(lookUpLanguage(tags)).to.equal(null);
    expect(performance.now() - startedAt).to.be.below(500);
  });
});
