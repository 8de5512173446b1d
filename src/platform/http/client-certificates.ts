import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../../kernel/time.js';

export interface ClientCertificateOptions {
  /** The header in which a trusted proxy hands it over, in lower case; undefined: it is that of our own connection. */
  header: string | undefined;
  /** PEM. None: the proxy has verified whatever comes. */
  authorities: readonly string[];
}

/** The certificate with which the client of a request has authenticated TLS (RFC 8705). */
export interface ClientCertificates {
  /** One that is valid now, whoever issued it: the client holds its key. */
  presentedBy(req: IncomingMessage): X509Certificate | undefined;
  /** Whether an authority that is trusted with clients stands behind it. */
  isTrusted(req: IncomingMessage): boolean;
}

const handedOver = Symbol('certificate as the proxy wrote it');
type Request = IncomingMessage & { [handedOver]?: string };

/** What a proxy or somebody else may say about a certificate, in any of the usual spellings. */
export const claimsAboutCertificates = /^(?:.*cert.*|(?:x[-_])?ssl[-_].*)$/;

/** Called by the edge, before it removes the header. A header that came twice was not overwritten by the proxy. */
export function keepHandedOver(req: Request, header: string): void {
  const values = req.headersDistinct[header] ?? [];
  if (values.length === 1) req[handedOver] = values[0] as string;
}

export function clientCertificates(options: ClientCertificateOptions, now: Clock): ClientCertificates {
  const authorities = options.authorities.map((pem) => new X509Certificate(pem));

  function presentedBy(req: Request): X509Certificate | undefined {
    const certificate = options.header === undefined ? ofConnection(req) : parse(req[handedOver]);
    return certificate && isValidAt(certificate, now()) ? certificate : undefined;
  }

  function isIssued(certificate: X509Certificate): boolean {
    return (
      isForClients(certificate) &&
      authorities.some(
        (authority) =>
          isValidAt(authority, now()) && certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
      )
    );
  }

  return {
    presentedBy,
    isTrusted(req) {
      const certificate = presentedBy(req);
      if (!certificate) return false;
      if (options.header === undefined) return (req.socket as TLSSocket).authorized;
      return authorities.length === 0 || isIssued(certificate);
    },
  };
}

function ofConnection({ socket }: IncomingMessage): X509Certificate | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
}

/** No other beside it: what a proxy adds to the value that somebody sent is not its own word. */
const oneCertificate = /^-----BEGIN CERTIFICATE-----[\w+/=\s]+-----END CERTIFICATE-----\s*$/;

/** RFC 9440 §2.1, or PEM as `$ssl_client_escaped_cert` of nginx has it. */
function parse(text: string | undefined): X509Certificate | undefined {
  if (!text) return undefined;
  const [, base64] = /^:([\w+/]+=*):$/.exec(text) ?? [];
  try {
    if (base64 !== undefined) return new X509Certificate(Buffer.from(base64, 'base64'));
    const pem = decodeURIComponent(text);
    return oneCertificate.test(pem) ? new X509Certificate(pem) : undefined;
  } catch {
    return undefined;
  }
}

function isValidAt({ validFrom, validTo }: X509Certificate, at: Date): boolean {
  return new Date(validFrom) <= at && at <= new Date(validTo);
}

/** RFC 5280 §4.2.1.12: what names its purposes is good for no other. Node calls the extended usage `keyUsage`. */
function isForClients({ keyUsage }: X509Certificate): boolean {
  const usages = keyUsage as string[] | undefined;
  return usages === undefined || usages.some((usage) => usage === clientAuthentication || usage === anyUsage);
}

const clientAuthentication = '1.3.6.1.5.5.7.3.2';
const anyUsage = '2.5.29.37.0';
