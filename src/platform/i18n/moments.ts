import type { Language, Reader } from '../../kernel/languages.js';

/** A moment as a page shows it. */
export interface Moment {
  /** RFC 3339, for programs. */
  iso: string;
  text: string;
}

const format = { dateStyle: 'long', timeStyle: 'short' } as const;
const spelling: Record<Language, string> = { en: 'en-GB', de: 'de-DE' };

/** In the language and the time zone of the reader; in UTC, which it says, where their zone is none. */
export function momentsFor({ language, zoneinfo }: Reader): (at: Date) => Moment {
  const timeZone = zoneinfo !== undefined && isTimeZone(zoneinfo) ? zoneinfo : 'UTC';
  const { format: write } = new Intl.DateTimeFormat(spelling[language], { ...format, timeZone });
  const label = timeZone === 'UTC' ? ' UTC' : '';
  return (at) => ({ iso: at.toISOString(), text: write(at) + label });
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
