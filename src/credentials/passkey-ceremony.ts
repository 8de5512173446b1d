import { createECDH } from 'node:crypto';
import { z } from 'zod';
import type { FactorRecord } from './factor-store.js';

/** What a browser has made of a challenge, as the script of the pages writes it: one flat object. */
const encoded = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[\w-]*$/);
const common = { id: encoded(1400), type: z.literal('public-key'), clientDataJSON: encoded(4000) };
const transport = z
  .string()
  .max(30)
  .regex(/^[a-z-]+$/);
const assertionSchema = z.strictObject({
  ...{ ...common, authenticatorData: encoded(4000), signature: encoded(2000) },
  userHandle: encoded(200).nullish(),
});
const attestationSchema = z.strictObject({
  ...{ ...common, attestationObject: encoded(16_000) },
  transports: z.string().max(200),
});
export type Assertion = z.infer<typeof assertionSchema>;
export type Attestation = z.infer<typeof attestationSchema>;

/** Ed25519, ES256, RS256, in the order in which we like them. */
export const algorithms = [-8, -7, -257];

export interface RelyingParty {
  /** Host of the issuer. */
  id: string;
  origin: string;
}

export interface NewPasskey {
  credentialId: string;
  publicKey: string;
  counter: number;
  transports: string[];
  isBackupEligible: boolean;
  isBackedUp: boolean;
}

export const parseAssertion = (text: string): Assertion | null => parsed(assertionSchema, text);
export const parseAttestation = (text: string): Attestation | null => parsed(attestationSchema, text);

function parsed<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | null {
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}

/** Brought in with the first passkey: it takes 30 MiB, which who has none need not give. */
async function library() {
  const [server, helpers] = await Promise.all([
    import('@simplewebauthn/server'),
    import('@simplewebauthn/server/helpers'),
  ]);
  return { ...server, ...helpers };
}

/** The challenge that the browser says it has answered. */
export function challengeIn({ clientDataJSON }: { clientDataJSON: string }): string {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as { challenge?: unknown };
    return typeof challenge === 'string' ? challenge : '';
  } catch {
    return '';
  }
}

/**
 * The passkey that somebody registers; null when anything about it is not right. Who made the device is not asked for,
 * so whatever is said about that is thrown away before it is read: to check it would mean to call addresses that it names.
 */
export async function verifyAttestation(party: RelyingParty, answer: Attestation): Promise<NewPasskey | null> {
  try {
    const { id, type, clientDataJSON } = answer;
    const { verifyRegistrationResponse, decodeAttestationObject, isoBase64URL } = await library();
    const read = decodeAttestationObject(isoBase64URL.toBuffer(answer.attestationObject));
    const attestationObject = withoutStatement(read.get('authData'));
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { id, rawId: id, type, response: { clientDataJSON, attestationObject }, clientExtensionResults: {} },
      expectedChallenge: challengeIn(answer),
      ...{ expectedOrigin: party.origin, expectedRPID: party.id, expectedType: 'webauthn.create' },
      ...{ requireUserVerification: false, supportedAlgorithmIDs: algorithms },
    });
    if (!verified || !registrationInfo || registrationInfo.credential.id !== id) return null;
    const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo;
    return {
      credentialId: credential.id,
      publicKey: isoBase64URL.fromBuffer(credential.publicKey),
      counter: credential.counter,
      transports: answer.transports.split(' ').filter((name) => transport.safeParse(name).success),
      isBackupEligible: credentialDeviceType === 'multiDevice',
      isBackedUp: credentialBackedUp,
    };
  } catch {
    return null;
  }
}

export interface VerifiedAssertion {
  counter: number;
  isBackedUp: boolean;
  isVerified: boolean;
}

/** Null when anything about it is not right. A counter that goes back is the caller's to judge. */
export async function verifyAssertion(
  party: RelyingParty,
  answer: Assertion,
  { passkey, mustVerify }: { passkey: Pick<FactorRecord, 'publicKey' | 'isBackupEligible'>; mustVerify: boolean },
): Promise<VerifiedAssertion | null> {
  try {
    const { id, type, clientDataJSON, authenticatorData, signature } = answer;
    const response = { clientDataJSON, authenticatorData, signature };
    const { verifyAuthenticationResponse, isoBase64URL } = await library();
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { id, rawId: id, type, response, clientExtensionResults: {} },
      credential: { id, publicKey: isoBase64URL.toBuffer(passkey.publicKey ?? ''), counter: 0 },
      expectedChallenge: challengeIn(answer),
      ...{ expectedOrigin: party.origin, expectedRPID: party.id, expectedType: 'webauthn.get' },
      requireUserVerification: mustVerify,
    });
    const isBackupEligible = authenticationInfo.credentialDeviceType === 'multiDevice';
    if (!verified || isBackupEligible !== passkey.isBackupEligible) return null; // it never changes (WebAuthn §6.1.3)
    const { newCounter: counter, credentialBackedUp: isBackedUp, userVerified: isVerified } = authenticationInfo;
    return { counter, isBackedUp, isVerified };
  } catch {
    return null;
  }
}

/** A public key whose private half nobody has, as it is stored: COSE, curve P-256 (RFC 9053). */
export function keyOfNobody(): string {
  const pair = createECDH('prime256v1');
  const point = pair.generateKeys(); // 0x04, x, y
  const bytes = (value: Buffer): Buffer => Buffer.concat([Buffer.from([0x58, 32]), value]);
  const head = Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]);
  return Buffer.concat([head, bytes(point.subarray(1, 33)), Buffer.from([0x22]), bytes(point.subarray(33))]).toString(
    'base64url',
  );
}

/** The same with an attestation of the format `none` (CBOR: a map of three members). */
function withoutStatement(data: Uint8Array): string {
  const authData = Buffer.from(data);
  const length = Buffer.alloc(3);
  length.writeUInt8(0x59);
  length.writeUInt16BE(authData.length, 1);
  const head = Buffer.concat([
    ...[Buffer.from([0xa3]), textOf('fmt'), textOf('none'), textOf('attStmt'), Buffer.from([0xa0])],
    ...[textOf('authData'), length],
  ]);
  return Buffer.concat([head, authData]).toString('base64url');
}

/** Of less than 24 bytes. */
const textOf = (text: string): Buffer => Buffer.concat([Buffer.from([0x60 + text.length]), Buffer.from(text)]);
