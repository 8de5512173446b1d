import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';

/** PEM itself (as `NAME_FILE` brings it), or the path of a file that holds it. */
const pem = z.string().transform((value, context) => {
  if (value.startsWith('-----BEGIN ')) return value;
  try {
    return readFileSync(value, 'utf8').trim();
  } catch {
    context.addIssue({ code: 'custom', message: 'names a file that cannot be read' });
    return z.NEVER;
  }
});

const certificates = pem.transform((value, context) => {
  const blocks = value.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => ({ block, isAuthority: new X509Certificate(block).ca }));
  } catch {
    // said below
  }
  context.addIssue({ code: 'custom', message: 'must hold certificates in PEM' });
  return z.NEVER;
});

/** The server's own certificate, then those that lead to its authority. */
export const certificateChain = certificates.transform((chain) => chain.map(({ block }) => block).join('\n'));

export const authorityCertificates = certificates
  .refine((all) => all.every(({ isAuthority }) => isAuthority), 'must hold certificates of authorities alone')
  .transform((all) => all.map(({ block }) => block));

export const privateKey = pem.refine((value) => {
  try {
    return Boolean(createPrivateKey(value));
  } catch {
    return false;
  }
}, 'must hold a private key in PEM, without a passphrase');

/** Whatever else may be in a header of this name, it is no credential and no address of ours. */
export const certificateHeader = z
  .string()
  .regex(/^[\w-]*cert[\w-]*$/i, 'must be the name of a header, one with `cert` in it')
  .transform((name) => name.toLowerCase());

/** Whether a server can start with them. */
export function belongTogether(cert: string, key: string): boolean {
  try {
    return Boolean(createSecureContext({ cert, key }));
  } catch {
    return false;
  }
}
