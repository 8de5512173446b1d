import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { AccountsModule, SignUpRequest } from '../accounts/index.js';
import type { CredentialsModule } from '../credentials/index.js';
import type { HomeRealms } from '../domains/index.js';
import { parseEmail } from '../kernel/email.js';
import { AppError } from '../kernel/errors.js';
import type { MessageKey, Said } from '../kernel/message.js';
import { interactionUidPattern, linkTokenPattern, nameCharacters } from '../kernel/patterns.js';
import type { BrowserIds } from '../platform/http/browser-id.js';
import { inSameLanguage, languageOf } from '../platform/http/page-language.js';
import type { Forms } from '../platform/http/forms.js';
import { notFound, oneSpelling } from '../platform/http/http-errors.js';
import type { Look, Pages } from '../platform/http/pages.js';
import { enforcedText } from './home-realm.js';
import { donePages, type Done } from './done-pages.js';

/** What the pages of links in mails ask of the rest of the product. */
export interface MailLinkDeps {
  accounts: AccountsModule;
  homeRealms: Pick<HomeRealms, 'findHomeRealm'>;
  pages: Pages;
  forms: Forms;
  browserIds: BrowserIds;
  /** Around what hashes a password. */
  inLine: CredentialsModule['inLine'];
}

const addressForm = z.strictObject({
  login: z.string().max(320),
  from: z.string().regex(interactionUidPattern).optional(),
});
const passwordForm = z.strictObject({ password: z.string().max(1024) });
export const accountForm = z.strictObject({
  name: z.string().max(200).regex(nameCharacters),
  password: z.string().max(1024),
});
const confirmForm = z.strictObject({ confirm: z.literal('yes') });

/**
 * Recovery, sign-up and changes of address by mail. Each is a machine of two states whose second one only the link
 * opens: what was posted before counts for nothing. To open a link (GET) changes nothing: mail scanners do it too.
 */
export function mailLinkRoutes(deps: MailLinkDeps): Router {
  const router = new Router(oneSpelling);
  for (const [path, done] of Object.entries(donePages))
    router.get(path, (ctx) => deps.pages.render(ctx, { view: 'sign-in/done', title: done.title }, { text: done.text }));
  router.get('/.well-known/change-password', (ctx) => seeOther(ctx, '/account/password'));

  router.get('/recover', (ctx) => showAddressForm(deps, ctx, recovery, { from: fromOf(ctx), login: '', error: null }));
  router.post('/recover', async (ctx) => {
    const { login, from } = await deps.forms.read(ctx, recovery.binding, addressForm);
    await deps.accounts.requestRecovery({ login, from, language: languageOf(ctx) });
    const error = await problemOfDomain(deps, login);
    if (error !== null) {
      ctx.status = 422;
      return showAddressForm(deps, ctx, recovery, { login, from, error });
    }
    showSent(deps, ctx, recovery, { login, from });
  });
  router.get('/recover/:token', async (ctx) => showNewPassword(deps, ctx, await openRecovery(deps, ctx), null));
  router.post('/recover/:token', (ctx) => deps.inLine(() => submitNewPassword(deps, ctx)));

  router.get('/sign-up', (ctx) => {
    deps.accounts.requireSignUpOpen(null);
    showAddressForm(deps, ctx, signUp, { from: undefined, login: '', error: null });
  });
  router.post('/sign-up', async (ctx) => {
    deps.accounts.requireSignUpOpen(null);
    const { login } = await deps.forms.read(ctx, signUp.binding, addressForm.omit({ from: true }));
    await answerSignUp(deps, ctx, signUp, { login, from: undefined, through: null });
  });
  router.get('/sign-up/:token', async (ctx) => showNewAccount(deps, ctx, await openSignUp(deps, ctx)));
  router.post('/sign-up/:token', (ctx) => deps.inLine(() => submitNewAccount(deps, ctx)));

  router.get('/verify-email/:token', (ctx) => showConfirm(deps, ctx, verification));
  router.post('/verify-email/:token', (ctx) => submitConfirm(deps, ctx, verification));
  router.get('/change-email/:token', (ctx) => showConfirm(deps, ctx, emailChange));
  router.post('/change-email/:token', (ctx) => submitConfirm(deps, ctx, emailChange));
  router.get('/undo-email-change/:token', async (ctx) => showNewPassword(deps, ctx, await openUndo(deps, ctx), null));
  router.post('/undo-email-change/:token', (ctx) => deps.inLine(() => submitUndo(deps, ctx)));
  return router;
}

/** A page on which somebody types an address, and what it says of itself. */
export interface AddressPage {
  action: string;
  /** What its form is bound to. */
  binding: string;
  title: MessageKey;
  lede: MessageKey;
  button: MessageKey;
  /** Of the sign-in that it is a part of. */
  look?: Look | null;
}

const recovery: AddressPage = {
  ...{ action: '/recover', binding: 'recover', title: 'recover.title', button: 'address.send' },
  lede: 'recover.lede',
};

export const signUp: AddressPage = {
  ...{ action: '/sign-up', binding: 'sign-up', title: 'sign_up.title', button: 'address.send' },
  lede: 'sign_up.lede',
};

interface Typed {
  login: string;
  /** The sign-in to go back to. */
  from: string | undefined;
}

export function showAddressForm(
  deps: Pick<MailLinkDeps, 'pages' | 'forms'>,
  ctx: Context,
  page: AddressPage,
  { login, from, error }: Typed & { error: Said | null },
): void {
  const csrf = deps.forms.csrfToken(ctx, page.binding);
  const backUrl = from === undefined ? null : `/sign-in/${from}`;
  deps.pages.render(
    ctx,
    { view: 'sign-in/address', title: page.title, look: page.look ?? null },
    {
      ...{ ...page, action: inSameLanguage(ctx, page.action), csrf, login, error, backUrl },
      from: page.action === recovery.action ? (from ?? null) : null,
    },
  );
}

/** The same for every address, known or not. */
function showSent(deps: Pick<MailLinkDeps, 'pages' | 'forms'>, ctx: Context, page: AddressPage, typed: Typed): void {
  deps.pages.render(
    ctx,
    { view: 'sign-in/mail-sent', title: 'mail_sent.title', look: page.look ?? null },
    {
      ...{
        action: inSameLanguage(ctx, page.action),
        csrf: deps.forms.csrfToken(ctx, page.binding),
        login: typed.login,
      },
      from: page.action === recovery.action ? (typed.from ?? null) : null,
    },
  );
}

export async function answerSignUp(
  deps: Pick<MailLinkDeps, 'pages' | 'forms' | 'accounts' | 'homeRealms'>,
  ctx: Context,
  page: AddressPage,
  typed: Typed & Pick<SignUpRequest, 'through'>,
): Promise<void> {
  const isSent = await deps.accounts.requestSignUp({ ...typed, language: languageOf(ctx) });
  const error = isSent ? await problemOfDomain(deps, typed.login) : 'address.no_address';
  if (error === null) return showSent(deps, ctx, page, typed);
  ctx.status = 422;
  showAddressForm(deps, ctx, page, { ...typed, error });
}

/** Told by the domain alone, to whoever types such an address. */
async function problemOfDomain({ homeRealms }: Pick<MailLinkDeps, 'homeRealms'>, login: string): Promise<Said | null> {
  const email = parseEmail(login);
  const realm = email === null ? null : await homeRealms.findHomeRealm(email);
  return realm?.isEnforced ? enforcedText(realm) : null;
}

interface NewPasswordPage {
  /** Where its form goes; what the form is bound to as well. */
  action: string;
  title: MessageKey;
  email: string;
  minimumLength: number;
}

async function openRecovery(deps: MailLinkDeps, ctx: Context): Promise<NewPasswordPage> {
  const token = tokenOf(ctx);
  const open = (await deps.accounts.findRecovery(token)) ?? over();
  return { action: `/recover/${token}`, title: 'recover.title', ...open };
}

async function openUndo(deps: MailLinkDeps, ctx: Context): Promise<NewPasswordPage> {
  const token = tokenOf(ctx);
  const open = (await deps.accounts.findUndo(token)) ?? over();
  return { action: `/undo-email-change/${token}`, title: 'new_password.undo_title', ...open };
}

function showNewPassword(deps: MailLinkDeps, ctx: Context, page: NewPasswordPage, error: Said | null): void {
  const csrf = deps.forms.csrfToken(ctx, page.action);
  deps.pages.render(
    ctx,
    { view: 'sign-in/new-password', title: page.title },
    {
      ...{ ...page, action: inSameLanguage(ctx, page.action), csrf, error },
    },
  );
}

async function submitNewPassword(deps: MailLinkDeps, ctx: Context): Promise<void> {
  const page = await openRecovery(deps, ctx);
  const { password } = await deps.forms.read(ctx, page.action, passwordForm);
  const result = await deps.accounts.resetPassword({ token: tokenOf(ctx), password, language: languageOf(ctx) });
  if (result.outcome === 'over') return over();
  if (result.outcome === 'done') return goOn(ctx, 'recover', result.from);
  ctx.status = 422;
  showNewPassword(deps, ctx, page, result.why);
}

async function submitUndo(deps: MailLinkDeps, ctx: Context): Promise<void> {
  const page = await openUndo(deps, ctx);
  const { password } = await deps.forms.read(ctx, page.action, passwordForm);
  const result = await deps.accounts.undoEmailChange({ token: tokenOf(ctx), password, language: languageOf(ctx) });
  if (result.outcome === 'over') return over();
  if (result.outcome === 'taken') throw addressTaken();
  if (result.outcome === 'done') return seeOther(ctx, '/undo-email-change/done');
  ctx.status = 422;
  showNewPassword(deps, ctx, page, result.why);
}

interface NewAccountPage {
  action: string;
  email: string;
  minimumLength: number;
}

async function openSignUp(deps: MailLinkDeps, ctx: Context): Promise<NewAccountPage> {
  const token = tokenOf(ctx);
  return { action: `/sign-up/${token}`, ...((await deps.accounts.findSignUp(token)) ?? over()) };
}

function showNewAccount(
  deps: MailLinkDeps,
  ctx: Context,
  page: NewAccountPage,
  { name, error }: { name: string; error: Said | null } = { name: '', error: null },
): void {
  const csrf = deps.forms.csrfToken(ctx, page.action);
  const locals = { ...page, action: inSameLanguage(ctx, page.action), csrf, name, error };
  deps.pages.render(ctx, { view: 'sign-in/new-account', title: 'sign_up.title' }, locals);
}

async function submitNewAccount(deps: MailLinkDeps, ctx: Context): Promise<void> {
  const page = await openSignUp(deps, ctx);
  const { name, password } = await deps.forms.read(ctx, page.action, accountForm);
  const result = await deps.accounts.completeSignUp({ token: tokenOf(ctx), name, password });
  if (result.outcome === 'over') return over();
  if (result.outcome === 'known') throw addressTaken();
  if (result.outcome === 'done') return goOn(ctx, 'sign-up', result.from);
  ctx.status = 422;
  showNewAccount(deps, ctx, page, { name, error: result.why });
}

/** A link that needs but a press of a button, in the browser in which it was asked for. */
interface ConfirmPage {
  path: '/verify-email' | '/change-email';
  title: MessageKey;
  button: MessageKey;
  find: 'findVerification' | 'findEmailChange';
  confirm: 'verifyEmail' | 'proveEmailChange';
}

const verification: ConfirmPage = {
  ...{ path: '/verify-email', title: 'confirm_email.title', button: 'confirm_email.submit' },
  ...{ find: 'findVerification', confirm: 'verifyEmail' },
};

const emailChange: ConfirmPage = {
  ...{ path: '/change-email', title: 'change_email.title', button: 'change_email.submit' },
  ...{ find: 'findEmailChange', confirm: 'proveEmailChange' },
};

async function showConfirm(deps: MailLinkDeps, ctx: Context, page: ConfirmPage): Promise<void> {
  const token = tokenOf(ctx);
  const open = await deps.accounts[page.find]({ token, browserId: deps.browserIds.ensure(ctx) });
  const action = `${page.path}/${token}`;
  deps.pages.render(
    ctx,
    { view: 'sign-in/confirm-email', title: page.title },
    {
      ...{ action: inSameLanguage(ctx, action), button: page.button, csrf: deps.forms.csrfToken(ctx, action) },
      ...(open ?? over()),
    },
  );
}

async function submitConfirm(deps: MailLinkDeps, ctx: Context, page: ConfirmPage): Promise<void> {
  const token = tokenOf(ctx);
  await deps.forms.read(ctx, `${page.path}/${token}`, confirmForm);
  const outcome = await deps.accounts[page.confirm]({
    ...{ token, browserId: deps.browserIds.ensure(ctx), language: languageOf(ctx) },
  });
  if (outcome === 'done') return seeOther(ctx, `${page.path}/done`);
  if (outcome === 'over') return over();
  if (outcome === 'taken') throw addressTaken();
  throw new AppError('action_link.other_browser', {
    status: 403,
    detail: 'Open the link in the browser in which you asked for the mail.',
  });
}

/** Back to the sign-in from which the person came, which knows whether it is still there; else they are told. */
function goOn(ctx: Context, done: Done, from: string | null): void {
  seeOther(ctx, from === null ? `/${done}/done` : `/sign-in/${from}/return?after=${done}`);
}

function fromOf(ctx: Context): string | undefined {
  const { from } = ctx.query;
  return typeof from === 'string' && interactionUidPattern.test(from) ? from : undefined;
}

function tokenOf(ctx: Context): string {
  const { token } = (ctx as unknown as { params: { token: string } }).params;
  if (!linkTokenPattern.test(token)) throw notFound();
  return token;
}

/** The same for a link that was used, one that is too old, and one of another purpose. */
function over(): never {
  throw new AppError('action_link.over', {
    status: 410,
    detail: 'This link was used before or is too old. Ask for a new one where you asked for this one.',
  });
}

function addressTaken(): AppError {
  return new AppError('account.address_taken', {
    status: 409,
    detail: 'There is an account with this address by now. Go back to the app and sign in with it.',
  });
}

function seeOther(ctx: Context, location: string): void {
  ctx.status = 303;
  ctx.set('Location', inSameLanguage(ctx, location));
  ctx.body = '';
}
