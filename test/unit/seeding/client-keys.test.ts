import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import { parseSeedFile, SeedError } from '../../../src/seeding/parse-seed-file.js';

type Jwk = Record<string, unknown>;

const ec = (namedCurve: string): Jwk => publicJwk(generateKeyPairSync('ec', { namedCurve }).publicKey);
const rsa = (modulusLength: number): Jwk => publicJwk(generateKeyPairSync('rsa', { modulusLength }).publicKey);
const ed = (): Jwk => publicJwk(generateKeyPairSync('ed25519').publicKey);

function publicJwk(key: ReturnType<typeof generateKeyPairSync>['publicKey']): Jwk {
  return (key as unknown as { export(options: object): Jwk }).export({ format: 'jwk' });
}

/** What is said of a client with this method and these members; null when it is taken. */
function problemOf(members: object): string | null {
  const client = { client_id: 'app', token_endpoint_auth_method: 'private_key_jwt', ...members };
  return said({ clients: [client] });
}

function said(seed: object): string | null {
  try {
    parseSeedFile(JSON.stringify(seed), 'seed.json');
    return null;
  } catch (error) {
    if (error instanceof SeedError) return error.problems.join('\n');
    throw error;
  }
}

describe('keys of clients in a seed file', () => {
  const key = ec('prime256v1');
  const address = 'https://a.example/jwks';
  const taken: readonly [what: string, members: object][] = [
    ['an address in the place of keys', { jwks_uri: address }],
    ['an address, and the algorithm', { jwks_uri: address, token_endpoint_auth_signing_alg: 'PS256' }],
    ['a P-256 key', { jwks: { keys: [key] } }],
    ['an RSA key of 2048 bits', { jwks: { keys: [rsa(2048)] } }],
    ['an Ed25519 key', { jwks: { keys: [ed()] } }],
    [
      'two keys, as in a rotation',
      {
        jwks: {
          keys: [
            { ...key, kid: 'new' },
            { ...rsa(2048), kid: 'old' },
          ],
        },
      },
    ],
    ['a key with use, alg and kid', { jwks: { keys: [{ ...key, use: 'sig', alg: 'ES256', kid: '1' }] } }],
    ['an algorithm of its key', { jwks: { keys: [rsa(2048)] }, token_endpoint_auth_signing_alg: 'PS256' }],
    ['Ed25519 by its older name', { jwks: { keys: [ed()] }, token_endpoint_auth_signing_alg: 'EdDSA' }],
  ];
  for (const [what, members] of taken) {
    it(`takes ${what}`, () => expect(problemOf(members)).to.equal(null));
  }

  const ownSecret = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ format: 'jwk' });
  const refused: readonly [what: string, members: object, why: RegExp][] = [
    ['no key', {}, /jwks is missing/],
    ['an empty set', { jwks: { keys: [] } }, /must hold a key/],
    ['keys by value and by address', { jwks: { keys: [key] }, jwks_uri: address }, /jwks_uri takes the place of jwks/],
    ['an address with another method', { jwks_uri: address, token_endpoint_auth_method: 'none' }, /jwks_uri is of use/],
    ['an address that is too long', { jwks_uri: `${address}/${'x'.repeat(500)}` }, /jwks_uri/],
    ['a private key', { jwks: { keys: [ownSecret] } }, /must be a public key, without d/],
    ['a shared key', { jwks: { keys: [{ kty: 'oct', k: 'x'.repeat(43) }] } }, /must be a public key, without k/],
    ['an RSA key of 1024 bits', { jwks: { keys: [rsa(1024)] } }, /2048 to 8192 bits/],
    ['a key of another curve', { jwks: { keys: [ec('secp384r1')] } }, /must be a key for ES256/],
    ['a key for encryption', { jwks: { keys: [{ ...key, use: 'enc' }] } }, /must be for signatures/],
    ['a key of an algorithm that is not its own', { jwks: { keys: [{ ...key, alg: 'RS256' }] } }, /must be a key for/],
    ['a point that is on no curve', { jwks: { keys: [{ ...key, y: key['x'] }] } }, /is not a key/],
    ['a certificate', { jwks: { keys: [{ ...key, x5c: ['MIIB'] }] } }, /must not hold x5c/],
    [
      'one kid twice',
      {
        jwks: {
          keys: [
            { ...key, kid: '1' },
            { ...ed(), kid: '1' },
          ],
        },
      },
      /must not repeat a kid/,
    ],
    [
      'an algorithm of none of its keys',
      { jwks: { keys: [key] }, token_endpoint_auth_signing_alg: 'PS256' },
      /of none/,
    ],
    ['HS256', { jwks: { keys: [key] }, token_endpoint_auth_signing_alg: 'HS256' }, /token_endpoint_auth_signing_alg/],
    ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }, /token_endpoint_auth_method/],
    [
      'keys with another method',
      { jwks: { keys: [key] }, token_endpoint_auth_method: 'none' },
      /private_key_jwt alone/,
    ],
    [
      'an algorithm with another method',
      { token_endpoint_auth_signing_alg: 'ES256', token_endpoint_auth_method: 'none' },
      /private_key_jwt alone/,
    ],
  ];
  for (const [what, members, why] of refused) {
    it(`refuses ${what}`, () => expect(problemOf(members)).to.match(why));
  }

  it('names the line and place of a key that it refuses, and none of its members', () => {
    const problem = problemOf({ jwks: { keys: [key, ownSecret] } });
    expect(problem).to.match(/^seed\.json:1 clients\[0\]\.jwks\.keys\[1\] /);
    expect(problem).not.to.contain(ownSecret.d);
  });

  it('holds the keys of service accounts to the same', () => {
    const tenant = (jwks: object): object => ({
      tenants: [{ slug: 'acme', name: 'A', type: 'team', serviceAccounts: [{ clientId: 'ci', name: 'CI', jwks }] }],
    });
    expect(said(tenant({ keys: [key] }))).to.equal(null);
    expect(said(tenant({ keys: [ownSecret] }))).to.match(/serviceAccounts\[0\]\.jwks\.keys\[0\] must be a public key/);
  });
});
