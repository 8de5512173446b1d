import Router from '@koa/router';
import type { Pages } from './pages.js';
import { oneSpelling } from './http-errors.js';

/** The stylesheet under its hashed name, for ever; and the icon that browsers ask for and we do not have. */
export function assetsRoutes(pages: Pages): Router {
  const router = new Router(oneSpelling);
  router.get(pages.styleUrl, (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
    ctx.type = 'css';
    ctx.body = pages.style;
  });
  router.get('/favicon.ico', (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=86400');
    ctx.status = 204;
  });
  return router;
}
