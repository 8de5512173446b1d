import type { RecordEvent } from '../events/index.js';
import type { Clock } from '../kernel/time.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import type { Proof } from './assurance.js';
import type { FactorRecord, FactorStore } from './factor-store.js';
import {
  algorithms,
  challengeIn,
  keyOfNobody,
  parseAssertion,
  parseAttestation,
  verifyAssertion,
  verifyAttestation,
  type NewPasskey,
  type RelyingParty,
} from './passkey-ceremony.js';
import type { PasskeyTickets } from './passkey-tickets.js';

/** What a page gives to its script, and takes back beside the answer. */
export interface PasskeyCeremony {
  /** JSON, see WebAuthn Level 3 §5.1.8 and §5.1.9. */
  options: string;
  ticket: string;
}

export interface PasskeyAnswer {
  /** JSON, as the script of the pages writes it. */
  response: string;
  ticket: string;
  /** What the ceremony was begun for: the same text as then. */
  binding: string;
}

export interface PasskeyProven {
  /** As they were while the passkey was still theirs: who has changed their factors since does not get in with it. */
  user: User;
  proof: Proof;
}

export interface Passkeys {
  /** For anybody (the browser shows what it has), or for one person who has given their password. */
  beginSignIn(binding: string, userId?: string): Promise<PasskeyCeremony>;
  /** Alone a passkey counts only when its device has checked who uses it; beside a password without that too. */
  proveSignIn(answer: PasskeyAnswer, about: { userId?: string; clientId: string }): Promise<PasskeyProven | null>;
  beginRegistration(binding: string, user: { id: string; email: string; name: string }): Promise<PasskeyCeremony>;
  /** Null: not right, too late, or used before. */
  verifyRegistration(answer: PasskeyAnswer): Promise<NewPasskey | null>;
}

export interface PasskeysDeps {
  issuer: string;
  store: FactorStore;
  tickets: PasskeyTickets;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  findUserById(id: string): Promise<User | null>;
  now: Clock;
  challengeSeconds: number;
}

/** An id that nobody has. */
const nobody = 'usr_nobody';

export function createPasskeys(deps: PasskeysDeps): Passkeys {
  const { tickets, store, challengeSeconds } = deps;
  const party: RelyingParty = { id: new URL(deps.issuer).hostname, origin: deps.issuer };
  const ofNobody = { publicKey: keyOfNobody(), isBackupEligible: false };
  const bindingFor = (purpose: 'sign-in' | 'registration', binding: string): string => `${purpose} ${binding}`;

  const credentialsOf = async (userId: string): Promise<object[]> =>
    (await store.list(userId))
      .filter(({ kind }) => kind === 'passkey')
      .map(({ credentialId, transports }) => ({ id: credentialId, type: 'public-key', transports }));

  return {
    async beginSignIn(binding, userId) {
      const { challenge, ticket } = tickets.create(bindingFor('sign-in', binding));
      const options = {
        ...{ challenge, rpId: party.id, timeout: challengeSeconds * 1000 },
        userVerification: userId === undefined ? 'required' : 'preferred',
        allowCredentials: userId === undefined ? [] : await credentialsOf(userId),
      };
      return { options: JSON.stringify(options), ticket };
    },
    async proveSignIn({ response, ticket, binding }, about) {
      const answer = parseAssertion(response);
      if (!answer) return null;
      const challenge = challengeIn(answer);
      if (!tickets.isGood({ challenge, ticket, binding: bindingFor('sign-in', binding) })) return null;
      const found = await store.findByCredentialId(answer.id);
      const passkey = found && isOfWho(found, answer, about) ? found : null;
      // with the key of nobody where there is none: the time of the answer does not tell which passkeys there are
      const looked = { passkey: passkey ?? ofNobody, mustVerify: about.userId === undefined };
      const [user, verified] = await Promise.all([
        deps.findUserById(passkey?.userId ?? nobody),
        verifyAssertion(party, answer, looked),
      ]);
      if (!passkey || !verified || user?.status !== 'active' || !(await tickets.use(challenge))) return null;
      if (!(await noteUse(deps, passkey, { ...verified, clientId: about.clientId }))) return null;
      const amr = [passkey.isBackupEligible ? 'swk' : 'hwk', 'user'];
      return { user, proof: { method: 'passkey', amr, isVerified: verified.isVerified } };
    },
    async beginRegistration(binding, { id, email, name }) {
      const { challenge, ticket } = tickets.create(bindingFor('registration', binding));
      const options = {
        ...{ challenge, rp: { id: party.id, name: 'Gatehouse' }, timeout: challengeSeconds * 1000 },
        user: { id: handleOf(id), name: email, displayName: name },
        pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
        excludeCredentials: await credentialsOf(id),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
        attestation: 'none',
      };
      return { options: JSON.stringify(options), ticket };
    },
    async verifyRegistration({ response, ticket, binding }) {
      const answer = parseAttestation(response);
      if (!answer) return null;
      const challenge = challengeIn(answer);
      if (!tickets.isGood({ challenge, ticket, binding: bindingFor('registration', binding) })) return null;
      const passkey = await verifyAttestation(party, answer);
      return passkey && (await tickets.use(challenge)) ? passkey : null;
    },
  };
}

/** Of who is asked, where somebody is; and a device says whose the passkey is that it has found by itself. */
function isOfWho(
  { userId }: FactorRecord,
  { userHandle }: { userHandle?: string | null | undefined },
  about: { userId?: string },
): boolean {
  return (about.userId ?? userId) === userId && (!userHandle || userHandle === handleOf(userId));
}

function handleOf(userId: string): string {
  return Buffer.from(userId).toString('base64url');
}

/**
 * A counter that does not go on may mean a copy of the key. Passkeys that are on several devices have no common counter,
 * and nobody should lose their way in over a device that counts badly, so it is told and not refused. False: the passkey
 * was removed while it was used.
 */
async function noteUse(
  deps: PasskeysDeps,
  passkey: FactorRecord,
  { counter, isBackedUp, clientId }: { counter: number; isBackedUp: boolean; clientId: string },
): Promise<boolean> {
  const { _id: factorId, userId, counter: before = 0 } = passkey;
  const about = { tenantId: null, actor: { kind: 'user', userId }, subjectId: userId } as const;
  return deps.inTransaction(async (tx) => {
    if (!(await deps.store.noteUse(tx, factorId, { at: deps.now(), counter, isBackedUp }))) return false;
    await deps.recordEvent(tx, {
      ...{ ...about, type: 'user.factor_accepted' },
      data: { clientId, factorId, method: 'passkey' },
    });
    if (counter > before || (counter === 0 && before === 0)) return true;
    await deps.recordEvent(tx, {
      ...{ ...about, type: 'user.passkey_counter_regressed' },
      data: { factorId, counter, before },
    });
    return true;
  });
}
