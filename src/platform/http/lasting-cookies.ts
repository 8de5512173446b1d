import type { Context } from 'koa';

/** Cookies of ours that live by themselves: for this host alone, and what they hold is signed or sealed by whoever writes it. */
export interface LastingCookies {
  read(ctx: Context, name: string): string | undefined;
  write(ctx: Context, name: string, kept: { value: string; lifetimeSeconds: number }): void;
  drop(ctx: Context, name: string): void;
}

export function lastingCookies({ https }: { https: boolean }): LastingCookies {
  const full = (name: string): string => (https ? `__Host-${name}` : name);
  const scope = { path: '/', httpOnly: true, sameSite: 'lax', secure: https, signed: false } as const;
  return {
    read: (ctx, name) => ctx.cookies.get(full(name), { signed: false }),
    write(ctx, name, { value, lifetimeSeconds }) {
      ctx.cookies.set(full(name), value, { ...scope, maxAge: lifetimeSeconds * 1000 });
    },
    drop: (ctx, name) => void ctx.cookies.set(full(name), null, scope),
  };
}
