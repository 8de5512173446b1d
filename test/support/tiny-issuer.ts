import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { projectsApi } from './contract-seed.js';
import { newKeyPair } from './key-pair.js';

/** An issuer of nothing but a discovery document and keys: signs what the real one does not. */
export interface TinyIssuer {
  issuer: string;
  /** What it answers with, for a test to change. */
  document: Record<string, unknown>;
  keys: JWK[];
  /** Paths that were asked for, in order. */
  asked: string[];
  /** Signs the claims of a good token of our server, but for those given; undefined leaves one out. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** From now on another key signs; the published ones are left to the test. */
  newKey(kid: string, alg?: string): Promise<JWK>;
  close(): Promise<void>;
}

export async function tinyIssuer(): Promise<TinyIssuer> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    const body = req.url === '/keys' ? { keys: tiny.keys } : tiny.document;
    res.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let signing: { kid: string; alg: string; privateKey: CryptoKey };

  const tiny: TinyIssuer = {
    ...{ issuer, asked, keys: [] },
    document: { issuer, jwks_uri: `${issuer}/keys` },
    async newKey(kid, alg = 'ES256') {
      const { privateKey, publicKey } = await newKeyPair(alg);
      signing = { kid, alg, privateKey };
      return { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
    },
    sign: (claims = {}, header = {}) =>
      new SignJWT({ ...goodClaims(issuer), ...claims })
        .setProtectedHeader({ alg: signing.alg, typ: 'at+jwt', kid: signing.kid, ...header })
        .sign(signing.privateKey),
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  tiny.keys.push(await tiny.newKey('first'));
  return tiny;
}

function goodClaims(iss: string): Record<string, unknown> {
  const iat = Math.floor(Date.now() / 1000);
  return {
    ...{ iss, aud: projectsApi, sub: 'usr_1', client_id: 'web', jti: randomUUID(), iat, exp: iat + 600 },
    ...{ scope: 'projects:read', tenant_id: 'ten_1', tenant_slug: 'acme', tenant_type: 'team' },
    ...{ roles: ['editor'], entitlements: [] },
  };
}
