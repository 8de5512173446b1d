import type { Context } from 'koa';
import { z } from 'zod';
import type { SignUpThrough } from '../accounts/index.js';
import type { Proof } from '../credentials/index.js';
import { AppError } from '../kernel/errors.js';
import type { Said } from '../kernel/message.js';
import { equalSecrets } from '../kernel/secret.js';
import type { BrowserExchange, Interaction, UpstreamLogin } from '../oidc/index.js';
import { languageOf, preferLanguages } from '../platform/http/page-language.js';
import type { Page } from '../platform/http/pages.js';
import type { User } from '../users/index.js';
import type { TenantLook } from './looks.js';
import type { SignInDeps } from './sign-in-deps.js';

/** What the routes of a sign-in have in common. */

/** With how its pages look. */
export type OpenInteraction = Interaction & { look: TenantLook | null };

export const passkeyForm = z.strictObject({ response: z.string().max(16_000), ticket: z.string().max(100) });

/** What a finished login has proven; whoever calls has asked `isLoginFinished`. */
export interface FinishedLogin {
  user: User;
  proofs: readonly Proof[];
  /** The tenant that alone it opens, whose own provider vouched for the person. */
  boundTenantId?: string | undefined;
  /** How long it lasts at most, where the connection by which it was done says so. */
  sessionSeconds?: number | undefined;
  /** By whom it was done, where that is a provider. */
  upstream?: UpstreamLogin | undefined;
}

export function passwordGiven(deps: SignInDeps, ctx: Context, interaction: Interaction, user: User): Promise<void> {
  return firstFactorGiven(deps, ctx, interaction, { user, proof: deps.assurance.passwordProof });
}

/** One factor is proven: the login is finished, or goes on with what else this person has to prove. */
export async function firstFactorGiven(
  deps: SignInDeps,
  ctx: Context,
  interaction: Interaction,
  { user, proof, ...bounds }: Omit<FinishedLogin, 'proofs'> & { proof: Proof },
): Promise<void> {
  const { trustedDeviceProof, isLoginFinished } = deps.assurance;
  const isTrusted = deps.factors.trustedDevices.isTrusted(trustedCookieOf(deps, ctx), user);
  const proofs = isTrusted ? [proof, trustedDeviceProof] : [proof];
  // what tenant, client and request ask for beyond that is known once the tenant is, and has a page of its own then
  if (isLoginFinished({ enrolled: user.factorKinds ?? [], level: 'aal1' }, proofs))
    return finishLogin(deps, ctx, interaction, { user, proofs, ...bounds });
  await deps.interactions.firstFactorProven(exchangeOf(ctx), {
    userId: user.id,
    browserId: deps.browserIds.ensure(ctx),
    method: proof.method === 'pwd' ? 'pwd' : 'federated',
    ...bounds,
    credentialsChangedAt: user.credentialsChangedAt?.toISOString() ?? null,
    factorsChangedAt: user.factorsChangedAt?.toISOString() ?? null,
  });
  seeOther(ctx, secondFactorPath(interaction));
}

/** From here on there is a session. */
export async function finishLogin(
  deps: SignInDeps,
  ctx: Context,
  interaction: Interaction,
  finished: FinishedLogin,
): Promise<void> {
  const { user, proofs } = finished;
  const { levelOf, amrOf } = deps.assurance;
  const browserId = deps.browserIds.ensure(ctx);
  const bounds = await boundsOf(deps, ctx, interaction, finished);
  const isKnown = deps.knownDevices.findMark(deviceCookieOf(deps, ctx), user) !== null;
  const newBrowser = isKnown ? undefined : { language: languageOf(ctx) };
  const login = { user, acr: levelOf(proofs), amr: amrOf(proofs), browserId, newBrowser, ...bounds };
  const next = await deps.interactions.signedIn(exchangeOf(ctx), login);
  markDevice(deps, ctx, user);
  seeOther(ctx, next);
}

/** What bounds the session. One in which an account was linked is also of the provider that has vouched in it. */
async function boundsOf(
  deps: SignInDeps,
  ctx: Context,
  interaction: Interaction,
  { user, boundTenantId, sessionSeconds, upstream }: FinishedLogin,
): Promise<Pick<FinishedLogin, 'boundTenantId' | 'sessionSeconds' | 'upstream'>> {
  // whom a tenant's provider vouches for has not proven to be the owner
  const linked = boundTenantId === undefined ? await linkWaiting(deps, ctx, interaction, user) : null;
  if (upstream) return { boundTenantId, sessionSeconds, upstream };
  if (linked) return linked;
  // the first factor may have been open for the sake of what was to be linked, or as long as the domain was not enforced
  const isLater = interaction.linking !== null || interaction.halfDone !== null;
  if (!isLater || (await deps.homeRealms.maySignInWith(user, null))) return {};
  throw new AppError('sign_in.of_domain', {
    status: 403,
    detail: 'People with your address sign in with their organisation. Go back to the app and start again.',
  });
}

/** The owner of the account has just proven it, in the browser in which somebody of a provider came with its address. */
async function linkWaiting(
  deps: SignInDeps,
  ctx: Context,
  { linking, client: { clientId } }: Interaction,
  { id: userId }: User,
): Promise<Pick<FinishedLogin, 'sessionSeconds' | 'upstream'> | null> {
  if (linking?.userId !== userId || !equalSecrets(linking.browserId, deps.browserIds.ensure(ctx))) return null;
  const { tenantId, connectionId, issuer, subject, email, sessionSeconds, domainId } = linking;
  const identity = { tenantId, connectionId, issuer, subject };
  const result = await deps.accounts.linkIdentity({ ...identity, email, userId, asked: { email, clientId } });
  return result === 'linked' ? { upstream: { ...identity, domainId }, sessionSeconds } : null;
}

export function secondFactorPath({ uid }: Interaction): string {
  return `/sign-in/${uid}/second-factor`;
}

/** What a ceremony of a passkey is bound to: this sign-in in this browser. */
export function ceremonyOf(deps: SignInDeps, ctx: Context, { uid }: Interaction): string {
  return `${uid} ${deps.browserIds.ensure(ctx)}`;
}

/** On the way into which app somebody may make an account. */
export function throughOf({ client: { clientId }, offersSignUp }: Interaction): SignUpThrough {
  return { clientId, offersSignUp };
}

/** For the script of the login page. */
export async function passkeySignIn(
  deps: SignInDeps,
  ctx: Context,
  interaction: Interaction,
): Promise<Record<string, string>> {
  const ceremony = await deps.factors.passkeys.beginSignIn(ceremonyOf(deps, ctx, interaction));
  return { ...ceremony, action: `/sign-in/${interaction.uid}/passkey` };
}

export function deviceCookieOf(deps: SignInDeps, ctx: Context): string | undefined {
  return deps.cookies.read(ctx, 'device');
}

function trustedCookieOf(deps: SignInDeps, ctx: Context): string | undefined {
  return deps.cookies.read(ctx, 'trusted');
}

/** From now on this browser may always try this account, also while somebody else makes it wait. */
function markDevice(deps: SignInDeps, ctx: Context, user: User): void {
  const { mark, lifetimeSeconds } = deps.knownDevices;
  deps.cookies.write(ctx, 'device', { value: mark(deviceCookieOf(deps, ctx), user), lifetimeSeconds });
}

/** For a while the password is enough in this browser, where nothing asks for more than the person does. */
export function trustDevice(deps: SignInDeps, ctx: Context, user: User): void {
  const { mark, lifetimeSeconds } = deps.factors.trustedDevices;
  deps.cookies.write(ctx, 'trusted', { value: mark(trustedCookieOf(deps, ctx), user), lifetimeSeconds });
}

/** The interaction of this address and browser; 400 when it is lost, or waits for another page than the one posted. */
export async function open(deps: SignInDeps, ctx: Context, prompt?: Interaction['prompt']): Promise<OpenInteraction> {
  const interaction = await deps.interactions.read(
    exchangeOf(ctx),
    (ctx as unknown as { params: { uid: string } }).params.uid,
  );
  preferLanguages(ctx, interaction.uiLocales);
  if (prompt !== undefined && interaction.prompt !== prompt) throw wrongStep();
  return { ...interaction, look: await deps.lookOf(interaction) };
}

export function wrongStep(): AppError {
  return new AppError('interaction.wrong_step', {
    status: 400,
    detail: 'This sign-in is at another step. Go back to the app and start again.',
  });
}

export function pageOf({ redirectUri, look }: OpenInteraction, name: string, title: Said): Page {
  return { view: `sign-in/${name}`, title, formTarget: redirectUri, look };
}

export function common(
  deps: SignInDeps,
  ctx: Context,
  interaction: Interaction,
  step: string,
): Record<string, unknown> {
  const base = `/sign-in/${interaction.uid}`;
  return {
    action: `${base}/${step}`,
    cancelAction: `${base}/cancel`,
    csrf: deps.forms.csrfToken(ctx, bindingOf(interaction)),
    clientName: interaction.client.name,
  };
}

export async function presentUser(
  deps: SignInDeps,
  interaction: Interaction,
): Promise<{ name: string | null; email: string }> {
  const user = interaction.userId === undefined ? null : await deps.findUserById(interaction.userId);
  return { name: user?.profile.name ?? null, email: user?.email ?? '' };
}

export function bindingOf(interaction: Interaction): string {
  return `interaction:${interaction.uid}`;
}

export function exchangeOf(ctx: Context): BrowserExchange {
  return { req: ctx.req, res: ctx.res };
}

/** 303: the browser goes on with GET and never posts the form again (RFC 9700 §4.12). */
export function seeOther(ctx: Context, location: string): void {
  ctx.status = 303;
  ctx.set('Location', location);
  ctx.body = '';
}
