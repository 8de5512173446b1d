/** A tiny API that trusts the server's access tokens: it needs the issuer and its own identifier, and no secret. */
import type { Middleware } from 'koa';
import { AccessRefused, createVerifier, presentedRequest } from '../../src/verifier/index.js';
import type { RelyingPartyOptions } from './relying-party.js';

export const projectsAudience = 'https://api.example.com/projects';
const neededScope = 'projects:read';

export function projectsApi({ issuer, address }: RelyingPartyOptions): Middleware {
  const verifier = createVerifier({ issuer, audience: projectsAudience });

  return async (ctx) => {
    try {
      const needs = { scope: [neededScope] };
      // The tenant comes from the token and nowhere else: no parameter can lead into another tenant's data.
      const { tenant, scopes } = await verifier.verify(presentedRequest(ctx.req, address), needs);
      ctx.body = {
        tenant,
        projects: [
          { name: `Website of ${tenant.slug}`, mayChange: scopes.includes('projects:write') },
          { name: `Archive of ${tenant.slug}`, mayChange: false },
        ],
      };
    } catch (error) {
      if (!(error instanceof AccessRefused)) throw error;
      ctx.status = error.status;
      ctx.set('WWW-Authenticate', error.wwwAuthenticate);
      ctx.body = { error: error.error ?? 'unauthorized', reason: reasonOf(error) };
    }
  };
}

function reasonOf({ error, message }: AccessRefused): string {
  if (error === null) return 'send an access token: Authorization: Bearer …';
  if (error !== 'insufficient_scope') return `the token is not good here: ${message}`;
  return `the token lacks ${neededScope}: no role of this person in this tenant allows it, or it was not asked for`;
}
