import { errors, type ErrorOut, type KoaContextWithOIDC } from 'oidc-provider';
import { temporarilyUnavailable, type AppError } from '../kernel/errors.js';
import { answerPage } from '../platform/http/answer-error.js';
import { preferLanguages } from '../platform/http/page-language.js';
import { toAppError } from '../platform/http/problem.js';
import type { Pages } from '../platform/http/pages.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import { createDevicePages, type DevicePages } from './device-pages.js';
import { interactionExpired, requestRefused } from './oidc-errors.js';
import { endpointPaths } from './options/endpoints.js';

/** The pages that the library itself asks for. */
export interface ProtocolPages {
  renderError(ctx: KoaContextWithOIDC, out: ErrorOut, error: unknown): void;
  confirmSignOut(ctx: KoaContextWithOIDC): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): Promise<void>;
  device: DevicePages;
}

export function createProtocolPages(deps: {
  pages: Pages;
  findUserById(id: string): Promise<User | null>;
  findTenantsByIds(ids: readonly string[]): Promise<Tenant[]>;
}): ProtocolPages {
  const renderError: ProtocolPages['renderError'] = (ctx, out, error) =>
    answerPage(deps.pages, spoken(ctx), toPageError(ctx.status, out, error));
  return {
    renderError,
    device: createDevicePages({ ...deps, renderError }),

    async confirmSignOut(ctx) {
      const session = spoken(ctx).oidc.session;
      const user = session?.accountId === undefined ? null : await deps.findUserById(session.accountId);
      const formTarget = ctx.oidc.params?.['post_logout_redirect_uri'] as string | undefined;
      deps.pages.render(
        ctx,
        { view: 'sign-in/sign-out', title: 'sign_out.page_title', formTarget },
        {
          action: `${endpointPaths.end_session}/confirm`,
          xsrf: (session?.state as { secret?: string } | undefined)?.secret,
          clientName: ctx.oidc.client?.clientName ?? null,
          user: user && { name: user.profile.name ?? null, email: user.email },
        },
      );
    },

    async signedOut(ctx) {
      // also shown to who chose to stay: the library does not say which of the two it was, the session does
      const session = await spoken(ctx).oidc.provider.Session.get(ctx);
      const stillSignedIn = session.accountId !== undefined;
      const title = stillSignedIn ? 'signed_out.still_page_title' : 'signed_out.page_title';
      deps.pages.render(
        ctx,
        { view: 'sign-in/signed-out', title },
        {
          stillSignedIn,
          clientName: ctx.oidc.client?.clientName ?? null,
          clientUri: ctx.oidc.client?.clientUri ?? null,
        },
      );
    },
  };
}

/** In the language that the request asks for. */
function spoken(ctx: KoaContextWithOIDC): KoaContextWithOIDC {
  preferLanguages(ctx, textOf(ctx.oidc.params?.['ui_locales']));
  return ctx;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function toPageError(status: number, out: ErrorOut, error: unknown): AppError {
  if (error instanceof errors.SessionNotFound) return interactionExpired(error);
  if (error instanceof errors.OIDCProviderError && status < 500) {
    return requestRefused(status, out.error, out.error_description ?? out.error);
  }
  return status === 503 ? temporarilyUnavailable(error) : toAppError(error);
}
