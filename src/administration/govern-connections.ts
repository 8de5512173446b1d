import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { Connection } from '../connections/index.js';
import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { given } from '../kernel/given.js';
import { newId } from '../kernel/ids.js';
import type { PublicJwk } from '../kernel/public-keys.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import {
  connectionChanges,
  connectionProblems,
  draftFrom,
  newConnection,
  secretMemberFor,
  type ConnectionDraft,
} from '../platform/schemas/connection.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireGrantable, requireOperator, rolesNamed, rolesOfTenant } from './grantable.js';
import { parsed, type Precondition } from './input.js';

export const newConnectionSchema = newConnection;
export const connectionChangesSchema = connectionChanges;

export interface ConnectionReference {
  tenantId: string;
  connectionId: string;
}

type Given = Pick<z.output<typeof connectionChanges>, 'clientSecret' | 'signingKey'>;

/** Members by which a provider is believed in more. */
const ofTrust = ['clientId', 'claims', 'idTokenAlgorithm', 'authoritative', 'makesAccounts'] as const;

/** 409 without the feature in the plan, with too many, or when another one of the tenant has its key. */
export async function createConnection(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  input: z.input<typeof newConnection>,
): Promise<Connection> {
  const { key, preset, ...wanted } = parsed(newConnection, input);
  const draft = draftFrom(presetNamed(deps, preset), wanted);
  if (draft.authoritative) requireOperator(by);
  const { secret, publicKey } = await secretFor(deps, draft, wanted);
  const id = newId('con');
  const at = deps.now();
  const own = { id, tenantId, key: key ?? `c-${randomBytes(8).toString('hex')}`, createdAt: at, updatedAt: at };
  const connection = deps.connections.connectionFrom(draft, { ...own, publicKey });
  await orKeyTaken(
    deps.inTransaction(async (tx) => {
      const tenant = await deps.tenants.holdTenant(tx, tenantId);
      if (!deps.mayHaveConnections(tenant)) throw notInPlan();
      await requireSound(deps, tx, { draft, tenant });
      await requireGivable(deps, tx, by, { tenant, draft });
      const { ofTenant } = deps.connectionLimits;
      if ((await deps.connections.countConnections(tx, tenantId)) >= ofTenant)
        throw new AppError('connection.too_many', {
          status: 409,
          detail: `A tenant has ${ofTenant} connections at most.`,
        });
      await deps.connections.createConnection(tx, by.actor, connection, secret);
    }),
  );
  return connection;
}

export async function changeConnection(
  deps: AdministrationDeps,
  by: Authority,
  reference: ConnectionReference,
  { changes: input, precondition }: { changes: z.input<typeof connectionChanges>; precondition?: Precondition },
): Promise<Connection> {
  const changes = given(parsed(connectionChanges, input));
  const changed = await deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, reference.tenantId);
    const before = await heldConnection(deps, tx, reference);
    precondition?.(before);
    const former = deps.connections.draftOf(before);
    const draft = draftFrom(former, changes);
    const ofTrustChanged = ofTrust.filter((name) => JSON.stringify(draft[name]) !== JSON.stringify(former[name]));
    // what operators have looked at does not become something else
    if ((former.authoritative || draft.authoritative) && ofTrustChanged.length > 0) requireOperator(by);
    if (ofTrustChanged.length > 0) await requireDomainsToo(deps, tx, by, reference);
    await requireSound(deps, tx, { draft, tenant });
    await requireGivable(deps, tx, by, { tenant, draft });
    const needsSecret = draft.authentication !== former.authentication;
    const isSecretGiven = changes.clientSecret !== undefined || changes.signingKey !== undefined;
    const replaced = needsSecret || isSecretGiven ? await secretFor(deps, draft, changes) : null;
    const { id, tenantId, key, createdAt } = before;
    const connection = deps.connections.connectionFrom(draft, {
      ...{ id, tenantId, key, createdAt, updatedAt: later(before.updatedAt, deps.now()) },
      publicKey: replaced ? replaced.publicKey : before.publicKey,
    });
    await deps.connections.updateConnection(tx, by.actor, connection, replaced?.secret);
    return connection;
  });
  const isClosing = changes.status !== undefined || changes.mode !== undefined;
  // also where it was closed before: an ending that was cut short is made good by asking again
  if (isClosing && !deps.isWayIn(changed))
    await deps.endings.endAllOpenedBy(by.actor, { connectionId: reference.connectionId });
  return changed;
}

/**
 * With who people are by it and what it has opened: whoever has no other way in comes in by recovery. 409 while a domain
 * leads to it, for then recovery may be closed. It is closed first, so that one that is cut short is made good by
 * asking again.
 */
export async function deleteConnection(
  deps: AdministrationDeps,
  by: Authority,
  reference: ConnectionReference,
): Promise<void> {
  for (let isEnded = false; ; isEnded = true) {
    const isDeleted = await deps.inTransaction(async (tx) => {
      const connection = await deletableConnection(deps, tx, by, reference);
      const isOpen = deps.isWayIn(connection); // again, where somebody opens it meanwhile
      if (isOpen) await closeConnection(deps, tx, by, connection);
      else if (isEnded) {
        await deps.connections.deleteConnection(tx, by.actor, connection);
        await deps.forgetIdentitiesOfConnection(tx, connection);
      }
      return !isOpen && isEnded;
    });
    if (isDeleted) return;
    await deps.endings.endAllOpenedBy(by.actor, { connectionId: reference.connectionId });
  }
}

async function closeConnection(deps: AdministrationDeps, tx: Tx, by: Authority, connection: Connection): Promise<void> {
  const closed = { status: 'disabled', updatedAt: later(connection.updatedAt, deps.now()) } as const;
  await deps.connections.updateConnection(tx, by.actor, { ...connection, ...closed });
}

async function deletableConnection(
  deps: AdministrationDeps,
  tx: Tx,
  by: Authority,
  reference: ConnectionReference,
): Promise<Connection> {
  await deps.tenants.holdTenant(tx, reference.tenantId);
  const connection = await heldConnection(deps, tx, reference);
  if (connection.isAuthoritative) requireOperator(by);
  if (!(await deps.domains.isConnectionNamed(tx, reference.tenantId, reference.connectionId))) return connection;
  throw new AppError('connection.in_use', {
    status: 409,
    detail: 'A domain leads to this connection. Let it lead elsewhere, or nowhere, first.',
  });
}

/** By a domain a connection opens whole accounts, which is more than who writes connections alone may give anybody. */
async function requireDomainsToo(
  deps: AdministrationDeps,
  tx: Tx,
  by: Authority,
  { tenantId, connectionId }: ConnectionReference,
): Promise<void> {
  if (by.allows('domains:write') || !(await deps.domains.isConnectionNamed(tx, tenantId, connectionId))) return;
  throw new AppError('connection.of_domain', {
    status: 403,
    detail: 'A domain leads to this connection. How far it is believed is changed by who may write domains too.',
  });
}

/** Throws 404. */
export async function getConnection(
  deps: AdministrationDeps,
  { tenantId, connectionId }: ConnectionReference,
): Promise<Connection> {
  const connection = await deps.connections.findConnection(tenantId, connectionId);
  if (connection) return connection;
  throw noConnection();
}

async function secretFor(
  { connections }: AdministrationDeps,
  draft: ConnectionDraft,
  wanted: Given,
): Promise<{ secret: string; publicKey: PublicJwk | null }> {
  const member = secretMemberFor(draft.authentication);
  const others = (['clientSecret', 'signingKey'] as const).filter((name) => name !== member);
  const useless = others.find((name) => wanted[name] !== undefined);
  if (useless !== undefined) throw unusable([problem(`/${useless}`, `is of no use with ${draft.authentication}`)]);
  if (member === null) return connections.newClientKey();
  const secret = wanted[member];
  if (secret === undefined) throw unusable([problem(`/${member}`, 'is missing')]);
  return { secret, publicKey: null };
}

async function requireSound(
  deps: AdministrationDeps,
  tx: Tx,
  { draft, tenant }: { draft: ConnectionDraft; tenant: Tenant },
): Promise<void> {
  const fields = connectionProblems(draft, deps.problemOfOutboundUri).map(({ path, message }) =>
    problem(`/${path.join('/')}`, message),
  );
  for (const [index, clientId] of draft.clientIds.entries()) {
    const client = await deps.clients.findClient(clientId, tx);
    const isReached = client?.kind === 'application' && (client.tenantId === null || client.tenantId === tenant.id);
    if (!isReached) fields.push(problem(`/clientIds/${index}`, 'names no client that people come to from here'));
  }
  if (draft.syncsProfile && tenant.slug !== deps.platformSlug)
    fields.push(problem('/syncsProfile', 'is for connections of the whole platform'));
  if (fields.length > 0) throw unusable(fields);
}

/** A provider gives no roles that whoever set it up could not give, and never those of owners or operators. */
async function requireGivable(
  deps: AdministrationDeps,
  tx: Tx,
  by: Authority,
  { tenant, draft }: { tenant: Tenant; draft: ConnectionDraft },
): Promise<void> {
  const keys = draft.roleMapping?.values.map(({ role }) => role) ?? [];
  if (keys.length === 0) return;
  if (tenant.slug === deps.platformSlug || keys.includes('owner'))
    throw unusable([problem('/roleMapping', 'gives nobody the roles of owners or operators')]);
  requireGrantable(by, rolesNamed(await rolesOfTenant(deps, tx, tenant), keys));
}

function presetNamed(
  { connectionPresets }: AdministrationDeps,
  name: string | undefined,
): AdministrationDeps['connectionPresets'][string] {
  if (name === undefined) return {};
  if (Object.hasOwn(connectionPresets, name)) return connectionPresets[name] ?? {};
  throw unusable([problem('/preset', `is none of ${Object.keys(connectionPresets).join(', ')}`)]);
}

async function heldConnection(deps: AdministrationDeps, tx: Tx, reference: ConnectionReference): Promise<Connection> {
  const connection = await deps.connections.findConnection(reference.tenantId, reference.connectionId, tx);
  if (connection) return connection;
  throw noConnection();
}

/** What is kept of a connection is kept under its last change, so that two in one moment are two. */
function later(before: Date, now: Date): Date {
  return new Date(Math.max(before.getTime() + 1, now.getTime()));
}

type Problem = { pointer: string; code: string; detail: string };

function problem(pointer: string, detail: string): Problem {
  return { pointer, code: 'invalid', detail };
}

function unusable(fields: Problem[]): AppError {
  return new AppError('connection.unusable', {
    status: 400,
    detail: 'The connection cannot be used like this.',
    fields,
  });
}

function noConnection(): AppError {
  return new AppError('connection.not_found', { status: 404, detail: 'There is no such connection.' });
}

function notInPlan(): AppError {
  return new AppError('connection.not_in_plan', {
    status: 409,
    detail: 'The plan of the tenant does not include connections.',
  });
}

async function orKeyTaken<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('connection.key_taken', {
      status: 409,
      detail: 'Another connection of the tenant has this key.',
      fields: [{ pointer: '/key', code: 'taken', detail: 'is taken' }],
      cause: error,
    });
  }
}
