import type { Context } from 'koa';
import type { AppError } from '../../kernel/errors.js';
import type { MessageKey } from '../../kernel/message.js';
import type { Pages } from './pages.js';
import { answerProblem } from './problem.js';

const protocolEndpoint = /^\/(oauth2|\.well-known)\//;

interface Texts {
  heading: MessageKey;
  hint: MessageKey;
}

const pageTexts: Readonly<Record<number, Texts>> = {
  403: { heading: 'error_page.form', hint: 'error_page.form_hint' },
  404: { heading: 'error_page.not_found', hint: 'error_page.not_found_hint' },
  429: { heading: 'error_page.too_many', hint: 'error_page.wait_hint' },
  500: { heading: 'error_page.fault', hint: 'error_page.fault_hint' },
  503: { heading: 'error_page.busy', hint: 'error_page.wait_hint' },
};
const textsOfCodes: Readonly<Record<string, Texts>> = {
  'interaction.expired': { heading: 'error_page.expired', hint: 'error_page.start_again' },
};
const otherTexts: Texts = { heading: 'error_page.other', hint: 'error_page.start_again' };

/** The answer to an error in the form that who asked can read: a page, an OAuth error (RFC 6749 §5.2), or a problem. */
export function errorAnswerer(pages: Pages): (ctx: Context, error: AppError) => void {
  return (ctx, error) => {
    if (ctx.res.headersSent) {
      ctx.res.destroy(); // nothing can be said any more; a cut answer is at least not taken for a whole one
      return;
    }
    ctx.respond = true;
    if (!ctx.path.startsWith('/api/') && ctx.accepts('json', 'html') === 'html') return answerPage(pages, ctx, error);
    if (!protocolEndpoint.test(ctx.path)) return answerProblem(ctx, error);
    ctx.status = error.status;
    ctx.body = { error: oauthCode(error.status), error_description: error.message };
  };
}

export function answerPage(pages: Pages, ctx: Context, error: AppError): void {
  const { heading, hint } = textsOfCodes[error.code] ?? pageTexts[error.status] ?? otherTexts;
  ctx.status = error.status;
  pages.render(
    ctx,
    { view: 'errors/error', title: heading },
    {
      status: error.status,
      heading,
      message: error,
      code: error.code,
      hint,
      returnUrl: null,
      returnLabel: null,
    },
  );
}

function oauthCode(status: number): string {
  if (status === 503 || status === 429) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}
