import { createHash, randomBytes } from 'node:crypto';
import type { Client } from '../clients/index.js';
import type { Language } from '../kernel/languages.js';
import type { Place } from './places.js';

export const accountClientId = 'gatehouse-account';
export const returnPath = '/account/return';

/**
 * Through it a person signs in to their own account. It acts in no tenant, and what it is given is of no use to anybody
 * and not used: that there is a session is all that the portal wants. It is no app: people make an account there only
 * where they do so without one.
 */
export function accountClient(issuer: string, signUp: boolean): Client {
  return {
    ...{ clientId: accountClientId, kind: 'application', tenantId: null, firstParty: true, requirePkce: true, signUp },
    ...{ resources: [], actors: [], scope: 'openid', secretHashes: [], createdAt: new Date(0) },
    metadata: {
      client_name: 'Gatehouse',
      redirect_uris: [issuer + returnPath],
      ...{ grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'none' },
    },
  };
}

/**
 * Where a person proves who they are, whether somebody is signed in or not, and then comes back to this place. With the
 * strongest they have: a trusted browser or a code by e-mail is not enough for who has more.
 */
export function signInAddress(
  issuer: string,
  place: Place,
  { strongest = false, language }: { strongest?: boolean; language?: Language | undefined } = {},
): string {
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url'); // nobody redeems the code
  const request = new URLSearchParams({
    ...{ client_id: accountClientId, response_type: 'code', scope: 'openid', redirect_uri: issuer + returnPath },
    ...{ code_challenge: challenge, code_challenge_method: 'S256', prompt: 'login', state: place },
    ...(strongest ? { acr_values: 'aal2' } : {}),
    ...(language ? { ui_locales: language } : {}),
  });
  return `/oauth2/authorize?${request.toString()}`;
}
