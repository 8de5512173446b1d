import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import type { Context } from 'koa';
import { isNativeError } from 'node:util/types';
import type { Pages } from '../platform/http/pages.js';
import type { User } from '../users/index.js';
import { endpointPaths } from './options/endpoints.js';

/** The pages that the library itself asks for. */
export interface ProtocolPages {
  renderError(ctx: KoaContextWithOIDC, out: ErrorOut, error: unknown): void;
  confirmSignOut(ctx: KoaContextWithOIDC): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): void;
}

export function createProtocolPages(deps: {
  pages: Pages;
  findUserById(id: string): Promise<User | null>;
}): ProtocolPages {
  return {
    renderError(ctx, out, error) {
      const expired = isNativeError(error) && error.name === 'SessionNotFound';
      const page = ctx as unknown as Context;
      deps.pages.render(
        page,
        { view: 'errors/error', title: expired ? 'Sign-in expired' : 'Request refused' },
        {
          status: ctx.status,
          heading: expired ? 'This sign-in has expired' : 'This request cannot be served',
          message: expired
            ? 'It was open for too long, was finished already, or was started in another browser.'
            : (out.error_description ?? out.error),
          code: out.error,
          hint: 'Go back to the app and start again.',
          returnUrl: null,
          returnLabel: null,
        },
      );
    },

    async confirmSignOut(ctx) {
      const session = ctx.oidc.session;
      const user = session?.accountId === undefined ? null : await deps.findUserById(session.accountId);
      const formTarget = ctx.oidc.params?.['post_logout_redirect_uri'] as string | undefined;
      deps.pages.render(
        ctx,
        { view: 'sign-in/sign-out', title: 'Sign out', formTarget },
        {
          action: `${endpointPaths.end_session}/confirm`,
          xsrf: (session?.state as { secret?: string } | undefined)?.secret,
          clientName: ctx.oidc.client?.clientName ?? null,
          user: user && { name: user.profile.name ?? null, email: user.email },
        },
      );
    },

    signedOut(ctx) {
      deps.pages.render(
        ctx,
        { view: 'sign-in/signed-out', title: 'Signed out' },
        {
          clientName: ctx.oidc.client?.clientName ?? null,
          clientUri: ctx.oidc.client?.clientUri ?? null,
        },
      );
    },
  };
}
