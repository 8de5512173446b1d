import type { Context } from 'koa';
import { randomSecret } from '../../kernel/secret.js';

/**
 * A random name for a browser, kept until it closes. What one browser was shown or has proven is not of use in another:
 * forms and sign-ins are tied to it. Under https its prefix keeps it from being planted by a neighbouring host.
 */
export interface BrowserIds {
  find(ctx: Context): string | undefined;
  /** Gives the browser a name if it has none. */
  ensure(ctx: Context): string;
}

const form = /^[\w-]{43}$/;

export function browserIds({ https }: { https: boolean }): BrowserIds {
  const name = https ? '__Host-browser' : 'browser';
  const options = {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: https,
    signed: false,
    overwrite: true,
  } as const;

  function find(ctx: Context): string | undefined {
    const id = ctx.cookies.get(name, { signed: false });
    return id !== undefined && form.test(id) ? id : undefined;
  }

  return {
    find,
    ensure(ctx) {
      const known = find(ctx) ?? (ctx.state['browserId'] as string | undefined);
      if (known !== undefined) return known;
      const id = randomSecret();
      ctx.state['browserId'] = id;
      ctx.cookies.set(name, id, options);
      return id;
    },
  };
}
