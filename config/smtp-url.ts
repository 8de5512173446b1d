import type { SmtpServer } from '../src/kernel/smtp-server.js';

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * `smtp://user:password@host:port`, or `smtps://…`. Nothing else of a URL is taken but `?requireTLS=true` or `false`, for
 * who knows better than the rule: encrypted to everywhere but this machine. Gives what is wrong as a text.
 */
export function parseSmtpUrl(value: string): SmtpServer | string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !/^smtps?:$/.test(url.protocol)) return 'must start with smtp:// or smtps://';
  if (url.hostname === '' || !/^\/?$/.test(url.pathname) || url.hash)
    return 'must be smtp://user:password@host:port and nothing more';
  const implicitTls = url.protocol === 'smtps:';
  const requireTls = url.searchParams.get('requireTLS');
  const isKnown = url.search === '' || (/^\?requireTLS=(true|false)$/.test(url.search) && !implicitTls);
  if (!isKnown) return 'takes no parameter but requireTLS=true or requireTLS=false, and that with smtp:// only';
  const auth = authOf(url);
  if (auth === undefined) return 'must have both a user and a password, percent-encoded, or neither';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (implicitTls ? 465 : 587) : Number(url.port),
    implicitTls,
    requireTls: implicitTls || (requireTls === null ? !loopback.has(url.hostname) : requireTls === 'true'),
    auth,
  };
}

function authOf({ username, password }: URL): SmtpServer['auth'] | undefined {
  if (username === '' && password === '') return null;
  if (username === '' || password === '') return undefined;
  try {
    return { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}
