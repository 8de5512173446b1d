import type { X509Certificate } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import { distinguishedNameOfSubject, normalizeDistinguishedName } from '../kernel/distinguished-name.js';

interface AlternativeName {
  kind: string;
  value: string;
}

/** Under which kind Node shows the names of a member of RFC 8705 §2.1.2, and the spelling in which they are compared. */
const alternatives: Readonly<Record<string, { kind: string; spelling(value: string): string }>> = {
  tls_client_auth_san_dns: { kind: 'DNS', spelling: (name) => name.toLowerCase() },
  tls_client_auth_san_uri: { kind: 'URI', spelling: (uri) => uri },
  tls_client_auth_san_ip: { kind: 'IP Address', spelling: addressAsOne },
  tls_client_auth_san_email: { kind: 'email', spelling: withSmallDomain },
};

/**
 * Whether the certificate is of this subject. A name of the certificate is compared whole, as a text: a wildcard in it
 * stands for nothing.
 */
export function isOfSubject(certificate: X509Certificate, member: string, expected: string): boolean {
  if (member === 'tls_client_auth_subject_dn') {
    const name = distinguishedNameOfSubject(certificate.subject);
    return name !== null && name === normalizeDistinguishedName(expected);
  }
  const { kind: wanted, spelling } = alternatives[member] ?? {};
  if (wanted === undefined || spelling === undefined) return false;
  const names = alternativeNamesOf(certificate.subjectAltName ?? '').filter(({ kind }) => kind === wanted);
  return names.some(({ value }) => spelling(value) === spelling(expected));
}

/** Node puts into quotes, as JSON, whatever could be taken for the next name. */
function alternativeNamesOf(text: string): AlternativeName[] {
  const names: AlternativeName[] = [];
  const next = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/gy;
  let end = 0;
  for (const [whole, kind = '', shown = ''] of text.matchAll(next)) {
    end += whole.length;
    names.push({ kind, value: shown.startsWith('"') ? String(JSON.parse(shown)) : shown });
  }
  return end === text.length ? names : []; // what is not understood whole is not understood
}

function addressAsOne(address: string): string {
  const version = isIP(address);
  if (version === 0) return address;
  return new SocketAddress({ address, family: version === 4 ? 'ipv4' : 'ipv6' }).address;
}

function withSmallDomain(address: string): string {
  const at = address.lastIndexOf('@');
  return address.slice(0, at) + address.slice(at).toLowerCase();
}
