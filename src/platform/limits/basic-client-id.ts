const longestClientId = 256;

/**
 * The client that HTTP Basic names (RFC 6749 §2.3.1), in its one spelling; empty when it names none. It is not
 * authenticated yet: enough to count by, and nothing else.
 */
export function basicClientId(authorization: string | undefined): string {
  const [, credentials = ''] = /^basic ([\w+/=-]+)$/i.exec(authorization ?? '') ?? [];
  if (credentials === '') return '';
  const [encoded = ''] = Buffer.from(credentials, 'base64').toString().split(':', 1);
  return decoded(encoded).slice(0, longestClientId);
}

function decoded(encoded: string): string {
  if (!/[%+]/.test(encoded)) return encoded;
  try {
    return decodeURIComponent(encoded.replaceAll('+', '%20'));
  } catch {
    return ''; // the library refuses it
  }
}
