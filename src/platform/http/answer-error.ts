import type { Context } from 'koa';
import type { AppError } from '../../kernel/errors.js';
import type { Pages } from './pages.js';
import { answerProblem } from './problem.js';

const protocolEndpoint = /^\/(oauth2|\.well-known)\//;
const pageTexts: Readonly<Record<number, { heading: string; hint: string | null }>> = {
  403: { heading: 'That form cannot be used', hint: 'Go back and try again.' },
  404: { heading: 'There is no page here', hint: 'Check the address, or go back to the app you came from.' },
  429: { heading: 'Too many attempts', hint: 'Wait a moment, then try again.' },
  500: { heading: 'Something went wrong', hint: 'Try again. If it stays like this, tell us the reference below.' },
  503: { heading: 'The service is busy', hint: 'Wait a moment, then try again.' },
};
const textsOfCodes: Readonly<Record<string, { heading: string; hint: string | null }>> = {
  'interaction.expired': { heading: 'This sign-in has expired', hint: 'Go back to the app and start again.' },
};
const otherTexts = { heading: 'This request cannot be served', hint: 'Go back to the app and start again.' };

/** The answer to an error in the form that who asked can read: a page, an OAuth error (RFC 6749 §5.2), or a problem. */
export function errorAnswerer(pages: Pages): (ctx: Context, error: AppError) => void {
  return (ctx, error) => {
    if (ctx.res.headersSent) {
      ctx.res.destroy(); // nothing can be said any more; a cut answer is at least not taken for a whole one
      return;
    }
    ctx.respond = true;
    if (ctx.accepts('json', 'html') === 'html') return answerPage(pages, ctx, error);
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
      message: error.message,
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
