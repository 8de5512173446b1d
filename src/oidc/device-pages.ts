import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { AppError } from '../kernel/errors.js';
import type { MessageKey, Said } from '../kernel/message.js';
import { answerPage } from '../platform/http/answer-error.js';
import { preferLanguages } from '../platform/http/page-language.js';
import type { Pages } from '../platform/http/pages.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import {
  bindingOf,
  clientOf,
  deviceErrorOf,
  hasStoredSession,
  leaveSessionUnsaved,
  type DeviceError,
} from './library-internals.js';
import { endpointPaths } from './options/endpoints.js';

/** Pages at `/device`, where a person types the code of a device and decides (RFC 8628 §3.3). */
export interface DevicePages {
  /** The form for the code; also what the library shows after an error on the way. */
  enterCode(ctx: KoaContextWithOIDC, error?: { out: ErrorOut; cause: unknown }): void;
  confirm(ctx: KoaContextWithOIDC): Promise<void>;
  connected(ctx: KoaContextWithOIDC): Promise<void>;
}

export interface DevicePagesDeps {
  pages: Pages;
  findUserById(id: string): Promise<User | null>;
  findTenantsByIds(ids: readonly string[]): Promise<Tenant[]>;
  renderError(ctx: KoaContextWithOIDC, out: ErrorOut, error: unknown): void;
}

/** What the form is shown with again. */
const problems: Partial<Record<DeviceError['kind'], { status: number; message: MessageKey }>> = {
  no_code: { status: 422, message: 'device.no_code' },
  // unknown, expired, used and turned down get the same words: nobody learns which codes there are
  of_no_use: {
    status: 422,
    message: 'device.of_no_use',
  },
  claimed: {
    status: 403,
    message: 'device.claimed',
  },
  unusable_form: { status: 400, message: 'device.unusable_form' },
};

export function createDevicePages(deps: DevicePagesDeps): DevicePages {
  function showForm(ctx: KoaContextWithOIDC, status: number, error: MessageKey | null): void {
    ctx.status = status;
    deps.pages.render(
      ctx,
      { view: 'sign-in/device-code', title: 'device.title' },
      { ...formOf(ctx), userCode: typedCodeOf(ctx), error },
    );
  }

  function showOutcome(ctx: KoaContextWithOIDC, locals: { account: object | null; refusal: Said | null }): void {
    const title = locals.account ? 'device.connected_title' : 'device.not_connected_title';
    const clientName = ctx.oidc.client ? nameOf(ctx) : null;
    deps.pages.render(ctx, { view: 'sign-in/device-outcome', title }, { clientName, ...locals });
  }

  return {
    enterCode(ctx, error) {
      if (!error) return showForm(ctx, 200, null);
      const { kind, refusal } = deviceErrorOf(ctx, error.cause);
      const problem = problems[kind];
      if (problem && hasStoredSession(ctx)) return showForm(ctx, problem.status, problem.message);
      leaveSessionUnsaved(ctx);
      if (problem) return answerPage(deps.pages, ctx, withoutCookie());
      if (kind !== 'turned_down') return deps.renderError(ctx, error.out, error.cause);
      showOutcome(ctx, { account: null, refusal: isCancelled(ctx) ? null : refusal });
    },

    async confirm(ctx) {
      const code = ctx.oidc.entities.DeviceCode;
      preferLanguages(ctx, code?.params?.['ui_locales'] as string | undefined);
      const { ip, ua } = (code?.deviceInfo ?? {}) as Partial<DeviceInfo>;
      const userCode = code?.userCode ?? '';
      deps.pages.render(
        ctx,
        { view: 'sign-in/device-confirm', title: 'device.confirm_title' },
        {
          ...formOf(ctx),
          userCode: [userCode.slice(0, 4), userCode.slice(4)].join('-'),
          clientName: nameOf(ctx),
          address: ip ?? '',
          software: ua ?? '',
          offline: scopesOf(code?.params).includes('offline_access'),
          user: await presentUser(deps, ctx),
        },
      );
    },

    async connected(ctx) {
      const grant = ctx.oidc.entities.Grant;
      preferLanguages(ctx, ctx.oidc.entities.DeviceCode?.params?.['ui_locales'] as string | undefined);
      const [tenant] = grant ? await deps.findTenantsByIds([bindingOf(grant).tenantId]) : [];
      showOutcome(ctx, { account: { user: await presentUser(deps, ctx), place: tenant?.name ?? null }, refusal: null });
    },
  };
}

async function presentUser(
  { findUserById }: DevicePagesDeps,
  ctx: KoaContextWithOIDC,
): Promise<{ name: string | null; email: string } | null> {
  const userId = ctx.oidc.session?.accountId;
  const user = userId === undefined ? null : await findUserById(userId);
  return user && { name: user.profile.name ?? null, email: user.email };
}

/** Where a request for a device came from, as the person is shown it before anything is decided. */
export interface DeviceInfo {
  ip: string;
  ua: string;
}

export function deviceInfoOf(ctx: KoaContextWithOIDC): DeviceInfo & Record<string, unknown> {
  return { ip: ctx.ip, ua: ctx.get('User-Agent').slice(0, 200) };
}

/** What a link to this page brought along (`verification_uri_complete`), put aside before the library reads it. */
export interface PrefilledState {
  prefilledCode?: string;
}

function typedCodeOf(ctx: KoaContextWithOIDC): string {
  const typed = (ctx.state as PrefilledState).prefilledCode ?? ctx.oidc.params?.['user_code'];
  return typeof typed === 'string' ? typed.slice(0, 20) : '';
}

function formOf(ctx: KoaContextWithOIDC): { action: string; xsrf: string } {
  const { secret = '' } = (ctx.oidc.session?.state ?? {}) as { secret?: string };
  return { action: endpointPaths.code_verification, xsrf: secret };
}

function nameOf(ctx: KoaContextWithOIDC): string {
  const { clientName, clientId } = clientOf(ctx);
  return clientName ?? clientId;
}

function scopesOf(params: Record<string, unknown> | undefined): string[] {
  return ((params?.['scope'] as string | undefined) ?? '').split(' ');
}

function withoutCookie(): AppError {
  return new AppError('device_code.no_cookie', {
    status: 400,
    detail: 'The cookie of this page is missing. Allow cookies, then open the page again and type the code.',
  });
}

/** Turned down on one of the sign-in pages, as against refused by a rule. */
function isCancelled(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.entities.Interaction?.result?.error !== undefined;
}
