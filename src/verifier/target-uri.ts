const unreserved = /^[\w.~-]$/;

/**
 * A target URI without query and fragment in the form in which it can be compared (RFC 9449 §4.3, RFC 3986 §6.2.2 and
 * §6.2.3); null when it is no absolute http(s) URI.
 */
export function normalizeTargetUri(text: string): string | null {
  const [target = ''] = text.split(/[?#]/, 1);
  // the parser forgives blanks and control characters and takes a backslash for a slash; none of these is in a URI
  if (!/^https?:\/\/[!-[\]-~]+$/i.test(target) || !URL.canParse(target)) return null;
  const { protocol, host, pathname, username, password } = new URL(target);
  if (username !== '' || password !== '') return null;
  return `${protocol}//${host}${pathname.replace(/%[\da-f]{2}/gi, normalizeEscape)}`;
}

function normalizeEscape(escape: string): string {
  const character = String.fromCharCode(parseInt(escape.slice(1), 16));
  return unreserved.test(character) ? character : escape.toUpperCase();
}
