import { createHash, createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import type { Page } from './browser.js';

/** A passkey in software, of which a test may change every single field. */
export interface Authenticator {
  credentialId: string;
  /** The answer to a registration, as the script of the pages writes it. */
  register(options: CeremonyOptions, changes?: Changes): string;
  /** The answer to a sign-in. */
  assert(options: CeremonyOptions, changes?: Changes): string;
}

export interface CeremonyOptions {
  challenge: string;
  rpId?: string;
  rp?: { id: string };
  user?: { id: string };
}

export interface Changes {
  type?: string;
  challenge?: string;
  origin?: string;
  rpId?: string;
  flags?: number;
  counter?: number;
  algorithm?: number;
  id?: string;
  userHandle?: string | null;
  signature?: string;
  clientDataType?: string;
  format?: string;
}

const present = 0x01;
const verified = 0x04;
const withKey = 0x40;
export const flags = { present, verified, backupEligible: 0x08, backedUp: 0x10, withKey } as const;

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

/** What a page gives to its script. */
export function ceremonyOn(page: Page): { options: CeremonyOptions; ticket: string } {
  const text = /data-options="([^"]*)"/.exec(page.html)?.[1] ?? '{}';
  const ticket = /name="ticket" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
  return { options: JSON.parse(text.replaceAll('&#34;', '"')) as CeremonyOptions, ticket };
}

export function newAuthenticator(origin: string): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(32);
  const credentialId = id.toString('base64url');
  let counter = 0;
  let userHandle: string | undefined;

  function clientData(type: string, { challenge }: CeremonyOptions, changes: Changes): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: changes.clientDataType ?? type,
        challenge: changes.challenge ?? challenge,
        origin: changes.origin ?? origin,
        crossOrigin: false,
      }),
    );
  }

  function authenticatorData(rpId: string, defaultFlags: number, changes: Changes): Buffer {
    const head = Buffer.alloc(37);
    sha256(changes.rpId ?? rpId).copy(head);
    head.writeUInt8(changes.flags ?? defaultFlags, 32);
    head.writeUInt32BE(changes.counter ?? ++counter, 33);
    return head;
  }

  return {
    credentialId,
    register(options, changes = {}) {
      userHandle = options.user?.id;
      const client = clientData('webauthn.create', options, changes);
      const head = authenticatorData(options.rp?.id ?? '', present | verified | withKey, changes);
      const attested = Buffer.concat([Buffer.alloc(16), lengthOf(id), id, coseKey(publicKey, changes.algorithm ?? -7)]);
      const attestationObject = attestation(Buffer.concat([head, attested]), changes.format ?? 'none');
      return JSON.stringify({
        ...{ id: changes.id ?? credentialId, type: changes.type ?? 'public-key', transports: 'internal' },
        clientDataJSON: client.toString('base64url'),
        attestationObject: attestationObject.toString('base64url'),
      });
    },
    assert(options, changes = {}) {
      const client = clientData('webauthn.get', options, changes);
      const data = authenticatorData(options.rpId ?? '', present | verified, changes);
      const signer = createSign('sha256').update(Buffer.concat([data, sha256(client)]));
      const signature = signer.sign(privateKey).toString('base64url');
      return JSON.stringify({
        ...{ id: changes.id ?? credentialId, type: changes.type ?? 'public-key' },
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: changes.signature ?? signature,
        userHandle: changes.userHandle === undefined ? userHandle : changes.userHandle,
      });
    },
  };
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return length;
}

/** COSE key of the curve P-256 (RFC 9053), in CBOR. */
function coseKey(key: KeyObject, algorithm: number): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const bytes = (text: string): Buffer => Buffer.concat([Buffer.from([0x58, 32]), Buffer.from(text, 'base64url')]);
  const alg = algorithm >= -24 ? Buffer.from([0x1f - algorithm]) : negative(algorithm);
  return Buffer.concat([
    ...[Buffer.from([0xa5, 0x01, 0x02, 0x03]), alg, Buffer.from([0x20, 0x01, 0x21]), bytes(x)],
    ...[Buffer.from([0x22]), bytes(y)],
  ]);
}

function negative(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUInt8(0x39);
  bytes.writeUInt16BE(-1 - value, 1);
  return bytes;
}

function attestation(authData: Buffer, format: string): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);
  const length = Buffer.alloc(3);
  length.writeUInt8(0x59);
  length.writeUInt16BE(authData.length, 1);
  return Buffer.concat([
    ...[Buffer.from([0xa3]), text('fmt'), text(format), text('attStmt'), Buffer.from([0xa0]), text('authData')],
    ...[length, authData],
  ]);
}
