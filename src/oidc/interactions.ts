import { errors } from 'oidc-provider';
import type Provider from 'oidc-provider';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InteractionResults } from 'oidc-provider';
import { AppError } from '../kernel/errors.js';
import { extendGrant, isBoundTo, newGrant, consentKeys, type Wanted } from './grants.js';
import type { GrantBinding } from './adapter/grant-adapter.js';
import type { PromptName } from './interaction-policy.js';
import type { KnownClient } from './library-internals.js';
import { toOAuthError } from './oauth-errors.js';

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
  /** The tenant named by the request or picked before, as slug or id. */
  tenant: string | undefined;
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
  consented(exchange: BrowserExchange, tenantId: string): Promise<{ location: string; granted: string[] }>;
  refused(exchange: BrowserExchange, description: string): Promise<string>;
}

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

export function createInteractions(currentProvider: () => Provider): Interactions {
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
    async consented(exchange, tenantId) {
      const found = await details(exchange);
      if (found.session?.uid === undefined) throw expired();
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
  const picked = (found.lastSubmission as { select_tenant?: { tenantId?: string } } | undefined)?.select_tenant
    ?.tenantId;
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
    tenant: client.tenantId ?? picked ?? (params['tenant'] as string | undefined),
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
