import { errors, type InteractionResults } from 'oidc-provider';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { temporarilyUnavailable } from '../kernel/errors.js';
import { epochSeconds } from '../kernel/time.js';
import type { User } from '../users/index.js';
import {
  clientOfInteraction,
  consentRequestOf,
  grantConsent,
  type ConsentDeps,
  type ConsentRequest,
  type Details,
} from './consent.js';
import type { PromptName } from './interaction-policy.js';
import type { KnownClient } from './library-internals.js';
import { interactionExpired } from './oidc-errors.js';

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
}

/** Every function answers with the address at which the browser goes on. */
export interface Interactions {
  /** Throws `interaction.expired` when this browser has no open interaction of this id. */
  read(exchange: BrowserExchange, uid: string): Promise<Interaction>;
  signedIn(exchange: BrowserExchange, login: Login): Promise<string>;
  tenantPicked(exchange: BrowserExchange, tenantId: string): Promise<string>;
  /** What a consent page asks for. Throws `interaction.expired` when its tenant is not open any more. */
  consentAsked(exchange: BrowserExchange): Promise<ConsentRequest>;
  /** Grants what was asked. */
  consented(exchange: BrowserExchange): Promise<string>;
  refused(exchange: BrowserExchange, description: string): Promise<string>;
}

export interface Login {
  /** As they were when their credentials were looked at. */
  user: Pick<User, 'id' | 'credentialsChangedAt'>;
  acr: string;
  amr: string[];
  /** Where it was done: the flow goes on in no other browser. */
  browserId: string;
}

export function createInteractions(deps: ConsentDeps): Interactions {
  const { currentProvider } = deps;
  const details = ({ req, res }: BrowserExchange): Promise<Details> => currentProvider().interactionDetails(req, res);
  const finish = ({ req, res }: BrowserExchange, result: InteractionResults): Promise<string> =>
    currentProvider().interactionResult(req, res, result, { mergeWithLastSubmission: true });

  async function read(exchange: BrowserExchange, uid: string): Promise<Interaction> {
    const found = await details(exchange);
    if (found.uid !== uid) throw interactionExpired();
    return presentInteraction(found, await clientOfInteraction(deps, found));
  }

  async function consented(exchange: BrowserExchange): Promise<string> {
    const grantId = await grantConsent(deps, await details(exchange));
    return finish(exchange, { consent: { grantId } });
  }

  return {
    read: forPages(read),
    consented: forPages(consented),
    consentAsked: forPages(async (exchange: BrowserExchange) => consentRequestOf(deps, await details(exchange))),
    signedIn: forPages((exchange: BrowserExchange, { user, ...how }: Login) => {
      const { id: accountId, credentialsChangedAt } = user;
      return finish(exchange, { login: { ...how, accountId, credentialsChangedAt, ts: epochSeconds(deps.now()) } });
    }),
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
      if (error instanceof errors.SessionNotFound) throw interactionExpired(error);
      if (error instanceof errors.TemporarilyUnavailable) throw temporarilyUnavailable(error);
      throw error;
    }
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
  };
}
