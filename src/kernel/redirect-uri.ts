/**
 * Why this may not be registered as a redirect URI, or null. Matching is by bytes (RFC 9700 §2.1), so only what has one
 * reading is taken: printable ASCII, no user, wildcard, backslash or dot segment, and spelt as a URL parser spells it.
 * Web clients: https, or http on loopback. Native clients also their own scheme, which must hold a dot (RFC 8252 §7.1).
 */
export function problemOfRedirectUri(value: string, applicationType: 'web' | 'native'): string | null {
  if (!/^[\x21-\x7e]+$/.test(value) || /[\\*#]/.test(value)) return 'must be plain ASCII without blanks, *, \\ and #';
  if (/\/\.{1,2}(?:\/|\?|$)|%2e|%2f|%5c|%00/i.test(value)) return 'must not hold dot segments or encoded separators';
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url) return 'must be an absolute URI';
  if (url.username || url.password) return 'must not name a user';
  if (url.href !== value && url.href !== `${value}/`) return `must be written ${url.href}`;
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:') return isLoopback(url) ? null : 'must be https (http is for loopback alone)';
  if (applicationType === 'native' && /^[a-z][a-z0-9+-]*\.[a-z0-9.+-]*:$/.test(url.protocol)) return null;
  return 'must be https, http on loopback, or for a native client a scheme of its own with a dot in it';
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}
