import type { IncomingMessage } from 'node:http';
import { AccessRefused, type Scheme } from './access-refused.js';

/** What the sender of a request shows of itself. A header that came several times is a list. */
export interface PresentedRequest {
  method: string;
  /** Absolute, as the client wrote it: a proof names the address before any proxy. */
  url: string;
  authorization?: string | readonly string[] | undefined;
  dpop?: string | readonly string[] | undefined;
  /** The certificate by which the client authenticated TLS: DER, or the SHA-256 of that in base64url. */
  clientCertificate?: Uint8Array | string | undefined;
}

export interface Credentials {
  scheme: Scheme;
  token: string;
}

/**
 * A request of Node. `origin` is the public address of the API without a path, and never taken from `Host`, which the
 * sender chooses. Where a router or a proxy changes paths, or a client authenticates with a certificate, spread the
 * result and set `url` and `clientCertificate`.
 */
export function presentedRequest(incoming: IncomingMessage, origin: string): PresentedRequest {
  const { method = '', url = '', headersDistinct } = incoming; // `headers` hides that a header came twice
  return {
    method,
    url: url.startsWith('/') ? origin + url : '', // other forms of a request target name an origin of their own
    authorization: headersDistinct['authorization'],
    dpop: headersDistinct['dpop'],
  };
}

/** RFC 6750 §2.1 and RFC 9449 §7.1. Tokens in the query or in a form are not looked for. */
export function parseCredentials(authorization: PresentedRequest['authorization']): Credentials {
  const values = valuesOf(authorization);
  const named = /^(Bearer|DPoP)(?: |$)/i.exec(values[0] ?? '')?.[1];
  if (named === undefined && values.length < 2) throw new AccessRefused(null, 'an access token is needed');
  const scheme = named?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer';
  const token = /^\w+ +([\w.~+/-]+=*)$/.exec(values[0] ?? '')?.[1];
  if (values.length !== 1 || token === undefined) {
    throw new AccessRefused('invalid_token', 'the header Authorization must hold one access token', { scheme });
  }
  return { scheme, token };
}

export function valuesOf(header: string | readonly string[] | undefined): readonly string[] {
  if (header === undefined) return [];
  return typeof header === 'string' ? [header] : header;
}
