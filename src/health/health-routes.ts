import Router from '@koa/router';
import type { Context } from 'koa';
import { oneSpelling } from '../platform/http/http-errors.js';

export interface HealthDeps {
  /** Rejects when what the server needs does not answer. */
  checks: Readonly<Record<string, () => Promise<unknown>>>;
  isDraining(): boolean;
}

/** `/health/live`: the process answers. `/health/ready`: it may be sent requests (503 while it drains or lacks something). */
export function healthRoutes(deps: HealthDeps): Router {
  const router = new Router(oneSpelling);
  router.get('/health/live', (ctx) => {
    ctx.body = { status: 'live' };
  });
  router.get('/health/ready', (ctx) => answerReady(deps, ctx));
  return router;
}

async function answerReady(deps: HealthDeps, ctx: Context): Promise<void> {
  const checks: Record<string, 'ok' | 'failed'> = {};
  for (const [name, check] of Object.entries(deps.checks)) {
    checks[name] = await check().then(
      () => 'ok' as const,
      () => 'failed' as const,
    );
  }
  const ready = !deps.isDraining() && Object.values(checks).every((result) => result === 'ok');
  ctx.status = ready ? 200 : 503;
  if (!ready) ctx.set('Retry-After', '2');
  ctx.body = { status: ready ? 'ready' : deps.isDraining() ? 'draining' : 'not ready', checks };
}
