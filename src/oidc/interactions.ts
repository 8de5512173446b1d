import { errors } from 'oidc-provider';
import type Provider from 'oidc-provider';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InteractionResults } from 'oidc-provider';
import type { Authorization } from '../access/index.js';
import { AppError } from '../kernel/errors.js';
import { extendGrant, isBoundTo, newGrant, consentKeys, type Wanted } from './grants.js';
import type { GrantBinding } from './adapter/grant-adapter.js';
import type { PromptName } from './interaction-policy.js';
import type { KnownClient } from './library-internals.js';
import { toOAuthError } from './oauth-errors.js';
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
  signedIn(exchange: BrowserExchange, login: { userId: string; acr: string; amr: string[] }): Promise<string>;
  tenantPicked(exchange: BrowserExchange, tenantId: string): Promise<string>;
  /** The tenant in which a consent is asked for. Throws `interaction.expired` when it is not open any more. */
  tenantOf(exchange: BrowserExchange): Promise<Authorization['tenant']>;
  consented(exchange: BrowserExchange): Promise<{ location: string; granted: string[] }>;
  refused(exchange: BrowserExchange, description: string): Promise<string>;
}

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

export function createInteractions(currentProvider: () => Provider, tenants: TenantChoiceDeps): Interactions {
  async function details({ req, res }: BrowserExchange): Promise<Details> {
    try {
      return await currentProvider().interactionDetails(req, res);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) throw expired(error);
      throw error;
    }
  }

  async function finish({ req, res }: BrowserExchange, result: InteractionResults): Promise<string> {
    try {
      return await currentProvider().interactionResult(req, res, result, { mergeWithLastSubmission: true });
    } catch (error) {
      const translated = toOAuthError(error);
      throw translated instanceof errors.SessionNotFound ? expired(translated) : error;
    }
  }

  async function tenantOfDetails(found: Details): Promise<Authorization['tenant']> {
    const client = await currentProvider().Client.find(String(found.params['client_id']));
    if (!client || found.session?.accountId === undefined) throw expired();
    const choice = await chooseTenant(tenants, {
      userId: found.session.accountId,
      owner: (client as KnownClient).tenantId,
      picked: pickedTenant(found.lastSubmission),
      asked: found.params['tenant'] as string | undefined,
    });
    if (choice.kind !== 'chosen') throw expired();
    return choice.authorization.tenant;
  }

  return {
    async read(exchange, uid) {
      const found = await details(exchange);
      if (found.uid !== uid) throw expired();
      const client = await currentProvider().Client.find(String(found.params['client_id']));
      if (!client) throw expired();
      return presentInteraction(found, client as KnownClient);
    },
    signedIn: (exchange, { userId, acr, amr }) => finish(exchange, { login: { accountId: userId, acr, amr } }),
    tenantPicked: (exchange, tenantId) => finish(exchange, { select_tenant: { tenantId } }),
    refused: (exchange, description) => finish(exchange, { error: 'access_denied', error_description: description }),
    tenantOf: async (exchange) => tenantOfDetails(await details(exchange)),
    async consented(exchange) {
      const found = await details(exchange);
      if (found.session?.uid === undefined) throw expired();
      const { id: tenantId } = await tenantOfDetails(found);
      const wanted = missingOf(found);
      const binding: GrantBinding = {
        accountId: found.session.accountId,
        clientId: String(found.params['client_id']),
        tenantId,
        sessionUid: found.session.uid,
        offline: scopesOf(found).includes('offline_access'),
      };
      const { Grant } = currentProvider();
      const existing = found.grantId === undefined ? undefined : await Grant.find(found.grantId);
      const grant = existing && isBoundTo(existing, binding) ? existing : newGrant(currentProvider(), binding);
      const grantId = await extendGrant(grant, wanted);
      return { location: await finish(exchange, { consent: { grantId } }), granted: consentKeys(wanted) };
    },
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
  return String(found.params['scope'] ?? '').split(' ');
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
