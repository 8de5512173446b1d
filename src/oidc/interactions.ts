import { errors } from 'oidc-provider';
import type Provider from 'oidc-provider';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InteractionResults } from 'oidc-provider';
import type { Authorization } from '../access/index.js';
import { AppError, temporarilyUnavailable } from '../kernel/errors.js';
import { extendGrant, isBoundTo, newGrant, consentKeys, type Wanted } from './grants.js';
import type { GrantBinding } from './adapter/grant-adapter.js';
import type { PromptName } from './interaction-policy.js';
import type { KnownClient } from './library-internals.js';
import { chooseTenant, pickedTenant, type TenantChoiceDeps } from './tenant-choice.js';

/** The exchange with one browser: the raw request and response, because the library reads and sets cookies itself. */
export interface BrowserExchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/** An authorization request that waits for a person, as the sign-in pages see it. */
export interface Interaction {
  uid: string;
  prompt: PromptName;
  client: { clientId: string; name: string; uri: string | null; policyUri: string | null; tosUri: string | null };
  redirectUri: string | undefined;
  /** Parameter `login_hint`. */
  loginHint: string | undefined;
  /** The person who has signed in, from the second page on. */
  userId: string | undefined;
  /** Owner of the client, if it is not the platform's. */
  clientTenantId: string | null;
  /** What a consent page asks for. */
  missing: Wanted;
  offline: boolean;
}

/** Every function answers with the address at which the browser goes on. */
export interface Interactions {
  /** Throws `interaction.expired` when this browser has no open interaction of this id. */
  read(exchange: BrowserExchange, uid: string): Promise<Interaction>;
  signedIn(exchange: BrowserExchange, login: Login): Promise<string>;
  tenantPicked(exchange: BrowserExchange, tenantId: string): Promise<string>;
  /** The tenant in which a consent is asked for. Throws `interaction.expired` when it is not open any more. */
  tenantOf(exchange: BrowserExchange): Promise<Authorization['tenant']>;
  consented(exchange: BrowserExchange): Promise<{ location: string; granted: string[] }>;
  refused(exchange: BrowserExchange, description: string): Promise<string>;
}

export interface Login {
  userId: string;
  acr: string;
  amr: string[];
}

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

export function createInteractions(currentProvider: () => Provider, tenants: TenantChoiceDeps): Interactions {
  const details = ({ req, res }: BrowserExchange): Promise<Details> => currentProvider().interactionDetails(req, res);
  const finish = ({ req, res }: BrowserExchange, result: InteractionResults): Promise<string> =>
    currentProvider().interactionResult(req, res, result, { mergeWithLastSubmission: true });

  async function clientOfDetails(found: Details): Promise<KnownClient> {
    const client = await currentProvider().Client.find(String(found.params['client_id']));
    if (!client) throw expired();
    return client as KnownClient;
  }

  async function tenantOf(found: Details): Promise<Authorization['tenant']> {
    if (found.session?.accountId === undefined) throw expired();
    const choice = await chooseTenant(tenants, {
      userId: found.session.accountId,
      owner: (await clientOfDetails(found)).tenantId,
      picked: pickedTenant(found.lastSubmission),
      asked: found.params['tenant'] as string | undefined,
    });
    if (choice.kind !== 'chosen') throw expired();
    return choice.authorization.tenant;
  }

  async function read(exchange: BrowserExchange, uid: string): Promise<Interaction> {
    const found = await details(exchange);
    if (found.uid !== uid) throw expired();
    return presentInteraction(found, await clientOfDetails(found));
  }

  async function consented(exchange: BrowserExchange): Promise<{ location: string; granted: string[] }> {
    const found = await details(exchange);
    const wanted = missingOf(found);
    const binding = bindingFor(found, (await tenantOf(found)).id);
    const existing = found.grantId === undefined ? undefined : await currentProvider().Grant.find(found.grantId);
    const grant = existing && isBoundTo(existing, binding) ? existing : newGrant(currentProvider(), binding);
    const grantId = await extendGrant(grant, wanted);
    return { location: await finish(exchange, { consent: { grantId } }), granted: consentKeys(wanted) };
  }

  return {
    read: forPages(read),
    consented: forPages(consented),
    tenantOf: forPages(async (exchange: BrowserExchange) => tenantOf(await details(exchange))),
    signedIn: forPages((exchange: BrowserExchange, { userId, acr, amr }: Login) =>
      finish(exchange, { login: { accountId: userId, acr, amr } }),
    ),
    tenantPicked: forPages((exchange: BrowserExchange, tenantId: string) =>
      finish(exchange, { select_tenant: { tenantId } }),
    ),
    refused: forPages((exchange: BrowserExchange, description: string) =>
      finish(exchange, { error: 'access_denied', error_description: description }),
    ),
  };
}

/** The library's errors as the pages know them: a lost interaction is told in words, an unreachable database is a 503. */
function forPages<Args extends unknown[], Result>(
  step: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    try {
      return await step(...args);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) throw expired(error);
      if (error instanceof errors.TemporarilyUnavailable) throw temporarilyUnavailable(error);
      throw error;
    }
  };
}

function bindingFor(found: Details, tenantId: string): GrantBinding {
  if (found.session?.uid === undefined) throw expired();
  return {
    accountId: found.session.accountId,
    clientId: String(found.params['client_id']),
    tenantId,
    sessionUid: found.session.uid,
    offline: scopesOf(found).includes('offline_access'),
  };
}

function presentInteraction(found: Details, client: KnownClient): Interaction {
  const { params } = found;
  return {
    uid: found.uid,
    prompt: found.prompt.name as PromptName,
    client: {
      clientId: client.clientId,
      name: client.clientName ?? client.clientId,
      uri: client.clientUri ?? null,
      policyUri: client.policyUri ?? null,
      tosUri: client.tosUri ?? null,
    },
    redirectUri: params['redirect_uri'] as string | undefined,
    loginHint: params['login_hint'] as string | undefined,
    userId: found.session?.accountId,
    clientTenantId: client.tenantId,
    missing: missingOf(found),
    offline: scopesOf(found).includes('offline_access'),
  };
}

function scopesOf(found: Details): string[] {
  return ((found.params['scope'] as string | undefined) ?? '').split(' ');
}

/** The library lists what the grant lacks; that is exactly what the person is asked for. */
function missingOf(found: Details): Wanted {
  const { missingOIDCScope, missingResourceScopes } = found.prompt.details as {
    missingOIDCScope?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  return { oidcScopes: missingOIDCScope ?? [], resources: missingResourceScopes ?? {} };
}

function expired(cause?: unknown): AppError {
  return new AppError('interaction.expired', {
    status: 400,
    detail: 'This sign-in was open for too long, was finished already, or was started in another browser.',
    cause,
  });
}
