import { createHash, type X509Certificate } from 'node:crypto';
import { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { ClientCertificates } from '../platform/http/client-certificates.js';
import { isOfSubject } from './certificate-subject.js';

export interface MutualTlsDeps {
  /** Undefined: certificates of clients do not come here. */
  clientCertificates: ClientCertificates | undefined;
}

export const certificateMethods = ['tls_client_auth', 'self_signed_tls_client_auth'] as const;

/** RFC 8705. Where no certificate can come nobody brings one, so that what is bound to one stays of no use. */
export function mutualTls({
  clientCertificates,
}: MutualTlsDeps): NonNullable<NonNullable<Configuration['features']>['mTLS']> {
  const isOffered = clientCertificates !== undefined;
  const presentedBy = (ctx: KoaContextWithOIDC): X509Certificate | undefined =>
    clientCertificates?.presentedBy(ctx.req);
  return {
    enabled: isOffered,
    certificateBoundAccessTokens: isOffered,
    selfSignedTlsClientAuth: isOffered,
    tlsClientAuth: isOffered,
    getCertificate: presentedBy,
    certificateAuthorized: (ctx) => clientCertificates?.isTrusted(ctx.req) ?? false,
    certificateSubjectMatches(ctx, member, expected) {
      const certificate = presentedBy(ctx);
      return certificate !== undefined && isOfSubject(certificate, member, expected);
    },
  };
}

/** A client that is to show certificates is refused where it cannot, rather than served without them. */
export function certificateRule({ clientCertificates }: MutualTlsDeps): (needsCertificate: unknown) => void {
  return (needsCertificate) => {
    if (needsCertificate === true && clientCertificates === undefined) {
      throw new errors.InvalidClientMetadata(
        'certificates of clients do not come to this server: set TLS_CLIENT_CA or CLIENT_CERT_HEADER',
      );
    }
  };
}

/** RFC 8705 §3.1. */
export function thumbprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url');
}
