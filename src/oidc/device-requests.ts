import type { Context, Next } from 'koa';
import type Provider from 'oidc-provider';
import type { PrefilledState } from './device-pages.js';
import { endpointPaths } from './options/endpoints.js';

export interface DeviceRequestsDeps {
  devicePollSeconds: number;
}

/** What the library leaves out around its device endpoints; inside its application, around its router. */
export function useDeviceMiddleware(provider: Provider, deps: DeviceRequestsDeps): void {
  provider.use(async (ctx: Context, next: Next) => {
    if (ctx.path === endpointPaths.code_verification && ctx.method === 'GET') prefill(ctx);
    await next();
    if (ctx.path === endpointPaths.device_authorization && ctx.status === 200) {
      ctx.body = { ...(ctx.body as object), interval: deps.devicePollSeconds };
    }
  });
}

/** The library would post a code that a link brought along by itself; here it only fills the form. */
function prefill(ctx: Context): void {
  const { user_code: userCode } = ctx.query;
  if (typeof userCode === 'string') (ctx.state as PrefilledState).prefilledCode = userCode;
  ctx.querystring = '';
}
