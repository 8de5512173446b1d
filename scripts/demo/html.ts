/** HTML that is safe by construction: whatever is put into a template is escaped unless it is HTML already. */
export interface Html {
  readonly markup: string;
}

type Part = string | number | Html | readonly Html[] | null;

export function html(texts: TemplateStringsArray, ...parts: Part[]): Html {
  const markup = texts.map((text, index) => text + markupOf(parts[index] ?? null)).join('');
  return { markup };
}

function markupOf(part: Part): string {
  if (part === null) return '';
  if (typeof part === 'string' || typeof part === 'number') return escape(String(part));
  if ('markup' in part) return part.markup;
  return part.map(({ markup }) => markup).join('\n');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
