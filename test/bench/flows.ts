import { createHash, randomBytes } from 'node:crypto';
import type { Answer, Call, MeasuredServer } from './load.js';
import { api, person, redirectUri, secretOf } from './bench-seed.js';

/** A browser's cookies, by name alone: enough for one flow after the other. */
export type Jar = Map<string, string>;

const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');

export function authorizePath(clientId: string, more: Record<string, string> = {}): string {
  const parameters = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid projects:read',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    // `web` is the client with an API; the bare library wants to be told
    ...(clientId === 'web' ? { resource: api.es256 } : {}),
    ...more,
  };
  return `/oauth2/authorize?${new URLSearchParams(parameters)}`;
}

async function visit(server: MeasuredServer, jar: Jar, call: Call): Promise<Answer> {
  let answer = await keepCookies(server, jar, call);
  while (answer.location !== undefined && !answer.location.startsWith(redirectUri)) {
    answer = await keepCookies(server, jar, { method: 'GET', path: answer.location });
  }
  return answer;
}

async function keepCookies(server: MeasuredServer, jar: Jar, call: Call): Promise<Answer> {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const answer = await server.send({ ...call, headers: { ...call.headers, Accept: 'text/html', Cookie: cookie } });
  if (answer.status >= 400) throw new Error(`${server.name} ${call.path}: ${answer.status} ${answer.body}`);
  for (const line of answer.cookies) {
    const pair = line.split(';')[0] ?? '';
    jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
  }
  return answer;
}

/** A whole sign-in by password, to the redirect with the code. Works on our pages and on the library's own. */
export async function signIn(server: MeasuredServer, clientId: string, jar: Jar = new Map()): Promise<string> {
  let answer = await visit(server, jar, { method: 'GET', path: authorizePath(clientId) });
  while (answer.location === undefined) {
    const form = /<form\b[^>]*action="([^"]+)"[^>]*>([\s\S]*?)<\/form>/.exec(answer.body);
    const hidden = [...(form?.[2] ?? '').matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    answer = await visit(server, jar, {
      method: 'POST',
      path: form?.[1] ?? '',
      form: {
        ...Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])),
        ...credentials(form?.[2] ?? ''),
      },
    });
  }
  return answer.location;
}

function credentials(form: string): Record<string, string> {
  return form.includes('name="password"') ? { login: person.email, password: person.password } : {};
}

/** Codes for the signed-in person, without pages. */
export async function freshCodes(server: MeasuredServer, clientId: string, count: number): Promise<string[]> {
  const jar: Jar = new Map();
  await signIn(server, clientId, jar);
  const codes: string[] = [];
  for (let index = 0; index < count; index++) {
    const answer = await visit(server, jar, { method: 'GET', path: authorizePath(clientId, { prompt: 'none' }) });
    codes.push(new URL(answer.location ?? '').searchParams.get('code') ?? '');
  }
  return codes;
}

export function exchange(clientId: string, code: string, resource?: string): Call {
  return tokenCall(clientId, 'application', {
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    redirect_uri: redirectUri,
    ...(resource === undefined ? {} : { resource }),
  });
}

export function tokenCall(
  clientId: string,
  kind: 'application' | 'service',
  form: Record<string, string>,
  path = '/oauth2/token',
): Call {
  const basic = Buffer.from(`${clientId}:${secretOf(clientId, kind)}`).toString('base64');
  return { method: 'POST', path, headers: { Authorization: `Basic ${basic}` }, form };
}

/** Tokens for as many codes. */
export async function freshTokens(
  server: MeasuredServer,
  clientId: string,
  count: number,
): Promise<{ access_token: string; refresh_token: string }[]> {
  const tokens = [];
  for (const code of await freshCodes(server, clientId, count)) {
    const answer = await server.send(exchange(clientId, code));
    tokens.push(JSON.parse(answer.body) as { access_token: string; refresh_token: string });
  }
  return tokens;
}
