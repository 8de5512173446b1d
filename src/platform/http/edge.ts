import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AppError } from '../../kernel/errors.js';
import { claimsAboutCertificates, keepHandedOver } from './client-certificates.js';
import { refuseExcess, type FormLimits } from './form-body.js';

export interface EdgeOptions {
  issuer: string;
  /** How many proxies in front may be believed about the client address; 0 believes none. */
  trustedProxies: number;
  /** In which the nearest of them hands over the certificate of the client; undefined: none does. */
  certificateHeader?: string | undefined;
  limits: { urlBytes: number; headers: number } & Omit<FormLimits, 'bodyBytes'>;
}

/** Whatever a client may write about where a request comes from or goes to. */
const claimsAboutTheRequest =
  /^(forwarded|via|x-forwarded-.*|x_forwarded_.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|x-original-.*|x-rewrite-url|x-http-method-override|x-host|x-url-scheme|front-end-https)$/;

/** Encoded or doubled separators and dot segments: two parsers would read two paths. */
const ambiguousPath = /%(?:2e|2f|5c|00)|\\|\/\/|\/\.{1,2}(?:\/|$)|;/i;

/**
 * The one place that decides what is believed about a request. Behind it, `host`, `x-forwarded-proto` and
 * `x-forwarded-for` are ours: the issuer's host and scheme, and the client address by the count of trusted proxies.
 * The OIDC library builds its URLs from these headers, so nothing a client writes may reach it.
 * The function it gives throws 400, 414, 421 or 431.
 */
export function requestPinner(options: EdgeOptions): (req: IncomingMessage) => void {
  const { issuer, trustedProxies, certificateHeader, limits } = options;
  const { host, protocol } = new URL(issuer);
  const scheme = protocol.slice(0, -1);
  const hostNames = hostNamesOf(new URL(issuer));

  return (req) => {
    const target = req.url ?? '';
    if (req.rawHeaders.length > 2 * limits.headers) {
      throw refused(431, 'request.too_many_headers', 'The request has too many headers.');
    }
    if (target.length > limits.urlBytes) throw refused(414, 'request.url_too_long', 'The URL is too long.');
    if (!target.startsWith('/')) throw refused(400, 'request.bad_target', 'The request target must be a path.');
    const [path, query] = splitOnce(target, '?');
    if (ambiguousPath.test(path)) throw refused(400, 'request.bad_path', 'The path is ambiguous.');
    if (query !== '') refuseExcess(query, limits);
    const hosts = countHosts(req.rawHeaders);
    if (hosts > 1) throw refused(400, 'request.bad_host', 'The request names more than one host.');
    if (hosts === 0 && req.httpVersion !== '1.0') throw refused(400, 'request.no_host', 'The request names no host.');
    // probes of an orchestrator come by address
    if (!hostNames.has(req.headers.host?.toLowerCase() ?? '') && !path.startsWith('/health/')) {
      throw refused(421, 'request.misdirected', `This server answers as ${issuer} only.`);
    }

    const address = clientAddress(req, trustedProxies);
    if (certificateHeader !== undefined) keepHandedOver(req, certificateHeader);
    for (const name in req.headers) {
      if (claimsAboutTheRequest.test(name) || claimsAboutCertificates.test(name)) delete req.headers[name];
    }
    req.headers.host = host;
    req.headers['x-forwarded-proto'] = scheme;
    req.headers['x-forwarded-for'] = address;
  };
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}

/** With or without the scheme's own port. */
function hostNamesOf({ host, port, protocol }: URL): Set<string> {
  return new Set(port === '' ? [host, host + (protocol === 'https:' ? ':443' : ':80')] : [host]);
}

/** The nth address from the right of X-Forwarded-For, n = trusted proxies; the socket's where that is no address. */
function clientAddress(req: IncomingMessage, trustedProxies: number): string {
  const socketAddress = withoutMapping(req.socket.remoteAddress ?? '');
  if (trustedProxies === 0) return socketAddress;
  const header = req.headers['x-forwarded-for'];
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map((hop) => hop.trim());
  const hop = withoutMapping(hops.at(-trustedProxies) ?? '');
  return isIP(hop) ? hop : socketAddress;
}

/** ::ffff:192.0.2.1 is 192.0.2.1 */
function withoutMapping(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function refused(status: number, code: string, detail: string): AppError {
  return new AppError(code, { status, detail });
}
