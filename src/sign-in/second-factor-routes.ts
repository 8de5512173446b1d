import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Added, Freshness, Proof } from '../credentials/index.js';
import type { Said } from '../kernel/message.js';
import { secondsAfter } from '../kernel/time.js';
import { oneSpelling } from '../platform/http/http-errors.js';
import { languageOf } from '../platform/http/page-language.js';
import type { User } from '../users/index.js';
import {
  bindingOf,
  ceremonyOf,
  common,
  exchangeOf,
  finishLogin,
  open,
  pageOf,
  passkeyForm,
  presentUser,
  seeOther,
  trustDevice,
  wrongStep,
  type OpenInteraction,
} from './parts-of-routes.js';
import { presentFactorWait } from '../kernel/present-wait.js';
import { personAsked, waysOf, type PersonAsked, type Ways } from './second-factor.js';
import type { SignInDeps } from './sign-in-deps.js';

const remember = z.literal('yes').optional();
const codeForm = z.strictObject({
  method: z.enum(['totp', 'recovery_code', 'email_code']),
  code: z.string().max(100),
  remember,
});
const passkeyProofForm = passkeyForm.extend({ remember });
const sendForm = z.strictObject({ send: z.literal('yes') });
const enrolForm = z.strictObject({ factor: z.string().max(100), code: z.string().max(100) });

/** A sign-in that waits for more than a password, and whose it is. */
interface Asked {
  interaction: OpenInteraction;
  person: PersonAsked;
  ways: Ways;
}

/** The page between the password and the session, and the one that tenant, client or request ask for later. */
export function secondFactorRoutes(deps: SignInDeps): Router {
  const router = new Router(oneSpelling);
  const base = '/sign-in/:uid/second-factor';
  router.get(base, async (ctx) => {
    const interaction = await open(deps, ctx);
    const asked = await askedIn(deps, ctx, interaction);
    if (!asked) return seeOther(ctx, `/sign-in/${interaction.uid}`);
    if (isTooOldToEnrol(deps, asked)) return signInAgain(deps, ctx);
    await showAsked(deps, ctx, asked, { error: null });
  });
  router.post(base, (ctx) => submitCode(deps, ctx));
  router.post(`${base}/passkey`, (ctx) => submitPasskey(deps, ctx));
  router.post(`${base}/email`, (ctx) => sendCode(deps, ctx));
  router.post(`${base}/enrol`, (ctx) => enrolTotp(deps, ctx));
  router.post(`${base}/enrol-passkey`, (ctx) => enrolPasskey(deps, ctx));
  return router;
}

async function askedIn(deps: SignInDeps, ctx: Context, interaction: OpenInteraction): Promise<Asked | null> {
  const browserId = deps.browserIds.find(ctx);
  const person = await personAsked(deps, interaction, { exchange: exchangeOf(ctx), browserId });
  return person && { interaction, person, ways: await waysOf(deps, person) };
}

async function openAsked(deps: SignInDeps, ctx: Context): Promise<Asked> {
  const asked = await askedIn(deps, ctx, await open(deps, ctx));
  if (!asked) throw wrongStep();
  return asked;
}

async function submitCode(deps: SignInDeps, ctx: Context): Promise<void> {
  const asked = await openAsked(deps, ctx);
  const { interaction, person, ways } = asked;
  const { method, code, remember: trust } = await deps.forms.read(ctx, bindingOf(interaction), codeForm);
  if (!ways.codes.includes(method)) throw wrongStep();
  const about = { binding: interaction.uid, clientId: interaction.client.clientId };
  const typed = { method, code, ...about, language: languageOf(ctx) };
  const result = await deps.factors.proveCode(person.user, typed);
  if (result.outcome === 'proven')
    return proven(deps, ctx, asked, { proof: result.proof, trust: trust === 'yes' && method !== 'email_code' });
  if (result.outcome === 'refused') {
    ctx.status = 422;
    return showAsked(deps, ctx, asked, { error: 'second_factor.refused_code', emailSent: method === 'email_code' });
  }
  return showWait(deps, ctx, asked, presentFactorWait(result.wait, deps.now()));
}

async function submitPasskey(deps: SignInDeps, ctx: Context): Promise<void> {
  const asked = await openAsked(deps, ctx);
  const { interaction, person, ways } = asked;
  const { remember: trust, ...answer } = await deps.forms.read(ctx, bindingOf(interaction), passkeyProofForm);
  if (!ways.passkey) throw wrongStep();
  const about = { userId: person.user.id, clientId: interaction.client.clientId };
  const binding = ceremonyOf(deps, ctx, interaction);
  const result = await deps.factors.passkeys.proveSignIn({ ...answer, binding }, about);
  if (result) return proven(deps, ctx, asked, { proof: result.proof, trust: trust === 'yes' });
  ctx.status = 422;
  return showAsked(deps, ctx, asked, { error: 'second_factor.refused_passkey' });
}

async function sendCode(deps: SignInDeps, ctx: Context): Promise<void> {
  const asked = await openAsked(deps, ctx);
  await deps.forms.read(ctx, bindingOf(asked.interaction), sendForm);
  if (!asked.ways.codes.includes('email_code')) throw wrongStep();
  const wait = await deps.factors.sendEmailCode(asked.person.user, {
    ...{ binding: asked.interaction.uid, language: languageOf(ctx) },
  });
  if (!wait) return showAsked(deps, ctx, asked, { error: null, emailSent: true });
  const { retryAfterSeconds } = presentFactorWait(wait, deps.now());
  return showWait(deps, ctx, asked, { message: 'second_factor.too_many_mails', retryAfterSeconds });
}

async function showWait(
  deps: SignInDeps,
  ctx: Context,
  asked: Asked,
  { message: error, retryAfterSeconds }: { message: Said; retryAfterSeconds: number },
): Promise<void> {
  ctx.status = 429;
  ctx.set('Retry-After', String(retryAfterSeconds));
  return showAsked(deps, ctx, asked, { error });
}

async function proven(
  deps: SignInDeps,
  ctx: Context,
  asked: Asked,
  { proof, trust }: { proof: Proof; trust: boolean },
): Promise<void> {
  const { person, interaction } = asked;
  const proofs = [...person.proofs, proof];
  if (!deps.assurance.isLoginFinished(person.required, proofs)) throw wrongStep();
  const { user, boundTenantId, sessionSeconds, upstream } = person;
  const bounds = { boundTenantId, sessionSeconds, upstream };
  if (person.isHalfDone) await finishLogin(deps, ctx, interaction, { user, proofs, ...bounds });
  else seeOther(ctx, await stepUp(deps, ctx, asked, proofs));
  if (trust) trustDevice(deps, ctx, person.user);
}

function stepUp(deps: SignInDeps, ctx: Context, { interaction }: Asked, proofs: readonly Proof[]): Promise<string> {
  const { levelOf, amrOf } = deps.assurance;
  const amr = [...new Set([...interaction.amr, ...amrOf(proofs)])];
  const browserId = deps.browserIds.ensure(ctx);
  return deps.interactions.steppedUp(exchangeOf(ctx), { acr: levelOf(proofs), amr, browserId });
}

/** Whoever has waited for so long that what they set up would be refused signs in again, and comes back here. */
function isTooOldToEnrol(deps: SignInDeps, { person: { signedInAt }, ways }: Asked): boolean {
  return ways.mustEnrol === 'here' && signedInAt !== null && secondsAfter(signedInAt, deps.freshSeconds) < deps.now();
}

async function signInAgain(deps: SignInDeps, ctx: Context): Promise<void> {
  seeOther(ctx, await deps.interactions.lookedAtAgain(exchangeOf(ctx)));
}

async function enrolTotp(deps: SignInDeps, ctx: Context): Promise<void> {
  const asked = await openAsked(deps, ctx);
  const { factor: factorId, code } = await deps.forms.read(ctx, bindingOf(asked.interaction), enrolForm);
  const fresh = freshnessOf(ctx, asked);
  if (isTooOldToEnrol(deps, asked)) return signInAgain(deps, ctx);
  const added = await deps.factors.confirmTotp(asked.person.user, fresh, { factorId, code });
  if (added) return enrolled(deps, ctx, asked, { added, proof: { method: 'totp', amr: ['otp'] } });
  ctx.status = 422;
  return showEnrolment(deps, ctx, asked, { error: 'totp.refused', pendingId: factorId });
}

async function enrolPasskey(deps: SignInDeps, ctx: Context): Promise<void> {
  const asked = await openAsked(deps, ctx);
  const form = await deps.forms.read(ctx, bindingOf(asked.interaction), passkeyForm);
  const fresh = freshnessOf(ctx, asked);
  if (isTooOldToEnrol(deps, asked)) return signInAgain(deps, ctx);
  const binding = ceremonyOf(deps, ctx, asked.interaction);
  const added = await deps.factors.addPasskey(asked.person.user, fresh, { ...form, binding, name: 'Passkey' });
  const amr = [added?.factor.isSynced ? 'swk' : 'hwk', 'user'];
  if (added) return enrolled(deps, ctx, asked, { added, proof: { method: 'passkey', amr } });
  ctx.status = 422;
  return showEnrolment(deps, ctx, asked, { error: 'second_factor.refused_passkey' });
}

/** The recovery codes are shown before it goes on: nobody sees them again. */
async function enrolled(
  deps: SignInDeps,
  ctx: Context,
  asked: Asked,
  { added, proof }: { added: Added; proof: Proof },
): Promise<void> {
  const next = await stepUp(deps, ctx, asked, [...asked.person.proofs, proof]);
  if (!added.recoveryCodes) return seeOther(ctx, next);
  const { interaction } = asked;
  deps.pages.render(ctx, pageOf(interaction, 'recovery-codes', 'recovery_codes.title'), {
    ...{ clientName: interaction.client.name, codes: added.recoveryCodes, nextUrl: next },
  });
}

/** Of who sets up a factor here; 400 where nobody may. */
function freshnessOf(ctx: Context, { interaction, person, ways }: Asked): Freshness {
  if (ways.mustEnrol !== 'here' || !person.signedInAt) throw wrongStep();
  const { acr: level, amr } = interaction;
  return { provenAt: person.signedInAt, level, amr, language: languageOf(ctx) };
}

async function showAsked(
  deps: SignInDeps,
  ctx: Context,
  asked: Asked,
  { error, emailSent = false }: { error: Said | null; emailSent?: boolean },
): Promise<void> {
  const { interaction, person, ways } = asked;
  if (ways.mustEnrol === 'here') return showEnrolment(deps, ctx, asked, { error });
  if (ways.mustEnrol === 'elsewhere') return showNoEnrolment(deps, ctx, asked);
  const parts = common(deps, ctx, interaction, 'second-factor');
  const ceremony = ways.passkey
    ? await deps.factors.passkeys.beginSignIn(ceremonyOf(deps, ctx, interaction), person.user.id)
    : null;
  deps.pages.render(ctx, pageOf(interaction, 'second-factor', 'second_factor.title'), {
    ...parts,
    ...{ error, emailSent, user: await presentPerson(deps, asked) },
    passkey: ceremony && { ...ceremony, action: `/sign-in/${interaction.uid}/second-factor/passkey` },
    sendAction: `/sign-in/${interaction.uid}/second-factor/email`,
    ...{ hasTotp: ways.codes.includes('totp'), hasRecoveryCodes: ways.codes.includes('recovery_code') },
    hasEmail: ways.codes.includes('email_code'),
    trustDays: Math.round(deps.factors.trustedDevices.lifetimeSeconds / 86_400),
  });
}

async function showEnrolment(
  deps: SignInDeps,
  ctx: Context,
  asked: Asked,
  { error, pendingId }: { error: Said | null; pendingId?: string },
): Promise<void> {
  const { interaction, person } = asked;
  const { user } = person;
  const fresh = freshnessOf(ctx, asked);
  const totp = await deps.factors.beginTotp(user, fresh, pendingId);
  const named = { id: user.id, email: user.email, name: user.profile.name ?? user.email };
  const passkey = await deps.factors.passkeys.beginRegistration(ceremonyOf(deps, ctx, interaction), named);
  deps.pages.render(ctx, pageOf(interaction, 'enrol-factor', 'enrol.title'), {
    ...common(deps, ctx, interaction, 'second-factor/enrol'),
    ...{ error, user: await presentPerson(deps, asked), emailRefused: await isEmailRefused(deps, user) },
    ...{ factorId: totp.factorId, secret: totp.secret.replace(/.{4}(?=.)/g, '$& '), qr: totp.qr },
    passkey: { ...passkey, action: `/sign-in/${interaction.uid}/second-factor/enrol-passkey` },
  });
}

/** Of codes that they have chosen. */
async function isEmailRefused(deps: SignInDeps, { id, factorKinds = [] }: User): Promise<boolean> {
  return factorKinds.includes('email') && deps.factors.refusesEmailCodes(id);
}

async function showNoEnrolment(deps: SignInDeps, ctx: Context, asked: Asked): Promise<void> {
  const { interaction } = asked;
  deps.pages.render(ctx, pageOf(interaction, 'enrol-elsewhere', 'enrol.title'), {
    ...common(deps, ctx, interaction, 'second-factor'),
    ...{ user: await presentPerson(deps, asked), accountUrl: '/account/factors' },
  });
}

function presentPerson(deps: SignInDeps, { interaction, person }: Asked): ReturnType<typeof presentUser> {
  return presentUser(deps, { ...interaction, userId: person.user.id });
}
