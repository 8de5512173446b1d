import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError } from '../../../src/kernel/errors.js';
import type { MessageKey } from '../../../src/kernel/message.js';
import { openCatalogues } from '../../../src/platform/i18n/catalogues.js';
import { momentsFor } from '../../../src/platform/i18n/moments.js';

const catalogues = openCatalogues(resolve(import.meta.dirname, '../../../locales'));
const [english, german] = [catalogues('en'), catalogues('de')];

describe('catalogues', () => {
  it('say the same in each language, with plurals', () => {
    expect(english.t('login.title')).to.equal('Sign in');
    expect(german.t('login.title')).to.equal('Anmelden');
    const wait = (minutes: number): string => german.t({ key: 'waits.account', values: { minutes } });
    expect(wait(1)).to.contain('in 1 Minute noch einmal');
    expect(wait(15)).to.contain('in 15 Minuten noch einmal');
  });

  it('say a message that stands in another one in the same language', () => {
    const browser = { key: 'sessions.a_browser' } as const;
    expect(german.t({ key: 'sessions.browser_on', values: { browser, system: 'Linux' } })).to.equal(
      'Ein Browser auf Linux',
    );
  });

  it('sec-034 never read what somebody is called as markup or as a place', () => {
    for (const name of [
      '<script>alert(1)</script>',
      '</strong><strong>',
      '{clientName}',
      "'{'",
      '{x, plural, other {#}}',
    ])
      expect(german.pieces('layout.to_continue', { clientName: name })).to.deep.equal([
        { text: 'um fortzufahren mit ', isStrong: false },
        { text: name, isStrong: true },
      ]);
    expect(german.t('layout.to_continue', { clientName: '<b>' })).to.equal('um fortzufahren mit <b>');
  });

  it('throw for a text and for a value that is missing', () => {
    expect(() => german.t('login.nothing' as MessageKey)).to.throw('no text login.nothing');
    expect(() => german.t('login.help')).to.throw('tenantName');
  });

  it('say an error by its code, by its own message, or in its English words', () => {
    const refusal = (code: string, more: object = {}): AppError =>
      new AppError(code, { status: 400, detail: 'English words.', ...more });
    expect(german.t(refusal('interaction.no_person'))).to.contain('Niemand ist angemeldet');
    expect(german.t(refusal('request.too_many', { retryAfterSeconds: 7 }))).to.contain('in 7 Sekunden');
    expect(german.t(refusal('password.unacceptable', { said: { key: 'password_problems.common' } }))).to.contain(
      'Viele haben dieses Passwort',
    );
    expect(german.t(refusal('nobody.knows'))).to.equal('English words.');
  });

  it('that are broken stop the start', () => {
    const folder = mkdtempSync(join(tmpdir(), 'locales-'));
    writeFileSync(join(folder, 'en.json'), '{ "one": "{open" }');
    expect(() => openCatalogues(folder)).to.throw();
    rmSync(folder, { recursive: true });
  });
});

describe('moments', () => {
  const at = new Date('2026-11-27T08:05:00Z');

  it('are written in the language and the time zone of the reader', () => {
    const { iso, text } = momentsFor({ language: 'de', zoneinfo: 'Europe/Vienna' })(at);
    expect(iso).to.equal('2026-11-27T08:05:00.000Z');
    expect(text).to.contain('27. November 2026').and.contain('09:05').and.not.contain('UTC');
  });

  it('are in UTC, and say so, where the zone is unknown', () => {
    for (const zoneinfo of [undefined, 'Nowhere/At all', ''])
      expect(momentsFor({ language: 'en', zoneinfo })(at).text).to.equal('27 November 2026 at 08:05 UTC');
  });
});
