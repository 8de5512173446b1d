import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { languages } from '../../../src/kernel/languages.js';
import type { LetterName } from '../../../src/kernel/message.js';
import { openCatalogues } from '../../../src/platform/i18n/catalogues.js';
import { openMailTemplates, type Letter } from '../../../src/platform/mail/mail-templates.js';
import { skeletonOf, textOf } from './html.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const catalogues = openCatalogues(resolve(ROOT, 'locales'));
const render = openMailTemplates(resolve(ROOT, 'views'), 'https://id.example.com', catalogues);
const { button: _ofAll, ...letters } = (
  JSON.parse(readFileSync(resolve(ROOT, 'locales/en.json'), 'utf8')) as { letters: Record<string, object | string> }
).letters;

const values: Letter['values'] = {
  ...{ email: 'ada@example.com', tenantName: 'Acme Inc', hasInviter: 'yes', inviterName: 'Grace', code: '123456' },
  ...{ hasRoles: 'yes', roles: 'Owner', kind: 'totp', who: 'ada@corp.example' },
  ...{
    signedInAt: new Date('2026-11-27T08:05:00Z'),
    address: '203.0.113.7',
    recoverUrl: 'https://id.example.com/recover',
  },
  browser: { key: 'sessions.browser_on', values: { browser: { key: 'sessions.a_browser' }, system: 'Linux' } },
  ...{ expiresAt: new Date('2026-11-27T08:05:00Z'), dueAt: new Date('2026-11-27T08:05:00Z') },
};
const letterTo = (language: 'en' | 'de', more: Partial<Letter> = {}): Letter => ({
  ...{ name: 'recovery', reader: { language }, values, path: '/recover/abc' },
  ...more,
});

describe('letters', () => {
  for (const name of Object.keys(letters) as LetterName[]) {
    it(`${name} says everything in every language, in the same shape`, () => {
      const english = render(letterTo('en', { name }));
      for (const language of languages) {
        const mail = render(letterTo(language, { name }));
        expect(mail.html).to.contain(`<html lang="${language}">`);
        expect(skeletonOf(mail.html)).to.deep.equal(skeletonOf(english.html));
        expect(textOf(mail.html, 'h1')).not.to.equal('');
        for (const body of [mail.html, mail.text])
          expect(body)
            .to.contain(`https://id.example.com/recover/abc?ui_locales=${language}`)
            .and.not.match(/\b(?:null|undefined|NaN)\b|\[object/);
        if (language !== 'en') expect(mail.subject).not.to.equal(english.subject);
      }
    });
  }

  it('say times in the zone of the reader, and name UTC where it is not known', () => {
    expect(render(letterTo('de')).text)
      .to.contain('27. November 2026')
      .and.contain('08:05 UTC');
    const reader = { language: 'de', zoneinfo: 'Europe/Vienna' } as const;
    expect(render(letterTo('de', { reader })).text).to.contain('27. November 2026 um 09:05.');
  });

  it('sec-027 hold what somebody is called as text, in every language', () => {
    for (const language of languages) {
      const name = '<script>alert(1)</script>{email}</strong>';
      const said = { ...values, tenantName: name, inviterName: name };
      const { html } = render(letterTo(language, { name: 'invitation', values: said }));
      expect(html).not.to.contain('<script');
      expect(textOf(html, 'h1')).to.contain(name);
    }
  });
});
