import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Authority {
  /** Its own certificate, for who is to trust it. */
  certificate: string;
  /** A certificate of it for hosts on this machine, with the key. */
  host: { key: string; cert: string };
}

/** The name that the certificate of a host has beside its addresses; no name server knows it. */
export const hostName = 'keys.example.com';

/** A certificate authority that lives for a day. Needs openssl. */
export function makeAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'authority-'));
  const at = (name: string): string => join(folder, name);
  const make = (name: string, ...others: string[]): void => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(`${name}.key`)];
    execFileSync('openssl', ['req', '-x509', '-days', '1', ...key, '-out', at(`${name}.pem`), ...others], {
      stdio: 'ignore',
    });
  };
  try {
    make('authority', '-subj', '/CN=Authority of a test', '-addext', 'keyUsage=keyCertSign');
    const names = `subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost,DNS:${hostName}`;
    const issuer = ['-CA', at('authority.pem'), '-CAkey', at('authority.key')];
    make('host', ...issuer, '-subj', '/CN=A host', '-addext', names, '-addext', 'basicConstraints=CA:FALSE');
    const text = (name: string): string => readFileSync(at(name), 'utf8');
    return { certificate: text('authority.pem'), host: { key: text('host.key'), cert: text('host.pem') } };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
