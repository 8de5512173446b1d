/** Languages in which everything can be said; the first is spoken where nobody asks for one of them. */
export const languages = ['en', 'de'] as const;
export type Language = (typeof languages)[number];
export const defaultLanguage: Language = languages[0];

/** Whom something is told, and how: the language, and the time zone in which times are (tz database; else UTC). */
export interface Reader {
  language: Language;
  zoneinfo?: string | undefined;
}

const tag = /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/;
/** More than anybody speaks. */
const mostTags = 20;

/**
 * The first of these tags (BCP 47, separated by spaces, as in `ui_locales`) that is a language of ours, each cut from its end
 * until it is (RFC 4647 §3.4, Lookup): `de-Latn-AT` is `de`. Null: none is. What is no tag is passed over.
 */
export function lookUpLanguage(tags: string | undefined): Language | null {
  for (const range of (tags ?? '').toLowerCase().split(' ', mostTags)) {
    if (!tag.test(range)) continue;
    for (let end = range.length; end > 0; end = range.lastIndexOf('-', end - 1)) {
      const found = languages.find((language) => language === range.slice(0, end));
      if (found) return found;
    }
  }
  return null;
}

/** How a person wants to be told: in their own language if it is one of ours, else in that in which they were asked. */
export function readerOf(
  { locale, zoneinfo }: { locale?: string; zoneinfo?: string },
  spoken: Language = defaultLanguage,
): Reader {
  return { language: lookUpLanguage(locale) ?? spoken, zoneinfo };
}
