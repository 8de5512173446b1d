import type Router from '@koa/router';
import { z } from 'zod';
import type { Added, Proof } from '../credentials/index.js';
import { AppError } from '../kernel/errors.js';
import type { Said } from '../kernel/message.js';
import type { AccountDeps } from './account-deps.js';
import { freshnessOf, orRefusal, refused, showFactors, showRecoveryCodes } from './factors-routes.js';
import { goTo, seeOther, type Portal, type Visit } from './portal-routes.js';
import { places } from './places.js';

const appForm = z.strictObject({ factor: z.string().max(100), code: z.string().max(100) });
const passkeyForm = z.strictObject({ response: z.string().max(16_000), ticket: z.string().max(100) });
const fresh = { fresh: true } as const;

/** An authenticator app or a passkey is set up. */
export function newFactorRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  const { factors } = deps;
  router.get(
    places['factors-app'],
    portal.page('factors-app', (visit) => showApp(deps, portal, visit, { pendingId: visit.kept?.['factor'] }), fresh),
  );
  router.post(
    places['factors-app'],
    portal.form(
      'factors-app',
      appForm,
      async (visit, { factor: factorId, code }) => {
        const { user } = visit.session;
        const answer = { factorId, code };
        const added = await orRefusal(factors.confirmTotp(user, freshnessOf(visit), answer));
        if (added) return showAdded(deps, portal, visit, { added, proof: { method: 'totp', amr: ['otp'] } });
        visit.ctx.status = 422;
        return showApp(deps, portal, visit, { error: 'totp.refused', pendingId: factorId });
      },
      // with the secret that the app has already
      { ...fresh, keep: ['factor'] },
    ),
  );
  router.get(
    places['factors-passkey'],
    portal.page('factors-passkey', (visit) => showPasskey(deps, portal, visit), fresh),
  );
  router.post(
    places['factors-passkey'],
    portal.form(
      'factors-passkey',
      passkeyForm,
      async (visit, form) => {
        const { user } = visit.session;
        const answer = { ...form, binding: ceremonyOf(visit), name: 'Passkey' };
        const added = await orRefusal(factors.addPasskey(user, freshnessOf(visit), answer));
        if (added) return showAdded(deps, portal, visit, { added, proof: proofOf(added) });
        visit.ctx.status = 422;
        return showPasskey(deps, portal, visit, 'factors.refused_passkey');
      },
      fresh,
    ),
  );
}

function proofOf(added: Added | AppError): Proof {
  const isSynced = !(added instanceof AppError) && added.factor.isSynced;
  return { method: 'passkey', amr: [isSynced ? 'swk' : 'hwk', 'user'] };
}

async function showAdded(
  deps: AccountDeps,
  portal: Portal,
  visit: Visit,
  { added, proof }: { added: Added | AppError; proof: Proof },
): Promise<void> {
  if (added instanceof AppError) return showFactors(deps, portal, visit, refused(visit, added));
  await raise(deps, visit, proof);
  if (added.recoveryCodes) showRecoveryCodes(portal, visit, added.recoveryCodes);
  else goTo(visit.ctx, 'factors', 'factor-added');
}

/**
 * Setting a factor up proves it: with the password of this session that is two. Who had proven two before, as everybody
 * has who adds one to another, is where they were.
 */
async function raise(deps: AccountDeps, { ctx, session }: Visit, proof: Proof): Promise<void> {
  const { levelOf, amrOf, passwordProof, reaches } = deps.assurance;
  const proofs = session.amr.includes('pwd') ? [passwordProof, proof] : [proof];
  const acr = levelOf(proofs);
  if (reaches(session.acr ?? undefined, acr)) return;
  const amr = [...new Set([...session.amr, ...amrOf(proofs)])];
  const identifier = await deps.inTransaction((tx) => deps.raiseSession(tx, session.uid, { acr, amr }));
  if (identifier !== null) deps.keepSession(ctx, identifier);
}

/** Who has an app already finds it in the list, to remove it first. */
async function showApp(
  deps: AccountDeps,
  portal: Portal,
  visit: Visit,
  { error = null, pendingId }: { error?: Said | null; pendingId?: string | undefined },
): Promise<void> {
  const { session } = visit;
  const held = await deps.factors.listFactors(session.user.id);
  if (held.some(({ kind }) => kind === 'totp')) return seeOther(visit.ctx, places.factors);
  const { factorId, secret, qr } = await deps.factors.beginTotp(session.user, freshnessOf(visit), pendingId);
  const page = { place: 'factors', view: 'factor-app', title: 'factors.add_app' } as const;
  portal.render(visit, page, { error, factorId, secret: secret.replace(/.{4}(?=.)/g, '$& '), qr });
}

async function showPasskey(deps: AccountDeps, portal: Portal, visit: Visit, error: Said | null = null): Promise<void> {
  const { id, email, profile } = visit.session.user;
  const named = { id, email, name: profile.name ?? email };
  const ceremony = await deps.factors.passkeys.beginRegistration(ceremonyOf(visit), named);
  const page = { place: 'factors', view: 'factor-passkey', title: 'factors.add_passkey' } as const;
  portal.render(visit, page, { error, passkey: { ...ceremony, action: places['factors-passkey'] } });
}

/** What a ceremony is bound to: this session. */
function ceremonyOf({ session }: Visit): string {
  return `account ${session.uid}`;
}
