/** A text that must not be found, and the parts of answers that may hold it because they issue or show it. */
export interface Canary {
  name: string;
  value: string;
  /** Matched against `METHOD /path part`, where part is location, set-cookie, headers or body. */
  allowed?: RegExp;
}

/** Where canaries are looked for. */
export interface Text {
  name: string;
  bytes: Buffer;
}

/** Every canary that stands somewhere in these texts, in whatever form, with the place and the form. */
export function findCanaries(texts: readonly Text[], canaries: readonly Canary[]): string[] {
  const forms = canaries.map((canary) => ({ ...canary, forms: formsOf(canary.value) }));
  return texts.flatMap(({ name: place, bytes }) =>
    forms
      .filter(({ allowed }) => !allowed?.test(place))
      .flatMap(({ name, forms: all }) => {
        const found = all.find(([, form]) => bytes.includes(form));
        return found ? `${name} in ${place} (${found[0]})` : [];
      }),
  );
}

/** The bytes that a text may be hidden in: as itself, and as what usual encodings make of it. */
export function formsOf(value: string): [form: string, bytes: Buffer][] {
  const bytes = Buffer.from(value);
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const utf16 = Buffer.from(value, 'utf16le');
  const escaped = value.replace(/&/g, '&amp;').replace(/'/g, '&#39;').replace(/"/g, '&#34;').replace(/</g, '&lt;');
  const decoded = Buffer.from(value, 'base64url');
  const isKey = decoded.length >= 16 && decoded.toString('base64url') === value;
  const texts: [string, string][] = [
    ['percent encoding', encodeURIComponent(value)],
    ['form encoding', new URLSearchParams({ '': value }).toString().slice(1)],
    ['percent encoding throughout', percent],
    ['percent encoding throughout', percent.toUpperCase()],
    ['hex', bytes.toString('hex')],
    ['hex', bytes.toString('hex').toUpperCase()],
    ['HTML', escaped],
    ['JSON', JSON.stringify(value).slice(1, -1)],
    ...[0, 1, 2].flatMap((before): [string, string][] => {
      const encoded = base64Within(bytes, before);
      return [
        ['base64', encoded],
        ['base64url', encoded.replaceAll('+', '-').replaceAll('/', '_')],
      ];
    }),
  ];
  return [
    ['as it is', bytes],
    ...texts.map(([form, text]): [string, Buffer] => [form, Buffer.from(text)]),
    ['UTF-16', utf16],
    ['UTF-16', Buffer.from(utf16).swap16()],
    ...(isKey ? ([['the bytes of the key', decoded]] as [string, Buffer][]) : []),
  ];
}

/** The characters of base64 that these bytes alone decide when so many stand before them. */
function base64Within(bytes: Buffer, before: number): string {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}
