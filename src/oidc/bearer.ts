import type { AdapterPayload } from 'oidc-provider';
import type { AccessModule, Authorization, Subject } from '../access/index.js';
import { epochSeconds, type Clock } from '../kernel/time.js';
import type { ClientExtension } from './adapter/client-adapter.js';
import type { GrantBinding } from './adapter/grant-binding.js';
import type { RevokedTokens } from './adapter/revoked-tokens.js';
import { authorizationOfService, isEnded, type ActorClaim } from './current-authorization.js';

/** A JWT access token of ours whose signature, audience, time and sender are right. */
export interface PresentedToken {
  tokenId: string;
  clientId: string;
  subject: string;
  tenantId: string;
  /** Of a person's token. */
  grantId: string | undefined;
  scopes: readonly string[];
  /** Of a service token: the API key with which it was got. */
  keyId: string | undefined;
  issuedAt: Date;
  act: ActorClaim | undefined;
  /** How and when the person signed in. */
  acr: string | undefined;
  amr: readonly string[];
  signedInAt: Date | undefined;
}

/** Who sends a request with a token that is still good, and what they may do now. */
export interface Bearer {
  subject: Subject;
  clientId: string;
  scopes: readonly string[];
  authorization: Authorization;
  /** The session in which the person signed in. */
  sessionUid: string | undefined;
  /** How and when they did, as the token says; of a person who acts for themselves. */
  signIn: { level: string | undefined; amr: readonly string[]; provenAt: Date } | null;
}

export interface BearerDeps {
  access: Pick<AccessModule, 'authorizationOf'>;
  now: Clock;
  revoked: RevokedTokens;
  findClient(clientId: string): Promise<ClientExtension | undefined>;
  /** As of at most two seconds ago. */
  findGrant(grantId: string): Promise<(AdapterPayload & GrantBinding) | undefined>;
}

/** Null when the token was revoked, or its grant, client, person, service or tenant is not in good standing any more. */
export type FindBearer = (token: PresentedToken) => Promise<Bearer | null>;

/**
 * What introspection would say of the token, without a request of its own: reads nothing for the token itself, and
 * grant, rights and client as every decision about rights does.
 */
export function bearerFinder(deps: BearerDeps): FindBearer {
  const ofService = async (clientId: string, keyId: string | undefined): Promise<Authorization | null> => {
    const client = await deps.findClient(clientId);
    if (client?.kind !== 'service_account') return null;
    return authorizationOfService(deps.access, { clientId, ...client }, keyId);
  };

  async function ofPerson(token: PresentedToken, grantId: string): Promise<Omit<Bearer, 'scopes'> | null> {
    const { acr: level, amr, signedInAt: provenAt, act } = token;
    const [grant, client] = await Promise.all([deps.findGrant(grantId), deps.findClient(token.clientId)]);
    const isOfToken = grant?.accountId === token.subject && grant.clientId === token.clientId;
    if (!client || !isOfToken || (grant.exp ?? 0) <= epochSeconds(deps.now())) return null;
    const { tenantId, accountId: userId, sessionUid } = grant;
    if (client.tenantId !== null && client.tenantId !== tenantId) return null;
    const subject: Subject = { kind: 'user', userId };
    const authorization = await deps.access.authorizationOf(subject, tenantId);
    if (!authorization || isEnded({ iat: grant.iat ?? 0 }, authorization)) return null;
    const signIn = provenAt && !act ? { level, amr, provenAt } : null;
    return { subject, clientId: token.clientId, authorization, sessionUid, signIn };
  }

  async function ofAnybody(token: PresentedToken): Promise<Omit<Bearer, 'scopes'> | null> {
    if (token.grantId !== undefined) return ofPerson(token, token.grantId);
    const authorization = await ofService(token.clientId, token.keyId);
    const subject: Subject = { kind: 'service_account', clientId: token.clientId };
    return authorization && { subject, clientId: token.clientId, authorization, sessionUid: undefined, signIn: null };
  }

  return async (token) => {
    if (await deps.revoked.isRevoked(token.tokenId)) return null;
    const bearer = await ofAnybody(token);
    const issued = { iat: epochSeconds(token.issuedAt) };
    if (!bearer || bearer.authorization.tenant.id !== token.tenantId || isEnded(issued, bearer.authorization))
      return null;
    if (token.act) {
      const ofActor = await ofService(token.act.sub, token.act.key_id);
      if (!ofActor || isEnded(issued, ofActor)) return null;
      bearer.authorization = bothAdmit(bearer.authorization, ofActor);
    }
    const client = await deps.findClient(token.clientId);
    const allowedScopes: readonly string[] | null = client ? client.allowedScopes : [];
    const mayHold = (scope: string): boolean => allowedScopes?.includes(scope) ?? true;
    return { ...bearer, scopes: token.scopes.filter(mayHold) };
  };
}

/** Whoever acts for a person does so from where both may. */
function bothAdmit(person: Authorization, actor: Authorization): Authorization {
  return { ...person, admits: (address) => person.admits(address) && actor.admits(address) };
}
