import { expect } from 'chai';
import type { Endpoint } from '../endpoints.js';
import type { Answer } from '../requests.js';

/** What every answer says, whoever gives it: the pages, the library, or Node's parser. */
export const everywhere: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'permissions-policy':
    'publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=(), payment=()',
};

const policyOfDocuments = "default-src 'none'; frame-ancestors 'none'";
const policyOfPages =
  /^default-src 'none'; script-src 'nonce-[\w+/]{22}==' 'strict-dynamic'( 'sha256-[\w+/]{43}=')?; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self' https:( http:\/\/localhost:3001)?; frame-ancestors 'none'; base-uri 'none'$/;

/** The one page that is a program: its scripts are files of ours, and what it paints with it makes itself. */
const policyOfDocumentation =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Traces of what is inside. */
const insides =
  /node_modules|\.ts:\d|\.js:\d|\bat (async )?[\w.<>]+ \(|\bmongo|oidc-provider|\bkoa\b|\bECONN|\bE11000/i;

/** Tokens, codes and identifiers, in which any five letters may stand by chance. */
const randomValues = /[\w-]{20,}|\b(?:[a-z2-7]{4}[- ]){3,}[a-z2-7]{4}\b/gi;

export interface Given {
  status: number;
  headers: Pick<Headers, 'get' | 'getSetCookie'>;
  text: string;
}

export interface Expected {
  https?: boolean;
  /** Instead of `no-store`. */
  caching?: string;
  /** Instead of that of all pages. */
  policy?: string;
  /** The server was given a reason to fail. */
  faulty?: boolean;
}

/** What holds for every answer there is, to right and to wrong requests alike. */
export function expectSound({ status, headers, text }: Given, why: string, expected: Expected = {}): void {
  expect(status, `${why} ${text}`).to.be.lessThan(expected.faulty ? 504 : 500);
  expectCommonHeaders(headers, why, expected);
  expect(insides.exec(text.replaceAll(randomValues, ''))?.[0], `${why} shows what is inside`).to.equal(undefined);
  for (const cookie of headers.getSetCookie()) expectSoundCookie(cookie, why, expected.https);
}

export function expectCommonHeaders(headers: Given['headers'], why: string, expected: Expected = {}): void {
  for (const [name, value] of Object.entries(everywhere)) expect(headers.get(name), `${why} ${name}`).to.equal(value);
  for (const name of ['server', 'x-powered-by', 'refresh']) expect(headers.get(name), `${why} ${name}`).to.equal(null);
  expect(headers.get('strict-transport-security'), why).to.equal(
    expected.https ? 'max-age=63072000; includeSubDomains' : null,
  );
  expect(headers.get('cache-control'), why).to.equal(expected.caching ?? 'no-store');
  const isPage = headers.get('content-type')?.startsWith('text/html') && headers.get('location') === null;
  const policy = headers.get('content-security-policy')?.replace(/; ?/g, '; '); // the library writes it again
  if (isPage && expected.policy === undefined) expect(policy, why).to.match(policyOfPages);
  else if (isPage) expect(policy, why).to.equal(expected.policy);
  else expect(policy, why).to.equal(policyOfDocuments);
}

/**
 * An answer of this endpoint to a program: a refusal has the form that it can read, nothing that was sent comes back as
 * anything but text, and nobody is sent anywhere but here, to the app that is registered, or to the provider they chose.
 */
export function expectSoundAnswer(answer: Answer, endpoint: Endpoint, issuer: string, why: string): void {
  const { status, headers, text, location } = answer;
  expectSound(answer, why, cachingOf(endpoint, status));
  const type = headers.get('content-type') ?? '';
  if (status >= 400 && endpoint.kind === 'protocol') {
    expect(type, why).to.match(/^application\/json/);
    expect(answer.json['error'], why).to.match(/^[a-z_]+$/);
  } else if (status >= 400) {
    expect(type, `${why} ${text}`).to.match(/^(application\/(problem\+)?json|text\/html)/);
  }
  if (type.startsWith('text/html')) {
    expect(text.replace(submitsItself, '').replace(ownFiles, ''), why).not.to.match(executable);
  }
  if (location !== null) {
    const isToProvider = /\/(?:connection|organisation|identities\/link)$/.test(endpoint.path);
    const elsewhere = isToProvider ? ['https://github.com'] : [];
    expect(new URL(location, issuer).origin, why).to.be.oneOf([issuer, 'http://localhost:3001', ...elsewhere]);
    expect(location, why).to.match(/^[\x21-\x7e]*$/);
  }
  expect(headers.getSetCookie().join(), why).not.to.contain('evil');
}

/** The library's form_post pages; their policy names the hash of just this script. */
const submitsItself =
  /<script>\s+document\.addEventListener\('DOMContentLoaded', function \(\) \{ document\.forms\[0\]\.submit\(\) \}\);\s+<\/script>/;
/** Named by their content. */
export const ownFiles = /<script src="\/assets\/[\w-]+\.js"(?: nonce="[\w+/]{22}==" defer)?><\/script>/g;
/** Markup that was sent, a template that was run (7 · 191), a link that runs script. */
const executable = /<script|<img|(?<![\w-])1337(?![\w-])|(href|action|src)="?(javascript|data|vbscript):/i;

/** What may be kept: the public documents for minutes, and for ever what has its content in its name. */
export function cachingOf({ path, kind }: Pick<Endpoint, 'path' | 'kind'>, status: number): Expected {
  if (status >= 400) return {};
  if (path === '/api/docs') return { policy: policyOfDocumentation };
  if (kind === 'document') return { caching: 'public, max-age=300' };
  if (path === '/assets/:style' || path === '/logos/:digest') return { caching: 'public, max-age=31536000, immutable' };
  return path === '/favicon.ico' ? { caching: 'public, max-age=86400' } : {};
}

/** Cookies are for this server alone: not for scripts, not for other sites, not for other hosts. */
export function expectSoundCookie(cookie: string, why: string, https = false): void {
  const [pair = '', ...attributes] = cookie.split('; ').map((part) => part.toLowerCase());
  expect(attributes, `${why} ${cookie}`).to.include.members(['httponly', 'samesite=lax']);
  expect(attributes.includes('secure'), `${why} ${cookie}`).to.equal(https);
  expect(attributes.join(), `${why} ${cookie}`).not.to.contain('domain=');
  const name = pair.split('=', 1)[0] ?? '';
  const path = attributes.find((attribute) => attribute.startsWith('path='))?.slice('path='.length) ?? '';
  const bare = name.replace(/^__(host|secure)-/, '').replace(/\.sig$/, '');
  if (bare === 'interaction') expect(path, why).to.match(/^\/sign-in\/[\w-]{40,}$/);
  else if (bare === 'resume') expect(path, why).to.match(/^\/(oauth2\/authorize|device)\/[\w-]{40,}$/);
  else expect([bare, path], why).to.deep.equal([bare, '/']);
  if (!https) expect(name, why).to.equal(name.replace(/^__/, ''));
  else expect(name, why).to.match(path === '/' ? /^__host-/ : /^__secure-/);
}
