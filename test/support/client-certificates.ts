import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PublicJwk } from '../../src/kernel/public-keys.js';

/** PEM. */
export interface Identity {
  key: string;
  cert: string;
}

export interface ClientAuthority {
  certificate: string;
  /** A certificate with this subject (`/O=Acme/CN=job`) and these alternative names. */
  issue(subject: string, names?: string): Identity;
  /** One whose day was in 2020. */
  issueExpired(subject: string): Identity;
  remove(): void;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(...options: string[]): void {
  execFileSync('openssl', options, { stdio: 'ignore' });
}

/** An authority for certificates of clients. Needs openssl. */
export function makeClientAuthority(name: string): ClientAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'clients-'));
  const at = (file: string): string => join(folder, file);
  const made = (): Identity => ({
    key: readFileSync(at('one.key'), 'utf8'),
    cert: readFileSync(at('one.pem'), 'utf8'),
  });
  const own = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', `/CN=${name}`];
  openssl('req', '-x509', '-days', '1', ...newKey, ...own, '-addext', 'keyUsage=keyCertSign');
  return {
    certificate: readFileSync(at('ca.pem'), 'utf8'),
    issue(subject, names) {
      const issuer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-addext', 'basicConstraints=critical,CA:FALSE'];
      const extensions = names === undefined ? [] : ['-addext', `subjectAltName=${names}`];
      const files = ['-keyout', at('one.key'), '-out', at('one.pem'), '-subj', subject];
      openssl('req', '-x509', '-days', '1', '-utf8', ...newKey, ...files, ...issuer, ...extensions);
      return made();
    },
    issueExpired(subject) {
      const config = `[ca]\ndefault_ca=it\n[it]\ndatabase=${at('db')}\nnew_certs_dir=${folder}\nrand_serial=yes
default_md=sha256\npolicy=any\nunique_subject=no\n[any]\norganizationName=optional\ncommonName=supplied\n`;
      writeFileSync(at('ca.cnf'), config);
      writeFileSync(at('db'), '');
      openssl('req', ...newKey, '-keyout', at('one.key'), '-out', at('one.csr'), '-subj', subject);
      const dates = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
      const files = ['-cert', at('ca.pem'), '-keyfile', at('ca.key'), '-in', at('one.csr'), '-out', at('one.pem')];
      openssl('ca', '-batch', '-notext', '-config', at('ca.cnf'), ...dates, ...files);
      return made();
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** A certificate that nobody stands behind, for a day. */
export function makeSelfSigned(subject: string): Identity {
  const folder = mkdtempSync(join(tmpdir(), 'clients-'));
  try {
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    openssl('req', '-x509', '-days', '1', ...newKey, '-keyout', key, '-out', cert, '-subj', subject);
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The public key with its certificate, as it is registered for `self_signed_tls_client_auth`. */
export function certifiedJwk({ cert }: Identity): PublicJwk & Record<string, unknown> {
  const certificate = new X509Certificate(cert);
  const jwk = certificate.publicKey.export({ format: 'jwk' });
  return { ...jwk, x5c: [certificate.raw.toString('base64')] } as PublicJwk & Record<string, unknown>;
}

/** RFC 8705 §3.1. */
export function thumbprintOf({ cert }: Identity): string {
  const hex = new X509Certificate(cert).fingerprint256.replaceAll(':', '');
  return Buffer.from(hex, 'hex').toString('base64url');
}
