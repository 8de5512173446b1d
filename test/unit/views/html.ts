export interface Tag {
  name: string;
  attributes: Record<string, string>;
}

const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*)\s*\/?>|<!doctype html>|</gi;
const ATTRIBUTE = /\s+([^\s"'<>/=]+)(?:="([^"]*)")?/g;

/** The opening tags of a page. Throws when a `<` is anything but markup as the templates write it. */
export function tagsOf(html: string): Tag[] {
  const tags: Tag[] = [];
  for (const [whole, closing, name, attributes] of html.matchAll(TAG)) {
    if (whole === '<') throw new Error('A < stands outside of markup');
    if (name === undefined || closing === '/') continue;
    const pairs = [...(attributes ?? '').matchAll(ATTRIBUTE)].map(([, key, value]) => [
      (key ?? '').toLowerCase(),
      decode(value ?? ''),
    ]);
    tags.push({ name: name.toLowerCase(), attributes: Object.fromEntries(pairs) as Record<string, string> });
  }
  return tags;
}

export function attributesOf(page: string | Tag[]): { name: string; value: string }[] {
  const tags = typeof page === 'string' ? tagsOf(page) : page;
  return tags.flatMap((tag) => Object.entries(tag.attributes).map(([name, value]) => ({ name, value })));
}

/** The page without any value: tag names and attribute names, in order. */
export function skeletonOf(html: string): string[] {
  return tagsOf(html).map((tag) => [tag.name, ...Object.keys(tag.attributes)].join(' '));
}

/** The text of the first element of that name. */
export function textOf(html: string, name: string): string {
  const inner = new RegExp(`<${name}[^>]*>([^]*?)</${name}>`).exec(html)?.[1] ?? '';
  return decode(inner.replace(/<[^>]+>/g, '')).trim();
}

function decode(text: string): string {
  return text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&#34;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&');
}
