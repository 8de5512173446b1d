/** Attributes by the names that RFC 4514 and OpenSSL give them; an unknown one goes by its number. */
const attributeNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'cn',
  '2.5.4.4': 'sn',
  '2.5.4.5': 'serialnumber',
  '2.5.4.6': 'c',
  '2.5.4.7': 'l',
  '2.5.4.8': 'st',
  '2.5.4.9': 'street',
  '2.5.4.10': 'o',
  '2.5.4.11': 'ou',
  '2.5.4.12': 'title',
  '2.5.4.13': 'description',
  '2.5.4.15': 'businesscategory',
  '2.5.4.17': 'postalcode',
  '2.5.4.42': 'gn',
  '2.5.4.43': 'initials',
  '2.5.4.46': 'dnqualifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.97': 'organizationidentifier',
  '0.9.2342.19200300.100.1.1': 'uid',
  '0.9.2342.19200300.100.1.25': 'dc',
  '1.2.840.113549.1.9.1': 'emailaddress',
  '1.3.6.1.4.1.311.60.2.1.1': 'jurisdictionl',
  '1.3.6.1.4.1.311.60.2.1.2': 'jurisdictionst',
  '1.3.6.1.4.1.311.60.2.1.3': 'jurisdictionc',
};

/** The name that a certificate has for this one. */
const otherNames: Readonly<Record<string, string>> = { s: 'st', e: 'emailaddress', givenname: 'gn', surname: 'sn' };

const attributeType = String.raw`[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+`;
const character = String.raw`[^\0"+,;<>\\]|\\(?:[ "#+,;<=>\\]|[0-9A-Fa-f]{2})`;
const attribute = new RegExp(`^ *(${attributeType}) *= *((?:${character})*)`);
const encodedText = /^#(?:0c|13|16)([0-7][0-9a-f])((?:[0-9a-f]{2})*)$/i;

/**
 * A distinguished name as RFC 4514 writes it, in the one spelling in which two can be compared; null when it is none.
 * Names of attributes and how characters are escaped make no difference, the order within a multi-valued part makes
 * none; the order of the parts and every character of a value, its case too, do.
 */
export function normalizeDistinguishedName(text: string): string | null {
  const parts: string[][] = [[]];
  let rest = text;
  for (;;) {
    const [whole = '', type = '', raw = ''] = attribute.exec(rest) ?? [];
    const value = whole === '' ? null : valueOf(raw);
    if (value === null) return null;
    parts.at(-1)?.push(JSON.stringify([canonicalType(type), value]));
    rest = rest.slice(whole.length);
    if (rest === '') return parts.map((part) => part.sort().join('+')).join(',');
    if (!/^[,+]/.test(rest)) return null;
    if (rest.startsWith(',')) parts.push([]);
    rest = rest.slice(1);
  }
}

function canonicalType(type: string): string {
  const name = type.toLowerCase();
  return attributeNames[name] ?? otherNames[name] ?? name;
}

function valueOf(raw: string): string | null {
  const characters = raw.match(/\\[0-9A-Fa-f]{2}|\\.|./gsu) ?? [];
  while (characters.at(-1) === ' ') characters.pop(); // one that counts is escaped
  if (characters[0] === '#') return decoded(characters.join(''));
  return utf8(Buffer.concat(characters.map(bytesOf)));
}

function bytesOf(character: string): Buffer {
  return /^\\..$/.test(character) ? Buffer.from(character.slice(1), 'hex') : Buffer.from(character.replace(/^\\/, ''));
}

/** The encoded form that RFC 4514 §2.4 has for attributes that go by their number: texts of less than 128 bytes. */
function decoded(value: string): string | null {
  const [, length = '', content = ''] = encodedText.exec(value) ?? [];
  return length !== '' && parseInt(length, 16) * 2 === content.length ? utf8(Buffer.from(content, 'hex')) : null;
}

function utf8(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return text !== '' && Buffer.from(text).equals(bytes) ? text : null;
}

/** The subject of a certificate as Node has it: a line for each part, first to last, where RFC 4514 goes backwards. */
export function distinguishedNameOfSubject(subject: string): string | null {
  return normalizeDistinguishedName(subject.split('\n').reverse().join(','));
}
