import Router from '@koa/router';
import type { Pages } from './pages.js';
import { oneSpelling } from './http-errors.js';

/** Stylesheet and script under their hashed names, for ever; and the icon that browsers ask for and we do not have. */
export function assetsRoutes(pages: Pages): Router {
  const router = new Router(oneSpelling);
  for (const { path, type, body } of pages.files) {
    router.get(path, (ctx) => {
      ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
      ctx.type = type;
      ctx.body = body;
    });
  }
  router.get('/favicon.ico', (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=86400');
    ctx.status = 204;
  });
  return router;
}
