import type { z } from 'zod';
import {
  clientAuthentication as registered,
  refuseClientAuthentication,
  type ClientAuthentication,
} from './client-authentication.js';

/** How a client proves who it is and to what its tokens are bound, beside the method: RFC 7591 in camelCase. */
export const authenticationMembers = {
  tokenEndpointAuthSigningAlg: registered.token_endpoint_auth_signing_alg.nullable(),
  jwks: registered.jwks.nullable(),
  jwksUri: registered.jwks_uri.nullable(),
  tlsClientAuthSubjectDn: registered.tls_client_auth_subject_dn.nullable(),
  tlsClientAuthSanDns: registered.tls_client_auth_san_dns.nullable(),
  tlsClientAuthSanUri: registered.tls_client_auth_san_uri.nullable(),
  tlsClientAuthSanIp: registered.tls_client_auth_san_ip.nullable(),
  tlsClientAuthSanEmail: registered.tls_client_auth_san_email.nullable(),
  tlsClientCertificateBoundAccessTokens: registered.tls_client_certificate_bound_access_tokens.nullable(),
  dpopBoundAccessTokens: registered.dpop_bound_access_tokens.nullable(),
};

type Members = z.output<z.ZodObject<typeof authenticationMembers>>;
/** What is null is not there. */
export type AuthenticationDraft = { tokenEndpointAuthMethod: string } & Members;
/** The same, with everything named. */
export type AuthenticationShown = { tokenEndpointAuthMethod: string } & {
  [Name in keyof Members]-?: Exclude<Members[Name], undefined>;
};

const names = ['tokenEndpointAuthMethod', ...Object.keys(authenticationMembers)] as (keyof AuthenticationDraft)[];

/** As they stand in a registration. */
export const authenticationMetadata: readonly string[] = names.map(inMetadata);

/** Without members that are there and undefined. */
type Metadata = { [Name in keyof ClientAuthentication]: Exclude<ClientAuthentication[Name], undefined> };

export function authenticationFrom(draft: AuthenticationDraft): Metadata {
  const given = names.filter((name) => (draft[name] ?? null) !== null);
  return Object.fromEntries(given.map((name) => [inMetadata(name), draft[name]])) as unknown as Metadata;
}

export function authenticationShown(authentication: object): AuthenticationShown {
  const members = authentication as Record<string, unknown>;
  return Object.fromEntries(names.map((name) => [name, members[inMetadata(name)] ?? null])) as AuthenticationShown;
}

export interface AuthenticationProblem {
  path: (string | number)[];
  message: string;
}

/** What is wrong between the members. */
export function authenticationProblems(draft: AuthenticationDraft): AuthenticationProblem[] {
  const found: AuthenticationProblem[] = [];
  const shown = (text: string): string => names.reduce((said, name) => said.replaceAll(inMetadata(name), name), text);
  refuseClientAuthentication(authenticationFrom(draft), ([member, ...rest], message) =>
    found.push({ path: [shown(String(member)), ...rest], message: shown(message) }),
  );
  return found;
}

function inMetadata(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
