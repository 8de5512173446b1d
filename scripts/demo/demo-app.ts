/** The pages of the demo. Read top to bottom it is the life of a sign-in: home, away, back, use, refresh, sign out. */
import Router from '@koa/router';
import parseBody from 'co-body';
import { readFile } from 'node:fs/promises';
import Koa, { type Context, type Middleware } from 'koa';
import { createBrowserSessions } from './browser-sessions.js';
import { homePage, problemPage } from './pages.js';
import { explain } from './problems.js';
import { projectsApi } from './projects-api.js';
import { createRelyingParty, type RelyingPartyOptions } from './relying-party.js';

/** What the demo itself does not accept; everything else that goes wrong goes wrong at the server. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function createDemoApp(options: RelyingPartyOptions): Koa {
  const { issuer, address } = options;
  const party = createRelyingParty(options);
  const sessions = createBrowserSessions();
  const router = new Router();

  router.get('/', (ctx) => {
    const session = sessions.of(ctx);
    const { notice } = session;
    delete session.notice;
    ctx.body = homePage(issuer, session, notice);
  });

  // away: to the server's sign-in page. With `prompt` this also switches to another tenant.
  router.post('/sign-in', async (ctx) => {
    const { tenant = '', prompt = '' } = await formOf(ctx);
    const { location, state, pending } = await party.beginSignIn({ tenant: tenant.trim(), prompt });
    sessions.of(ctx).pending.set(state, pending);
    seeOther(ctx, location);
  });

  // back: the redirect URI, with a code or an error
  router.get('/callback', async (ctx) => {
    const state = typeof ctx.query['state'] === 'string' ? ctx.query['state'] : '';
    const { pending } = sessions.of(ctx);
    const begun = pending.get(state);
    if (!begun) throw new Refusal(400, 'this sign-in was not started here, or it is finished already');
    pending.delete(state); // once only
    const signedIn = await party.finishSignIn(new URL(ctx.url, address), state, begun);
    // a new identifier: whoever knew the browser's cookie before the sign-in knows nothing now
    sessions.restart(ctx).signedIn = signedIn;
    seeOther(ctx, '/');
  });

  router.post('/call-api', async (ctx) => {
    const session = sessions.of(ctx);
    const headers = { Authorization: `Bearer ${session.signedIn?.accessToken ?? ''}` };
    const answer = await fetch(`${address}/api/projects`, { headers });
    session.apiAnswer = { status: answer.status, body: await answer.json() };
    seeOther(ctx, '/');
  });

  router.post('/refresh', async (ctx) => {
    const session = sessions.of(ctx);
    if (!session.signedIn) return seeOther(ctx, '/');
    session.signedIn = await party.refresh(session.signedIn);
    session.notice = 'The tokens are new: compare “issued” and “good until”.';
    seeOther(ctx, '/');
  });

  router.post('/sign-out', async (ctx) => {
    const { signedIn } = sessions.of(ctx);
    // first here, whatever the person decides there
    sessions.restart(ctx).notice = 'You are signed out of this app.';
    seeOther(ctx, signedIn ? await party.signOutLocation(signedIn) : '/');
  });

  router.get('/api/projects', projectsApi(options));
  router.get('/style.css', async (ctx) => {
    ctx.type = 'css';
    ctx.body = await readFile(new URL('style.css', import.meta.url));
  });
  router.get('/favicon.ico', (ctx) => {
    ctx.status = 204;
  });

  const app = new Koa();
  app.use(answerProblems(options));
  app.use(protectPages(options));
  app.use(router.routes());
  return app;
}

/** Whatever goes wrong further in becomes a page that says so; the API answers in JSON. */
function answerProblems({ issuer }: RelyingPartyOptions): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const problem = explain(error, issuer);
      ctx.status = error instanceof Refusal ? error.status : problem.status;
      const isApi = ctx.path.startsWith('/api/');
      ctx.body = isApi ? { error: 'temporarily_unavailable', reason: problem.text } : problemPage(problem);
    }
  };
}

/** No script, nothing from elsewhere, no frame around us, and forms that only our own pages can send. */
function protectPages({ issuer, address }: RelyingPartyOptions): Middleware {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    `form-action 'self' ${new URL(issuer).origin}`, // browsers hold the redirects after a form to this as well
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
  return async (ctx, next) => {
    ctx.set('Content-Security-Policy', policy);
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Referrer-Policy', 'same-origin');
    ctx.set('Cache-Control', 'no-store');
    if (ctx.method === 'POST' && ctx.get('Origin') !== address) {
      throw new Refusal(403, 'this form was sent by another site');
    }
    await next();
  };
}

async function formOf(ctx: Context): Promise<Partial<Record<string, string>>> {
  const form = (await parseBody.form(ctx.req, { limit: '8kb' })) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(form).map(([name, value]) => [name, String(value)]));
}

/** 303: the browser goes on with GET and never sends the form again. */
function seeOther(ctx: Context, location: string): void {
  ctx.redirect(location);
  ctx.status = 303;
}
