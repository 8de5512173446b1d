import type { Answer } from '../http/requests.js';

/** An answer without what is new in every answer. */
export interface Plain {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * All that is overlooked, and why. Nothing here takes out an identifier that was asked about: whoever asked knows it, so
 * the text that was sent counts as one (`sent`), and whatever else the answer says of a tenant is looked for as it came.
 */
const overlooked: readonly [why: string, pattern: RegExp, put: string][] = [
  ['a new nonce for the scripts of each page', /nonce(?:-|=")[\w+/=]{24}/g, 'nonce'],
  ['a new token for each form', /name="(csrf|xsrf|ticket)" value="[^"]+"/g, 'name="$1" value=""'],
  ['a new challenge for a passkey', /challenge&#34;:&#34;[\w-]{43}/g, 'challenge'],
  ['a sign-in that begins with this answer', /\/sign-in\/[\w-]{43}(?![\w-])/g, '/sign-in/new'],
  ['a request that is pushed with this answer', /(urn:ietf:params:oauth:request_uri:)[\w-]{43}/g, '$1new'],
  ['a code of a device that is made with this answer', /"device_code":"[\w-]{43}"/g, '"device_code":"new"'],
  ['the same, for its person', /("user_code":"|user_code=)[A-Z]{4}-[A-Z]{4}/g, '$1new'],
  ['values of cookies, as random as what they name', /^((?:[\w-]+)(?:\.sig)?)=[\w.-]+;/gm, '$1=new;'],
  [
    'the path of the cookie of a sign-in that begins',
    /path=\/(oauth2\/authorize|device)\/[\w-]{43};/g,
    'path=/$1/new;',
  ],
  ['a request of the portal for a sign-in', /(code_challenge=)[\w-]{43}/g, '$1new'],
  ['the second in which a cookie ends', /expires=[A-Z][^;]+GMT/g, 'expires=then'],
];

/** New in every answer, whatever was asked. */
const overlookedHeaders = new Set(['date', 'x-request-id']);

export function plain({ status, headers, text }: Pick<Answer, 'status' | 'headers' | 'text'>, sent: string): Plain {
  const requestId = headers.get('x-request-id') ?? '';
  const spellings = [sent, encodeURIComponent(sent)];
  const clean = (value: string): string => {
    const known = [...spellings, requestId].filter((text) => text !== '');
    const echoed = known.reduce((rest, text) => rest.replaceAll(text, text === requestId ? 'request' : 'sent'), value);
    return overlooked.reduce((rest, [, pattern, put]) => rest.replace(pattern, put), echoed);
  };
  const shown = [...headers].filter(([name]) => !overlookedHeaders.has(name) && name !== 'set-cookie');
  const cookies = headers.getSetCookie().map((cookie) => clean(cookie));
  return {
    status,
    headers: { ...Object.fromEntries(shown.map(([name, value]) => [name, clean(value)])), cookies: cookies.join('\n') },
    body: clean(text),
  };
}

/** What tells the one answer from the other, one sentence each; empty when nothing does. */
export function differences(ofForeign: Plain, ofMissing: Plain): string[] {
  const found: string[] = [];
  if (ofForeign.status !== ofMissing.status) found.push(`status ${ofForeign.status}, else ${ofMissing.status}`);
  for (const name of new Set([...Object.keys(ofForeign.headers), ...Object.keys(ofMissing.headers)])) {
    const [one, other] = [ofForeign.headers[name], ofMissing.headers[name]];
    if (one !== other) found.push(`header ${name}: ${one ?? 'none'}, else ${other ?? 'none'}`);
  }
  if (ofForeign.body !== ofMissing.body) found.push(`body: ${firstDifference(ofForeign.body, ofMissing.body)}`);
  return found;
}

function firstDifference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 30), at + 60));
  return `${around(one)}, else ${around(other)}`;
}

/** What an answer says of a tenant as it came, beside the text that was sent. */
export function told(
  { headers, text }: Pick<Answer, 'headers' | 'text'>,
  marks: readonly string[],
  sent: string,
): string[] {
  const whole = [text, ...[...headers].flat()].join('\n').replaceAll(sent, '').replaceAll(encodeURIComponent(sent), '');
  return marks.filter((mark) => whole.includes(mark)).map((mark) => `tells ${mark}`);
}
