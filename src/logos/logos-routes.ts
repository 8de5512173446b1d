import Router from '@koa/router';
import { notFound, oneSpelling } from '../platform/http/http-errors.js';
import type { LogoStore } from './logo-store.js';

/** The name is made of the content, so it may be kept for ever; the headers of every answer keep it from being a page. */
export function logosRoutes(logos: Pick<LogoStore, 'find'>): Router {
  const router = new Router(oneSpelling);
  router.get('/logos/:digest', async (ctx) => {
    const { digest } = (ctx as unknown as { params: { digest: string } }).params;
    const logo = /^[0-9a-f]{64}$/.test(digest) ? await logos.find(digest) : null;
    if (!logo) throw notFound();
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
    ctx.type = logo.type;
    ctx.body = logo.bytes;
  });
  return router;
}
