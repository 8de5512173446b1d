import { constants } from 'node:crypto';
import type { TlsOptions } from 'node:tls';

export interface ServerTls {
  /** PEM: its own certificate, then those that lead to its authority. */
  certificates: string;
  /** PEM. */
  key: string;
  /** PEM, those whose signature counts on a client certificate; null: none is asked for. */
  clientAuthorities: readonly string[] | null;
}

/** Of TLS 1.2 those that RFC 9325 §4.2 recommends, as FAPI 2.0 wants it; then those of TLS 1.3. */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
].join(':');

export function tlsOptions(tls: ServerTls, handshakeTimeout: number): TlsOptions {
  return {
    ...{ cert: tls.certificates, key: tls.key, ciphers, handshakeTimeout, minVersion: 'TLSv1.2' },
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(tls.clientAuthorities === null ? {} : askForCertificate(tls.clientAuthorities)),
  };
}

/** Asked for and never demanded: browsers come too, and whether one is good enough depends on who comes with it. */
function askForCertificate(authorities: readonly string[]): TlsOptions {
  return {
    requestCert: true,
    rejectUnauthorized: false,
    ca: [...authorities],
    allowPartialTrustChain: true, // each of them is trusted by itself, with what it has signed
  };
}
