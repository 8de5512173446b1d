import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Client, ClientMetadata } from '../clients/index.js';
import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { given } from '../kernel/given.js';
import { problemOfRedirectUri } from '../kernel/redirect-uri.js';
import { randomSecret } from '../kernel/secret.js';
import type { Tx } from '../platform/mongo/transactions.js';
import {
  authenticationFrom,
  authenticationMembers,
  authenticationMetadata,
  authenticationProblems,
  authenticationShown,
  type AuthenticationShown,
} from '../platform/schemas/authentication-names.js';
import { authenticationMethods } from '../platform/schemas/client-authentication.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireOperator } from './grantable.js';
import { nameText, parsed, type Precondition } from './input.js';
import { requireAccepted, requireOutboundUri, unusable } from './client-input.js';

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;
const uris = z.array(z.string().max(500)).max(100).refine(unique, 'must not repeat a value');
const webUri = z
  .string()
  .max(500)
  .refine((value) => value.startsWith('https://') && URL.canParse(value), 'must be an https URI');

/** OAuth clients in the words of RFC 7591 §2, in camelCase. */
const members = {
  name: nameText(200),
  clientUri: webUri.nullable(),
  policyUri: webUri.nullable(),
  tosUri: webUri.nullable(),
  applicationType: z.enum(['web', 'native']),
  redirectUris: uris,
  postLogoutRedirectUris: uris,
  backchannelLogoutUri: z.string().max(500).nullable(),
  backchannelLogoutSessionRequired: z.boolean(),
  grantTypes: z
    .array(
      z.enum([
        ...(['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'] as const),
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ]),
    )
    .min(1)
    .refine(unique, 'must not repeat a value'),
  tokenEndpointAuthMethod: authenticationMethods,
  ...authenticationMembers,
  defaultAcrValues: z
    .array(z.enum(['aal1', 'aal2']))
    .max(2)
    .refine(unique, 'must not repeat a value'),
  resources: z.array(z.string().max(500)).max(100).refine(unique, 'must not repeat a value'),
  requirePkce: z.boolean(),
  firstParty: z.boolean(),
  signUp: z.boolean(),
};

export const newClientSchema = z.strictObject({
  ...members,
  clientUri: members.clientUri.default(null),
  policyUri: members.policyUri.default(null),
  tosUri: members.tosUri.default(null),
  applicationType: members.applicationType.default('web'),
  redirectUris: members.redirectUris.default([]),
  postLogoutRedirectUris: members.postLogoutRedirectUris.default([]),
  backchannelLogoutUri: members.backchannelLogoutUri.default(null),
  backchannelLogoutSessionRequired: members.backchannelLogoutSessionRequired.default(true),
  grantTypes: members.grantTypes.default(['authorization_code', 'refresh_token']),
  tokenEndpointAuthMethod: members.tokenEndpointAuthMethod.default('client_secret_basic'),
  defaultAcrValues: members.defaultAcrValues.default([]),
  resources: members.resources.default([]),
  requirePkce: members.requirePkce.default(true),
  firstParty: members.firstParty.default(false),
  signUp: members.signUp.default(false),
});
export const clientChangesSchema = z.strictObject(members).partial();
export type ClientDraft = z.output<typeof newClientSchema>;

export interface ClientReference {
  tenantId: string;
  clientId: string;
}

/** What says nothing about what a client may do, and how. */
const onlyShown = new Set(['name', 'clientUri', 'policyUri', 'tosUri']);
const mostClients = 500;
const liveSecrets = 2;

/** A client that yields tokens of this tenant alone; its secret, if it has one, is given out this once. */
export async function createClient(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  input: z.input<typeof newClientSchema>,
): Promise<{ client: Client; secret: string | null }> {
  const draft = parsed(newClientSchema, input);
  if (draft.firstParty) requireOperator(by);
  const secret = takesSecret(draft) ? randomSecret() : null;
  const ids = { clientId: `app_${randomBytes(16).toString('hex')}`, tenantId, createdAt: deps.now() };
  const client = clientFrom(draft, { ...ids, actors: [], scope: null });
  if (secret !== null) client.secretHashes = [deps.clients.hashSecret(secret)];
  await requireUsable(deps, draft, client);
  await deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    requireClients(deps, tenant);
    if ((await deps.clients.countApplications(tx, tenantId)) >= mostClients)
      throw new AppError('client.too_many', { status: 409, detail: `A tenant has ${mostClients} clients at most.` });
    await deps.clients.createClient(tx, by.actor, client);
  });
  return { client, secret };
}

export async function changeClient(
  deps: AdministrationDeps,
  by: Authority,
  reference: ClientReference,
  { changes: input, precondition }: { changes: z.input<typeof clientChangesSchema>; precondition?: Precondition },
): Promise<Client> {
  const changes = given(parsed(clientChangesSchema, input));
  return deps.inTransaction(async (tx) => {
    const before = await heldClient(deps, tx, reference);
    precondition?.(before);
    const draft = { ...draftOf(before), ...changes };
    // people are not asked for what operators have looked at: it does not become something else
    const isLooked = before.firstParty || draft.firstParty;
    if (isLooked && Object.keys(changes).some((name) => !onlyShown.has(name))) requireOperator(by);
    const { clientId, tenantId, createdAt, actors, scope, secretHashes } = before;
    const client = clientFrom(draft, { clientId, tenantId, createdAt, actors, scope });
    // what the API does not show stays as it is
    client.metadata = { ...unshown(before.metadata), ...client.metadata };
    client.secretHashes = takesSecret(draft) ? secretHashes : [];
    await requireUsable(deps, draft, client);
    await deps.clients.updateClient(tx, by.actor, before, client);
    return client;
  });
}

/** A new secret, given out this once; the one before stays good until the next one, so that apps can be brought over. */
export async function rotateClientSecret(
  deps: AdministrationDeps,
  by: Authority,
  reference: ClientReference,
): Promise<{ client: Client; secret: string }> {
  const secret = randomSecret();
  const client = await deps.inTransaction(async (tx) => {
    const before = await heldClient(deps, tx, reference);
    if (before.firstParty) requireOperator(by);
    if (!takesSecret(draftOf(before)))
      throw new AppError('client.has_no_secret', { status: 409, detail: 'The client proves itself without a secret.' });
    const secretHashes = [deps.clients.hashSecret(secret), ...before.secretHashes].slice(0, liveSecrets);
    const after = { ...before, secretHashes };
    await deps.clients.updateClient(tx, by.actor, before, after);
    return after;
  });
  return { client, secret };
}

/** With what people granted to it. */
export async function deleteClient(deps: AdministrationDeps, by: Authority, reference: ClientReference): Promise<void> {
  await deps.inTransaction(async (tx) => {
    await deps.clients.deleteClient(tx, by.actor, await heldClient(deps, tx, reference));
  });
  await deps.endings.endAllGrantsOf(by.actor, { clientId: reference.clientId });
}

/** As a draft, which is what the API shows of it. */
export function draftOf(client: Client): ClientDraft {
  const { metadata, resources, requirePkce, firstParty, signUp = client.tenantId === null } = client;
  return {
    ...{ name: metadata.client_name ?? '', clientUri: metadata.client_uri ?? null },
    ...{ policyUri: metadata.policy_uri ?? null, tosUri: metadata.tos_uri ?? null },
    ...{ applicationType: metadata.application_type ?? 'web', redirectUris: metadata.redirect_uris ?? [] },
    postLogoutRedirectUris: metadata.post_logout_redirect_uris ?? [],
    backchannelLogoutUri: metadata.backchannel_logout_uri ?? null,
    backchannelLogoutSessionRequired: metadata.backchannel_logout_session_required ?? true,
    grantTypes: metadata.grant_types as ClientDraft['grantTypes'],
    defaultAcrValues: (metadata.default_acr_values ?? []) as ClientDraft['defaultAcrValues'],
    ...{ ...(authenticationShown(metadata) as Pick<ClientDraft, keyof AuthenticationShown>), resources, requirePkce },
    ...{ firstParty, signUp },
  };
}

function clientFrom(
  draft: ClientDraft,
  own: Pick<Client, 'clientId' | 'tenantId' | 'createdAt' | 'actors' | 'scope'>,
): Client {
  const { resources, requirePkce, firstParty, signUp } = draft;
  const metadata: ClientMetadata = {
    client_name: draft.name,
    ...(draft.clientUri === null ? {} : { client_uri: draft.clientUri }),
    ...(draft.policyUri === null ? {} : { policy_uri: draft.policyUri }),
    ...(draft.tosUri === null ? {} : { tos_uri: draft.tosUri }),
    application_type: draft.applicationType,
    ...{ redirect_uris: draft.redirectUris, post_logout_redirect_uris: draft.postLogoutRedirectUris },
    ...logoutMetadata(draft),
    grant_types: draft.grantTypes,
    response_types: draft.grantTypes.includes('authorization_code') ? ['code'] : [],
    ...authenticationFrom(draft),
    ...(draft.defaultAcrValues.length === 0 ? {} : { default_acr_values: draft.defaultAcrValues }),
  };
  return { ...own, kind: 'application', firstParty, signUp, requirePkce, resources, secretHashes: [], metadata };
}

/** Whether it wants to know which session stands beside an address alone. */
function logoutMetadata({
  backchannelLogoutUri: uri,
  backchannelLogoutSessionRequired: required,
}: ClientDraft): Partial<ClientMetadata> {
  return uri === null ? {} : { backchannel_logout_uri: uri, backchannel_logout_session_required: required };
}

const shownMetadata = new Set([
  ...['client_name', 'client_uri', 'policy_uri', 'tos_uri', 'application_type', 'redirect_uris'],
  ...['backchannel_logout_uri', 'backchannel_logout_session_required'],
  ...['post_logout_redirect_uris', 'grant_types', 'response_types', 'default_acr_values'],
  ...authenticationMetadata,
]);

function unshown(metadata: ClientMetadata): Partial<ClientMetadata> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !shownMetadata.has(name)));
}

function takesSecret({ tokenEndpointAuthMethod: method }: ClientDraft): boolean {
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

/** Throws 400 with pointers: what our rules refuse, and then what the library would. */
async function requireUsable(deps: AdministrationDeps, draft: ClientDraft, client: Client): Promise<void> {
  const fields = [
    ...uriProblems(draft, 'redirectUris'),
    ...uriProblems(draft, 'postLogoutRedirectUris'),
    ...combinationProblems(draft),
  ];
  requireOutboundUri(deps, draft.jwksUri);
  requireOutboundUri(deps, draft.backchannelLogoutUri, '/backchannelLogoutUri');
  const known = new Set((await deps.listResources()).map(({ identifier }) => identifier));
  for (const [index, identifier] of draft.resources.entries())
    if (!known.has(identifier)) fields.push(problem(`/resources/${index}`, 'names no resource'));
  if (fields.length > 0) throw unusable({ fields });
  await requireAccepted(deps, client);
}

type Problem = { pointer: string; code: string; detail: string };

function problem(pointer: string, detail: string): Problem {
  return { pointer, code: 'invalid', detail };
}

function uriProblems(draft: ClientDraft, member: 'redirectUris' | 'postLogoutRedirectUris'): Problem[] {
  return draft[member].flatMap((uri, index) => {
    const detail = problemOfRedirectUri(uri, draft.applicationType);
    return detail === null ? [] : [problem(`/${member}/${index}`, detail)];
  });
}

function combinationProblems(draft: ClientDraft): Problem[] {
  const { tokenEndpointAuthMethod: method, requirePkce, grantTypes, redirectUris } = draft;
  const found = authenticationProblems(draft).map(({ path, message }) => problem(`/${path.join('/')}`, message));
  if (method === 'none' && !requirePkce)
    found.push(problem('/requirePkce', 'can only be false for confidential clients'));
  if (grantTypes.includes('authorization_code') && redirectUris.length === 0)
    found.push(problem('/redirectUris', 'is missing: the code has to be sent somewhere'));
  return found;
}

async function heldClient(deps: AdministrationDeps, tx: Tx, reference: ClientReference): Promise<Client> {
  await deps.tenants.holdTenant(tx, reference.tenantId);
  const client = await deps.clients.findClient(reference.clientId, tx);
  if (client?.kind === 'application' && client.tenantId === reference.tenantId) return client;
  throw noClient();
}

export function noClient(): AppError {
  return new AppError('client.not_found', { status: 404, detail: 'There is no such client.' });
}

function requireClients(deps: AdministrationDeps, tenant: Tenant): void {
  const { clients, name } = deps.tenantTypes[tenant.type];
  if (clients) return;
  throw new AppError('client.not_in_type', { status: 409, detail: `${name} tenants own no clients.` });
}
