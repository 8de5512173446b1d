/** Where a word may begin in a line of JSON: not within another, but right behind an escape such as `\n`. */
const start = String.raw`(?:(?<=\\[bfnrt])|(?<![\w\\-]))`;

function shape(source: string, flags = 'g'): RegExp {
  return new RegExp(start + source, flags);
}

const shapes: readonly [RegExp, string][] = [
  [shape(String.raw`(mongodb(?:\+srv)?|rediss?|smtps?)://[^\s/"']+@`, 'gi'), '$1://[credentials]@'],
  // JWS and JWE, compact form
  [shape(String.raw`ey[\w-]{8,}\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]*)?`), '[jwt]'],
  [shape(String.raw`sk_[\w-]{16,}`), '[api-key]'],
  // opaque tokens and codes are 43 characters of base64url; ids of ours carry a prefix and hex
  [shape(String.raw`(?!(?:ten|usr|mem|rol|sva|key|evt|mai)_)[\w-]{40,}(?![\w-])`), '[token]'],
  [shape(String.raw`(Basic|Bearer|DPoP)\s+[\w.+/=~-]{8,}`, 'gi'), '$1 [credentials]'],
  [/[^\s"'<>@,;:\\]{1,64}(?:@|%40)[^\s"'<>@,;:\\]+\.[a-z]{2,}/gi, '[email]'],
];

/** Members whose value is never logged, whatever it looks like. */
export const redactedKeys: readonly string[] = [
  'password',
  'secret',
  'client_secret',
  'clientSecret',
  'authorization',
  'cookie',
  'set-cookie',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'code_verifier',
  'email',
  'login',
  'key',
];

/** Takes out of a text everything that is shaped like a credential or an e-mail address. */
export function redactText(text: string): string {
  let redacted = text;
  for (const [pattern, replacement] of shapes) redacted = redacted.replace(pattern, replacement);
  return redacted;
}

const longestHarmless = 39;

/** The same for the path of a request, which has no spaces: short ones without a mark of any shape are left as they are. */
export function redactPath(path: string): string {
  const isHarmless = path.length <= longestHarmless && !/@|%40|ey|sk_|:\/\//i.test(path);
  return isHarmless ? path : redactText(path);
}
