import { z } from 'zod';
import type { Client } from '../clients/index.js';
import { AppError, type FieldProblem } from '../kernel/errors.js';
import { authenticationMembers, authenticationProblems } from '../platform/schemas/authentication-names.js';
import { authenticationMethods } from '../platform/schemas/client-authentication.js';
import type { AdministrationDeps } from './administration-deps.js';

/** How a service proves who it is with keys of its own (RFC 7523) or with a certificate (RFC 8705). */
export const clientAuthentication = z
  .strictObject({
    tokenEndpointAuthMethod: authenticationMethods
      .extract(['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'])
      .default('private_key_jwt'),
    ...authenticationMembers,
  })
  .superRefine((wanted, context) => {
    for (const { path, message } of authenticationProblems(wanted)) context.addIssue({ code: 'custom', path, message });
  });

/** Throws 400 for an address that is never called. */
export function requireOutboundUri(
  { problemOfOutboundUri }: Pick<AdministrationDeps, 'problemOfOutboundUri'>,
  uri: string | null | undefined,
  pointer = '/jwksUri',
): void {
  const detail = uri === null || uri === undefined ? null : problemOfOutboundUri(uri);
  if (detail === null) return;
  throw new AppError('uri.not_callable', {
    status: 400,
    detail: 'The server does not call this address.',
    fields: [{ pointer, code: 'not_callable', detail }],
  });
}

/** Throws 400 for what the protocol would not take. */
export async function requireAccepted(
  { checkClient }: Pick<AdministrationDeps, 'checkClient'>,
  client: Client,
): Promise<void> {
  try {
    await checkClient(client);
  } catch (error) {
    const { error_description: detail } = error as { error_description?: string };
    if (detail === undefined) throw error;
    throw unusable({ detail, cause: error });
  }
}

export function unusable(why: { detail?: string; fields?: FieldProblem[]; cause?: unknown }): AppError {
  return new AppError('client.unusable', { status: 400, detail: 'The client cannot be registered like this.', ...why });
}
