import { randomBytes } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';
import type { Context, Next } from 'koa';

const permissions = [
  'publickey-credentials-get=(self)',
  'publickey-credentials-create=(self)',
  'camera=()',
  'microphone=()',
  'geolocation=()',
  'payment=()',
].join(', ');

/** Content-Security-Policy of every answer that is not a page. */
const nothingAllowed = "default-src 'none'; frame-ancestors 'none'";

export type Header = readonly [name: string, value: string];

/** Headers of every answer. They are the same for all, so helmet decides them once and each request only copies them. */
export function securityHeaders(options: { https: boolean }): readonly Header[] {
  const sample = new ServerResponse(new IncomingMessage(new Socket()));
  const decide = helmet({
    contentSecurityPolicy: false,
    strictTransportSecurity: options.https ? { maxAge: 63_072_000, includeSubDomains: true } : false,
    referrerPolicy: { policy: 'same-origin' }, // `no-referrer` makes browsers post `Origin: null`
    frameguard: { action: 'deny' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    // for browsers and plug-ins that are gone; every header costs each answer processor time and bytes
    dnsPrefetchControl: false,
    ieNoOpen: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
  });
  decide(new IncomingMessage(new Socket()), sample, () => undefined);
  return [
    ...Object.entries(sample.getHeaders()).map(([name, value]): Header => [name, String(value)]),
    ['permissions-policy', permissions],
    ['cache-control', 'no-store'],
    ['content-security-policy', nothingAllowed],
  ];
}

/**
 * Policy of a page: no script but one with this answer's nonce. `script-src` is always there because the OIDC library
 * adds the hash of its own form_post script to it, and only to it. Gives the nonce.
 */
export function allowPage(ctx: Context): string {
  const nonce = randomBytes(16).toString('base64');
  ctx.set(
    'Content-Security-Policy',
    [
      "default-src 'none'",
      `script-src 'nonce-${nonce}' 'strict-dynamic'`,
      "style-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "form-action 'self' https:",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
  );
  return nonce;
}

/** A style of this page's own, which carries its nonce. */
export function allowStyle(ctx: Context, nonce: string): void {
  const policy = ctx.response.get('Content-Security-Policy');
  ctx.set(
    'Content-Security-Policy',
    policy.replace(/style-src [^;]*/, (directive) => `${directive} 'nonce-${nonce}'`),
  );
}

export function allowNothing(ctx: Context): void {
  ctx.set('Content-Security-Policy', nothingAllowed);
}

/** A cookie that is cleared or signed anew because its signature is of another key is written without this attribute. */
export async function keepCookiesAtHome(ctx: Context, next: Next): Promise<void> {
  await next();
  const cookies = ctx.res.getHeader('Set-Cookie');
  if (!Array.isArray(cookies) || cookies.every((cookie) => cookie.includes('samesite='))) return;
  ctx.set(
    'Set-Cookie',
    cookies.map((cookie) => (cookie.includes('samesite=') ? cookie : `${cookie}; samesite=lax`)),
  );
}

/**
 * Lets the forms of this page end at the redirect URI of its flow. Chromium applies `form-action` to the redirects
 * after a POST, so a sign-in form needs the app's origin (or its private scheme) unless that is https anyway.
 */
export function allowFormTarget(ctx: Context, uri: string | undefined): void {
  if (uri === undefined || !URL.canParse(uri)) return;
  const target = new URL(uri);
  if (target.protocol === 'https:') return;
  const source = target.protocol === 'http:' ? target.origin : target.protocol;
  const policy = ctx.response.get('Content-Security-Policy');
  ctx.set(
    'Content-Security-Policy',
    policy.replace(/form-action [^;]*/, (directive) => `${directive} ${source}`),
  );
}
