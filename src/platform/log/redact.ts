const shapes: readonly [RegExp, string][] = [
  // JWS and JWE, compact form
  [/\bey[\w-]{8,}\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]*)?/g, '[jwt]'],
  [/\bsk_[\w-]{16,}/g, '[api-key]'],
  // opaque tokens and codes are 43 characters of base64url; ids of ours carry a prefix and hex
  [/(?<![\w-])(?!(?:ten|usr|mem|rol|cli|sva|key|evt|con)_)[\w-]{40,}(?![\w-])/g, '[token]'],
  [/\b(Basic|Bearer|DPoP)\s+[\w.+/=~-]{8,}/gi, '$1 [credentials]'],
  [/[^\s"'<>@,;:]{1,64}@[^\s"'<>@,;:]+\.[a-z]{2,}/gi, '[email]'],
  [/\b(mongodb(?:\+srv)?|rediss?|smtps?):\/\/[^\s@"']+@/gi, '$1://[credentials]@'],
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
  'code',
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
