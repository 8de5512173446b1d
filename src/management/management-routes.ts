import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createHash } from 'node:crypto';
import Router from '@koa/router';
import type { Context } from 'koa';
import { oneSpelling } from '../platform/http/http-errors.js';
import { metadataPath } from './authenticate.js';
import { handleCall, type HandleCallDeps } from './handle-call.js';
import { openApiDocument } from './openapi.js';
import { audienceOf, managementResource } from './permissions.js';
import type { Route } from './route.js';

const base = '/api/v1';
const documentation = '/api/docs';

/** The routes of the list, the document that describes them, and the page that shows it. */
export function managementRoutes(deps: HandleCallDeps, routes: readonly Route[]): Router {
  requirePermissions(routes, deps.issuer);
  const router = new Router(oneSpelling);
  for (const route of routes)
    router.register(base + route.path, [route.method], (ctx: Context) => handleCall(deps, route, ctx));
  publicDocument(router, '/api/openapi.json', openApiDocument(routes, deps.issuer));
  publicDocument(router, metadataPath, resourceMetadata(deps.issuer));
  serveDocumentation(router);
  return router;
}

/** A route that anybody may call by mistake does not start. */
function requirePermissions(routes: readonly Route[], issuer: string): void {
  const { permissions } = managementResource(issuer);
  const seen = new Set<string>();
  for (const { method, path, permission, operatorPermission, operationId } of routes) {
    for (const needed of [permission, operatorPermission ?? permission])
      if (!permissions.includes(needed)) throw new Error(`${method} ${path} names no permission of the API: ${needed}`);
    for (const name of [operationId, `${method} ${path}`]) {
      if (seen.has(name)) throw new Error(`${name} is there twice`);
      seen.add(name);
    }
  }
}

/** RFC 9728. */
function resourceMetadata(issuer: string): object {
  const { name, permissions } = managementResource(issuer);
  return {
    resource: audienceOf(issuer),
    resource_name: name,
    authorization_servers: [issuer],
    scopes_supported: permissions,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256', 'PS256'],
    resource_documentation: `${issuer}${documentation}`,
  };
}

function publicDocument(router: Router, path: string, document: object): void {
  const body = JSON.stringify(document);
  router.get(path, (ctx) => {
    ctx.set({ 'Cache-Control': 'public, max-age=300', 'Access-Control-Allow-Origin': '*' });
    ctx.type = 'application/json';
    ctx.body = body;
  });
}

const page = (files: Record<string, string>): string => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Management API · Gatehouse</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" href="${files['css']}">
</head>
<body>
  <div id="swagger-ui"></div>
  <noscript><p>This page needs JavaScript. The same as a document: <a href="/api/openapi.json">openapi.json</a></p></noscript>
  <script src="${files['bundle']}"></script>
  <script src="${files['start']}"></script>
</body>
</html>
`;

const start = `window.ui = SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
`;

/** The styles that the page makes while it runs are why they may be inline; it asks nobody but us. */
const policy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:"],
  ...["connect-src 'self'", "font-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"],
].join('; ');

function serveDocumentation(router: Router): void {
  const locate = createRequire(import.meta.url);
  const packaged = (name: string): Buffer => readFileSync(locate.resolve(`swagger-ui-dist/${name}`));
  const files = [
    { key: 'css', name: 'swagger-ui', type: 'css', body: packaged('swagger-ui.css') },
    { key: 'bundle', name: 'swagger-ui', type: 'js', body: packaged('swagger-ui-bundle.js') },
    { key: 'start', name: 'start', type: 'js', body: Buffer.from(start) },
  ];
  const paths: Record<string, string> = {};
  for (const { key, name, type, body } of files) {
    const path = `/assets/${name}-${createHash('sha256').update(body).digest('hex').slice(0, 16)}.${type}`;
    paths[key] = path;
    router.get(path, (ctx) => {
      ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
      ctx.type = type;
      ctx.body = body;
    });
  }
  router.get(documentation, (ctx) => {
    ctx.set('Content-Security-Policy', policy);
    ctx.type = 'html';
    ctx.body = page(paths);
  });
}
