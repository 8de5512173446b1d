import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Authority } from '../authority.js';
import { startHttpsHost, type HttpsHost } from '../https-host.js';
import { clientOf, formOf, send } from './answers.js';
import { newCodes, type Parameters } from './codes.js';

/** As the API of GitHub tells it. */
export interface MailAddress {
  email: unknown;
  primary?: unknown;
  verified?: unknown;
}

export interface OAuth2Provider {
  host: HttpsHost;
  clientId: string;
  clientSecret: string;
  /** What `/user` says. */
  user: Record<string, unknown>;
  /** What `/user/emails` says. */
  emails: MailAddress[];
  /** Takes the place of a path. */
  instead: Record<string, RequestListener>;
  /** What the browser brings back for this authorization request. */
  agree(authorizationUrl: string): { redirectUri: string; parameters: Parameters };
}

const clientId = 'gatehouse';
const clientSecret = 'a-secret-of-the-stand-in';

/** A provider of OAuth 2.0 without ID tokens, with the paths and documents of GitHub. */
export async function startOAuth2Provider(authority: Authority): Promise<OAuth2Provider> {
  const codes = newCodes();
  const tokens = new Set<string>();
  const host = await startHttpsHost(authority, (req, res) => void serve(req, res));
  const provider: OAuth2Provider = {
    ...{ host, clientId, clientSecret, instead: {} },
    user: { id: 583231, login: 'grace', name: 'Grace Hopper', email: null },
    emails: [
      { email: 'old@corp.example', primary: false, verified: true },
      { email: 'grace@corp.example', primary: true, verified: true },
    ],
    agree(authorizationUrl) {
      const asked = Object.fromEntries(new URL(authorizationUrl).searchParams);
      const parameters = { code: codes.give(asked), state: asked['state'] ?? '' };
      return { redirectUri: asked['redirect_uri'] ?? '', parameters };
    },
  };

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path = ''] = (req.url ?? '').split('?');
    const other = provider.instead[path];
    if (other) return other(req, res);
    if (path === '/login/oauth/access_token') return giveToken(req, res);
    const token = /^(?:Bearer|token) (.+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '';
    if (!tokens.has(token)) return send(res, 401, { message: 'Bad credentials' });
    if (path === '/user') return send(res, 200, provider.user);
    if (path === '/user/emails') return send(res, 200, provider.emails);
    send(res, 404, { message: 'Not Found' });
  }

  async function giveToken(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = await formOf(req);
    const { id, secret } = clientOf(req, form);
    const request = id === clientId && secret === clientSecret ? codes.take(form) : 'the client is another one';
    // errors are told with 200 there
    if (typeof request === 'string')
      return send(res, 200, { error: 'bad_verification_code', error_description: request });
    const token = `gho_${randomBytes(18).toString('hex')}`;
    tokens.add(token);
    send(res, 200, { access_token: token, token_type: 'bearer', scope: 'read:user,user:email' });
  }

  return provider;
}
