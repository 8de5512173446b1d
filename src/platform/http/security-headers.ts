import { randomBytes } from 'node:crypto';
import helmet from 'koa-helmet';
import type { Context, Middleware, Next } from 'koa';

const permissions = [
  'publickey-credentials-get=(self)',
  'publickey-credentials-create=(self)',
  'camera=()',
  'microphone=()',
  'geolocation=()',
  'payment=()',
].join(', ');

/**
 * Headers of every answer. Content-Security-Policy starts as that of a page that may run no script but one with this
 * answer's nonce (the OIDC library adds the hash of its own form_post script to `script-src`, which is why that is
 * always there); answers that are not HTML get the strict form.
 */
export function securityHeaders(options: { https: boolean }): Middleware {
  const common = helmet({
    contentSecurityPolicy: false,
    strictTransportSecurity: options.https ? { maxAge: 63_072_000, includeSubDomains: true } : false,
    referrerPolicy: { policy: 'same-origin' }, // `no-referrer` makes browsers post `Origin: null`
    frameguard: { action: 'deny' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
    originAgentCluster: true,
    xssFilter: true,
  });
  return async (ctx, next) => {
    await common(ctx, () => contentSecurityPolicy(ctx, next));
  };
}

async function contentSecurityPolicy(ctx: Context, next: Next): Promise<void> {
  ctx.set('Permissions-Policy', permissions);
  ctx.set('Cache-Control', 'no-store');
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
  await next();
  if (!ctx.response.is('html')) ctx.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
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
