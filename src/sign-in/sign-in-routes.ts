import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { AppError } from '../kernel/errors.js';
import type { Said } from '../kernel/message.js';
import {
  bindingOf,
  ceremonyOf,
  common,
  deviceCookieOf,
  exchangeOf,
  finishLogin,
  open,
  pageOf,
  passkeyForm,
  passkeySignIn,
  passwordGiven,
  presentUser,
  secondFactorPath,
  seeOther,
  throughOf,
  type OpenInteraction,
} from './parts-of-routes.js';
import { presentWait } from '../kernel/present-wait.js';
import { presentConsent, presentTenants } from './present.js';
import { listTenantsToPick } from './pick-tenant.js';
import { goToProvider } from './connection-routes.js';
import { enforcedText, homeRealmPath, leadOf } from './home-realm.js';
import { connectionPath, connectionsShown, noConnection } from './offered-connections.js';
import { accept, answerPage, invitationForm, invitationOf, type InvitationShown } from './answer-invitation.js';
import { accountForm, answerSignUp, showAddressForm, signUp, type AddressPage } from './mail-link-routes.js';
import { showProfile, showTerms } from './required-actions-routes.js';
import { signUpInvited } from './sign-up-invited.js';
import { signInWithPassword } from './sign-in-with-password.js';
import { oneSpelling } from '../platform/http/http-errors.js';
import { inSameLanguage } from '../platform/http/page-language.js';
import type { SignInDeps } from './sign-in-deps.js';

const passwordForm = z.strictObject({ login: z.string().max(320), password: z.string().max(1024) });
/** The button stands in the form of the password, which may be typed already. */
const homeRealmForm = passwordForm.partial({ password: true });
const tenantForm = z.strictObject({ tenant: z.string().max(64) });
const consentForm = z.strictObject({ decision: z.enum(['accept', 'deny']) });
const search = z.string().max(200).default('');
const registrationForm = z.strictObject({ login: z.string().max(320) });
const returning = z.enum(['recover', 'sign-up']);
const cancelForm = z.strictObject({ cancel: z.string().max(16).optional() });

/** One page for each prompt; the library decides which one is next and where the browser goes after the last. */
export function signInRoutes(deps: SignInDeps): Router {
  const router = new Router(oneSpelling);
  router.get('/', (ctx) => {
    const discoveryUrl = `${deps.issuer}/.well-known/openid-configuration`;
    deps.pages.render(ctx, { view: 'sign-in/front', title: 'front.title' }, { issuer: deps.issuer, discoveryUrl });
  });
  router.get('/sign-in/:uid', async (ctx) => showPage(deps, ctx, await open(deps, ctx)));
  // where passwords are hashed: whoever does not fit into the line is told so before anything is looked at
  router.post('/sign-in/:uid/login', (ctx) => deps.inLine(() => submitPassword(deps, ctx)));
  router.post('/sign-in/:uid/organisation', (ctx) => submitHomeRealm(deps, ctx));
  router.post('/sign-in/:uid/sign-up', (ctx) => deps.inLine(() => submitSignUp(deps, ctx)));
  router.get('/sign-in/:uid/register', async (ctx) => {
    const interaction = await open(deps, ctx, 'login');
    deps.accounts.requireSignUpOpen(throughOf(interaction));
    showAddressForm(deps, ctx, registrationOf(interaction), { login: '', from: interaction.uid, error: null });
  });
  router.post('/sign-in/:uid/register', (ctx) => submitRegistration(deps, ctx));
  router.get('/sign-in/:uid/recover', (ctx) => seeOther(ctx, inSameLanguage(ctx, `/recover?from=${uidOf(ctx)}`)));
  router.get('/sign-in/:uid/return', (ctx) => goOn(deps, ctx));
  router.post('/sign-in/:uid/passkey', (ctx) => submitPasskey(deps, ctx));
  router.post('/sign-in/:uid/invitation', (ctx) => submitInvitation(deps, ctx));
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
    device: deviceCookieOf(deps, ctx),
    linking: interaction.linking,
  });
  if (result.outcome === 'accepted') return passwordGiven(deps, ctx, interaction, result.user);
  const lead = interaction.linking ? null : await leadOf(deps, interaction, form.login);
  // the same for everybody of the domain, whatever was wrong
  if (result.outcome === 'refused' || lead?.realm.isEnforced) {
    ctx.status = 422;
    const error = lead?.realm.isEnforced ? enforcedText(lead.realm) : 'login.refused';
    return showLogin(deps, ctx, interaction, { login: form.login, error });
  }
  const { message: error, retryAfterSeconds } = presentWait(result.wait, deps.now());
  ctx.status = 429;
  ctx.set('Retry-After', String(retryAfterSeconds));
  return showLogin(deps, ctx, interaction, { login: form.login, error });
}

/** To the provider of whoever has such an address, whoever that is. */
async function submitHomeRealm(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'login');
  const { login } = await deps.forms.read(ctx, bindingOf(interaction), homeRealmForm);
  const lead = interaction.linking ? null : await leadOf(deps, interaction, login);
  if (lead?.connection) return goToProvider(deps, ctx, { ...interaction, loginHint: login }, lead.connection);
  ctx.status = 422;
  return showLogin(deps, ctx, interaction, { login, error: lead ? enforcedText(lead.realm) : 'login.no_organisation' });
}

/** Without a password: the browser shows the passkeys that it has, and the one that was chosen says whose it is. */
async function submitPasskey(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'login');
  const answer = await deps.forms.read(ctx, bindingOf(interaction), passkeyForm);
  const { clientId } = interaction.client;
  const binding = ceremonyOf(deps, ctx, interaction);
  const proven = await deps.factors.passkeys.proveSignIn({ ...answer, binding }, { clientId });
  const linked = interaction.linking?.userId === proven?.user.id ? interaction.linking?.connectionId : undefined;
  if (proven && (await deps.homeRealms.maySignInWith(proven.user, linked ?? null)))
    return finishLogin(deps, ctx, interaction, { user: proven.user, proofs: [proven.proof] });
  ctx.status = 422;
  return showLogin(deps, ctx, interaction, {
    login: '',
    error: proven ? 'login.refused_here' : 'login.refused_passkey',
  });
}

/** Only where an invitation brings an address that has no account. */
async function submitSignUp(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'login');
  const form = await deps.forms.read(ctx, bindingOf(interaction), accountForm);
  const result = await signUpInvited(deps, { ...form, token: interaction.invitation ?? '' });
  if (result.outcome === 'made') return passwordGiven(deps, ctx, interaction, result.user);
  ctx.status = 422;
  if (result.outcome !== 'refused') return showLogin(deps, ctx, interaction, { login: '', error: 'login.has_account' });
  return showLogin(deps, ctx, interaction, { login: '', error: result.why, name: form.name });
}

/** For who has no account; the link in the mail leads back to this sign-in. */
async function submitRegistration(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'login');
  const page = registrationOf(interaction);
  const { login } = await deps.forms.read(ctx, page.binding, registrationForm);
  await answerSignUp(deps, ctx, page, { login, from: interaction.uid, through: throughOf(interaction) });
}

function registrationOf(interaction: OpenInteraction): AddressPage {
  const { uid, look } = interaction;
  return { ...signUp, action: `/sign-in/${uid}/register`, binding: bindingOf(interaction), look };
}

/** Somebody comes back from a link in a mail: to their sign-in if this browser still has it. */
async function goOn(deps: SignInDeps, ctx: Context): Promise<void> {
  const after = returning.safeParse(ctx.query['after']);
  const uid = uidOf(ctx);
  const isLost = await deps.interactions.read(exchangeOf(ctx), uid).then(
    () => false,
    (error: unknown) => {
      if (error instanceof AppError && error.status < 500) return true;
      throw error;
    },
  );
  seeOther(ctx, inSameLanguage(ctx, isLost ? `/${after.data ?? 'recover'}/done` : `/sign-in/${uid}`));
}

async function submitInvitation(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'invitation');
  const { decision } = await deps.forms.read(ctx, bindingOf(interaction), invitationForm);
  if (decision === 'decline')
    return seeOther(ctx, await deps.interactions.refused(exchangeOf(ctx), 'the person did not accept the invitation'));
  try {
    const tenantId = await accept(deps, interaction);
    return seeOther(ctx, await deps.interactions.invitationAccepted(exchangeOf(ctx), tenantId));
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 409) throw error;
    ctx.status = 409;
    return showInvitation(deps, ctx, interaction, error);
  }
}

async function submitTenant(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'select_tenant');
  const { tenant: slug } = await deps.forms.read(ctx, bindingOf(interaction), tenantForm);
  const tenants = await listTenantsToPick(deps, interaction.userId ?? '');
  const picked = tenants.find((tenant) => tenant.slug === slug);
  if (!picked) {
    ctx.status = 422;
    return showTenants(deps, ctx, interaction, 'pick_tenant.not_open');
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

async function showPage(deps: SignInDeps, ctx: Context, interaction: OpenInteraction): Promise<void> {
  switch (interaction.prompt) {
    case 'login':
      return showLogin(deps, ctx, interaction, { login: interaction.loginHint ?? '', error: null });
    case 'invitation':
      return showInvitation(deps, ctx, interaction, null);
    case 'select_tenant':
      return showTenants(deps, ctx, interaction, null);
    case 'second_factor':
      return seeOther(ctx, secondFactorPath(interaction));
    case 'terms':
      return showTerms(deps, ctx, interaction, null);
    case 'profile':
      return showProfile(deps, ctx, interaction, { form: {}, error: null });
    case 'consent':
      return showConsent(deps, ctx, interaction);
  }
}

async function showLogin(
  deps: SignInDeps,
  ctx: Context,
  interaction: OpenInteraction,
  form: { login: string; error: Said | null; name?: string },
): Promise<void> {
  const invitation = await invitationOf(deps, interaction);
  const login = form.login || (interaction.linking?.email ?? invitation?.email ?? '');
  const lead = interaction.linking || login === '' ? null : await leadOf(deps, interaction, login);
  if (invitation && !invitation.isKnown && !lead?.realm.isEnforced) {
    const { error, name = '' } = form;
    const { minimumLength } = await deps.passwordRulesFor({
      email: invitation.email,
      tenantIds: [invitation.tenantId],
    });
    return deps.pages.render(ctx, pageOf(interaction, 'sign-up', 'sign_up.title'), {
      ...common(deps, ctx, interaction, 'sign-up'),
      ...{ invitation, error, name, minimumLength },
    });
  }
  const { linking } = interaction;
  deps.pages.render(ctx, pageOf(interaction, 'login', 'login.title'), {
    ...common(deps, ctx, interaction, 'login'),
    passkey: await passkeySignIn(deps, ctx, interaction),
    error: form.error,
    login,
    ...{
      lead: lead && { ...lead.realm, name: lead.connection?.name ?? null },
      homeRealmAction: homeRealmPath(interaction),
    },
    offersHomeRealm: !linking && (lead !== null || (await deps.homeRealms.isAnyHomeRealm())),
    linking: linking && { email: linking.email },
    connections: await connectionsShown(deps, interaction),
    noConnection,
    connectionAction: connectionPath(interaction),
    supportUri: interaction.look?.supportUri ?? null,
    recoverUrl: inSameLanguage(ctx, `/sign-in/${interaction.uid}/recover`),
    signUpUrl: deps.accounts.isSignUpOpen(throughOf(interaction)) ? `/sign-in/${interaction.uid}/register` : null,
  });
}

async function showTenants(
  deps: SignInDeps,
  ctx: Context,
  interaction: OpenInteraction,
  error: Said | null,
): Promise<void> {
  const asked = search.safeParse(ctx.query['q']);
  if (!asked.success)
    throw new AppError('interaction.bad_search', { status: 400, detail: 'The search can hold 200 characters.' });
  const tenants = await listTenantsToPick(deps, interaction.userId ?? '');
  deps.pages.render(ctx, pageOf(interaction, 'pick-tenant', 'pick_tenant.title'), {
    ...common(deps, ctx, interaction, 'tenant'),
    error,
    user: await presentUser(deps, interaction),
    pageAddress: `/sign-in/${interaction.uid}`,
    ...presentTenants(tenants, asked.data.trim()),
  });
}

async function showInvitation(
  deps: SignInDeps,
  ctx: Context,
  interaction: OpenInteraction,
  error: Said | null,
): Promise<void> {
  const { invitation, isTheirs } = await answerPage(deps, interaction);
  deps.pages.render(ctx, pageOf(interaction, 'invitation', titleOf(invitation)), {
    ...common(deps, ctx, interaction, 'invitation'),
    ...{ error, invitation, isTheirs, user: await presentUser(deps, interaction) },
  });
}

async function showConsent(deps: SignInDeps, ctx: Context, interaction: OpenInteraction): Promise<void> {
  const request = await deps.interactions.consentAsked(exchangeOf(ctx));
  const look = await deps.lookOf({ ...interaction, tenantId: request.tenant.id });
  deps.pages.render(ctx, pageOf({ ...interaction, look }, 'consent', 'consent.page_title'), {
    ...common(deps, ctx, interaction, 'consent'),
    ...(await presentConsent(deps, interaction.client, request)),
    tenantName: request.tenant.name,
    user: await presentUser(deps, interaction),
  });
}

function titleOf({ tenantName }: InvitationShown): Said {
  return { key: 'invitation.title', values: { tenantName } };
}

function uidOf(ctx: Context): string {
  return (ctx as unknown as { params: { uid: string } }).params.uid;
}
