import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { BrowserExchange, Interaction } from '../oidc/index.js';
import { AppError } from '../kernel/errors.js';
import type { Page } from '../platform/http/pages.js';
import { presentConsent, presentTenants, presentWait } from './present.js';
import { listTenantsToPick } from './pick-tenant.js';
import { signInWithPassword } from './sign-in-with-password.js';
import { oneSpelling } from '../platform/http/http-errors.js';
import type { User } from '../users/index.js';
import type { SignInDeps } from './sign-in-deps.js';

const passwordForm = z.strictObject({ login: z.string().max(320), password: z.string().max(1024) });
const tenantForm = z.strictObject({ tenant: z.string().max(64) });
const consentForm = z.strictObject({ decision: z.enum(['accept', 'deny']) });
const search = z.string().max(200).default('');
const cancelForm = z.strictObject({ cancel: z.string().max(16).optional() });

const refusedLogin = 'That e-mail address and password do not match an account.';

/** One page for each prompt; the library decides which one is next and where the browser goes after the last. */
export function signInRoutes(deps: SignInDeps): Router {
  const router = new Router(oneSpelling);
  router.get('/', (ctx) => {
    const discoveryUrl = `${deps.issuer}/.well-known/openid-configuration`;
    deps.pages.render(ctx, { view: 'sign-in/front', title: 'Sign-in service' }, { issuer: deps.issuer, discoveryUrl });
  });
  router.get('/sign-in/:uid', async (ctx) => showPage(deps, ctx, await open(deps, ctx)));
  router.post('/sign-in/:uid/login', (ctx) => submitPassword(deps, ctx));
  router.post('/sign-in/:uid/tenant', (ctx) => submitTenant(deps, ctx));
  router.post('/sign-in/:uid/consent', (ctx) => submitConsent(deps, ctx));
  router.post('/sign-in/:uid/cancel', async (ctx) => {
    const interaction = await open(deps, ctx);
    await deps.forms.read(ctx, bindingOf(interaction), cancelForm);
    seeOther(ctx, await deps.interactions.refused(exchangeOf(ctx), 'the person cancelled the sign-in'));
  });
  return router;
}

async function submitPassword(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'login');
  const form = await deps.forms.read(ctx, bindingOf(interaction), passwordForm);
  const result = await signInWithPassword(deps, {
    ...form,
    clientId: interaction.client.clientId,
    address: ctx.ip,
    device: ctx.cookies.get(deviceCookieName(deps), { signed: false }), // it has a signature of its own
  });
  if (result.outcome === 'accepted') {
    const { user } = result;
    const login = { user, acr: 'aal1', amr: ['pwd'], browserId: deps.browserIds.ensure(ctx) };
    const next = await deps.interactions.signedIn(exchangeOf(ctx), login);
    markDevice(deps, ctx, user);
    return seeOther(ctx, next);
  }
  if (result.outcome === 'refused') {
    ctx.status = 422;
    return showLogin(deps, ctx, interaction, { login: form.login, error: refusedLogin });
  }
  const { message: error, retryAfterSeconds } = presentWait(result.wait, deps.now());
  ctx.status = 429;
  ctx.set('Retry-After', String(retryAfterSeconds));
  return showLogin(deps, ctx, interaction, { login: form.login, error });
}

function deviceCookieName({ issuer }: SignInDeps): string {
  return issuer.startsWith('https:') ? '__Host-device' : 'device';
}

/** From now on this browser may always try this account, also while somebody else makes it wait. */
function markDevice(deps: SignInDeps, ctx: Context, user: User): void {
  const name = deviceCookieName(deps);
  const { mark, lifetimeSeconds } = deps.knownDevices;
  ctx.cookies.set(name, mark(ctx.cookies.get(name, { signed: false }), user), {
    ...{ path: '/', httpOnly: true, sameSite: 'lax', secure: deps.issuer.startsWith('https:') },
    ...{ maxAge: lifetimeSeconds * 1000, signed: false },
  });
}

async function submitTenant(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'select_tenant');
  const { tenant: slug } = await deps.forms.read(ctx, bindingOf(interaction), tenantForm);
  const tenants = await listTenantsToPick(deps, interaction.userId ?? '');
  const picked = tenants.find((tenant) => tenant.slug === slug);
  if (!picked) {
    ctx.status = 422;
    return showTenants(deps, ctx, interaction, 'That tenant is not open to you. Please pick another one.');
  }
  await deps.rememberPick(picked.id, interaction.userId ?? '');
  seeOther(ctx, await deps.interactions.tenantPicked(exchangeOf(ctx), picked.id));
}

async function submitConsent(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'consent');
  const { decision } = await deps.forms.read(ctx, bindingOf(interaction), consentForm);
  const { tenant, keys } = await deps.interactions.consentAsked(exchangeOf(ctx));
  const consent = { tenantId: tenant.id, userId: interaction.userId ?? '', clientId: interaction.client.clientId };
  if (decision === 'deny') {
    await deps.denyConsent(consent);
    return seeOther(ctx, await deps.interactions.refused(exchangeOf(ctx), 'the person did not agree'));
  }
  await deps.grantConsent({ ...consent, granted: keys });
  seeOther(ctx, await deps.interactions.consented(exchangeOf(ctx)));
}

async function showPage(deps: SignInDeps, ctx: Context, interaction: Interaction): Promise<void> {
  switch (interaction.prompt) {
    case 'login':
      return showLogin(deps, ctx, interaction, { login: interaction.loginHint ?? '', error: null });
    case 'select_tenant':
      return showTenants(deps, ctx, interaction, null);
    case 'consent':
      return showConsent(deps, ctx, interaction);
  }
}

async function showLogin(
  deps: SignInDeps,
  ctx: Context,
  interaction: Interaction,
  form: { login: string; error: string | null },
): Promise<void> {
  const tenant = interaction.clientTenantId === null ? null : await deps.findTenantById(interaction.clientTenantId);
  deps.pages.render(ctx, pageOf(interaction, 'login', 'Sign in'), {
    ...common(deps, ctx, interaction, 'login'),
    ...form,
    tenantName: tenant?.name ?? null,
    supportUri: tenant?.branding.supportUri ?? null,
  });
}

async function showTenants(
  deps: SignInDeps,
  ctx: Context,
  interaction: Interaction,
  error: string | null,
): Promise<void> {
  const asked = search.safeParse(ctx.query['q']);
  if (!asked.success)
    throw new AppError('interaction.bad_search', { status: 400, detail: 'The search can hold 200 characters.' });
  const tenants = await listTenantsToPick(deps, interaction.userId ?? '');
  deps.pages.render(ctx, pageOf(interaction, 'pick-tenant', 'Choose where to continue'), {
    ...common(deps, ctx, interaction, 'tenant'),
    error,
    user: await presentUser(deps, interaction),
    pageAddress: `/sign-in/${interaction.uid}`,
    ...presentTenants(tenants, asked.data.trim()),
  });
}

async function showConsent(deps: SignInDeps, ctx: Context, interaction: Interaction): Promise<void> {
  const request = await deps.interactions.consentAsked(exchangeOf(ctx));
  deps.pages.render(ctx, pageOf(interaction, 'consent', 'Allow access'), {
    ...common(deps, ctx, interaction, 'consent'),
    ...(await presentConsent(deps, interaction.client, request)),
    tenantName: request.tenant.name,
    user: await presentUser(deps, interaction),
  });
}

/** The interaction of this address and browser; 400 when it is lost, or waits for another page than the one posted. */
async function open(deps: SignInDeps, ctx: Context, prompt?: Interaction['prompt']): Promise<Interaction> {
  const interaction = await deps.interactions.read(
    exchangeOf(ctx),
    (ctx as unknown as { params: { uid: string } }).params.uid,
  );
  if (prompt !== undefined && interaction.prompt !== prompt) {
    throw new AppError('interaction.wrong_step', {
      status: 400,
      detail: 'This sign-in is at another step. Go back to the app and start again.',
    });
  }
  return interaction;
}

function pageOf(interaction: Interaction, name: string, title: string): Page {
  return { view: `sign-in/${name}`, title, formTarget: interaction.redirectUri };
}

function common(deps: SignInDeps, ctx: Context, interaction: Interaction, step: string): Record<string, unknown> {
  const base = `/sign-in/${interaction.uid}`;
  return {
    action: `${base}/${step}`,
    cancelAction: `${base}/cancel`,
    csrf: deps.forms.csrfToken(ctx, bindingOf(interaction)),
    clientName: interaction.client.name,
  };
}

async function presentUser(
  deps: SignInDeps,
  interaction: Interaction,
): Promise<{ name: string | null; email: string }> {
  const user = interaction.userId === undefined ? null : await deps.findUserById(interaction.userId);
  return { name: user?.profile.name ?? null, email: user?.email ?? '' };
}

function bindingOf(interaction: Interaction): string {
  return `interaction:${interaction.uid}`;
}

function exchangeOf(ctx: Context): BrowserExchange {
  return { req: ctx.req, res: ctx.res };
}

/** 303: the browser goes on with GET and never posts the form again (RFC 9700 §4.12). */
function seeOther(ctx: Context, location: string): void {
  ctx.status = 303;
  ctx.set('Location', location);
  ctx.body = '';
}
