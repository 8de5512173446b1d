import { createHash, randomBytes } from 'node:crypto';
import Router from '@koa/router';
import { notFound, oneSpelling } from '../platform/http/http-errors.js';
import { inSameLanguage } from '../platform/http/page-language.js';
import type { Pages } from '../platform/http/pages.js';
import { invitationTokenPattern } from '../kernel/patterns.js';
import type { Client } from '../clients/index.js';
import type { AdministrationModule } from '../administration/index.js';

export interface InvitationPagesDeps {
  issuer: string;
  pages: Pages;
  getOpenInvitation: AdministrationModule['getOpenInvitation'];
}

const clientId = 'gatehouse-invitations';
const joinedPath = '/invitations/joined';

/** Through it a person comes to answer an invitation; what it is given is of no use to anybody and not used. */
export function invitationClient(issuer: string): Client {
  return {
    ...{ clientId, kind: 'application', tenantId: null, firstParty: true, signUp: false },
    requirePkce: true,
    ...{ resources: [], actors: [], scope: 'openid', secretHashes: [], createdAt: new Date(0) },
    metadata: {
      client_name: 'Gatehouse',
      redirect_uris: [issuer + joinedPath],
      ...{ grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'none' },
    },
  };
}

/** The link in the mail, and where the flow ends. To open the link does nothing: mail scanners do it too. */
export function invitationRoutes({ issuer, pages, getOpenInvitation }: InvitationPagesDeps): Router {
  const router = new Router(oneSpelling);
  router.get(joinedPath, (ctx) => {
    const hasJoined = ctx.query['error'] === undefined;
    const title = hasJoined ? 'joined.title' : 'joined.not_title';
    pages.render(ctx, { view: 'sign-in/joined', title }, { hasJoined });
  });
  router.get('/invitations/:token', async (ctx) => {
    const { token } = (ctx as unknown as { params: { token: string } }).params;
    if (!invitationTokenPattern.test(token)) throw notFound();
    await getOpenInvitation(token);
    const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url'); // nobody redeems the code
    const request = new URLSearchParams({
      ...{ client_id: clientId, response_type: 'code', scope: 'openid', redirect_uri: issuer + joinedPath },
      ...{ code_challenge: challenge, code_challenge_method: 'S256', invitation: token },
      ...(ctx.query['as'] === 'another' ? { prompt: 'login' } : {}),
    });
    ctx.status = 303;
    ctx.set('Location', inSameLanguage(ctx, `/oauth2/authorize?${request.toString()}`));
    ctx.body = '';
  });
  return router;
}
