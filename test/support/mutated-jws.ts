import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';

/** One change to a signed token, and whether what it decodes to is still the same. */
export interface Mutation {
  why: string;
  token: string;
  /** Header, claims and signature decode to the same bytes: a decoder that is not strict cannot tell. */
  respelt?: true;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export interface KeysOfToken {
  /** The public half of the key that signed. */
  publicKey: JsonWebKey;
  /** Signs with a key that nobody knows. */
  signAsStranger(header: Record<string, unknown>, claims: Record<string, unknown>): Promise<string>;
  strangerKey: JsonWebKey;
}

/** What is known to fool verifiers, made of one token that is right (a compact JWS). */
export async function mutationsOf(token: string, keys: KeysOfToken): Promise<Mutation[]> {
  const [head = '', body = '', signature = ''] = token.split('.');
  const header = decode(head);
  return [
    ...unsigned(header, body, signature),
    ...withHmac(header, body, keys.publicKey),
    ...(await byStranger(header, decode(body), keys)),
    ...otherHeaders(header, body, signature),
    ...otherSignatures(`${head}.${body}`, signature),
    ...otherShapes(token),
    ...otherSpellings(token),
  ].filter((mutation) => mutation.token !== token);
}

function unsigned(header: Record<string, unknown>, body: string, signature: string): Mutation[] {
  return ['none', 'None', 'NONE', 'nOnE', '', null, [], 'HS256\0'].flatMap((alg) => {
    const head = encode({ ...header, alg });
    const why = `alg ${JSON.stringify(alg)}`;
    return [
      { why, token: `${head}.${body}.` },
      { why: `${why} beside the signature`, token: `${head}.${body}.${signature}` },
    ];
  });
}

/** The public key taken for a shared secret, in every form in which a server may hold it. */
function withHmac(header: Record<string, unknown>, body: string, publicKey: JsonWebKey): Mutation[] {
  const key = createPublicKey({ key: publicKey, format: 'jwk' });
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  const secrets: [string, string | Buffer][] = [
    ['the public key as PEM', pem],
    ['the public key as PEM without its last line break', pem.trim()],
    ['the public key as DER', key.export({ type: 'spki', format: 'der' })],
    ['the public key as JWK', JSON.stringify(publicKey)],
    ['a coordinate of the public key', Buffer.from(String(publicKey.x ?? publicKey.n), 'base64url')],
    ['nothing', ''],
    ['a zero', '\0'],
  ];
  return ['HS256', 'HS384', 'HS512'].flatMap((alg) =>
    secrets.map(([what, secret]) => {
      const text = `${encode({ ...header, alg })}.${body}`;
      const hash = `sha${alg.slice(2)}`;
      return {
        why: `${alg} with ${what}`,
        token: `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`,
      };
    }),
  );
}

async function byStranger(
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
  { signAsStranger, strangerKey }: KeysOfToken,
): Promise<Mutation[]> {
  const kid = 'stranger';
  const headers: [string, Record<string, unknown>][] = [
    ['as if by the right key', {}],
    ['without kid', { kid: undefined }],
    ['and their own key in the header', { jwk: strangerKey }],
    ['and their own key and its kid in the header', { kid, jwk: { ...strangerKey, kid } }],
    ['and an address of keys', { kid, jku: 'https://evil.example/jwks' }],
    ['and an address of a certificate', { kid, x5u: 'https://evil.example/cert' }],
    ['and a certificate', { kid, x5c: ['MIIBszCCAVmgAwIBAgIU'] }],
    ['and a kid that is a path', { kid: '../../../../dev/null' }],
    ['and a kid that is a query', { kid: "x' UNION SELECT 'secret" }],
    ['and a kid that is an operator', { kid: { $ne: null } }],
    ['and a kid of the prototype', { kid: '__proto__' }],
    ['and an empty kid', { kid: '' }],
  ];
  const made = headers.map(async ([how, changes]) => ({
    why: `signed by a stranger ${how}`,
    token: await signAsStranger({ ...header, ...changes }, claims),
  }));
  return Promise.all(made);
}

/** The right signature, under a header that it is not of. */
function otherHeaders(header: Record<string, unknown>, body: string, signature: string): Mutation[] {
  const headers: Record<string, unknown>[] = [
    { crit: ['b64'], b64: false },
    { crit: ['exp'] },
    { crit: [] },
    { typ: 'JWT' },
    { typ: 'at+jwt', cty: 'JWT' },
    { typ: undefined },
    { alg: header['alg'] === 'RS256' ? 'PS256' : 'RS256' },
    { alg: 'ES384' },
    { zip: 'DEF' },
    { enc: 'A256GCM', alg: 'dir' },
  ];
  return headers.map((changes) => ({
    why: `header changed: ${JSON.stringify(changes)}`,
    token: `${encode({ ...header, ...changes })}.${body}.${signature}`,
  }));
}

function otherSignatures(text: string, signature: string): Mutation[] {
  const bytes = Buffer.from(signature, 'base64url');
  const flipped = Buffer.from(bytes);
  flipped[0] = (flipped[0] ?? 0) ^ 1;
  const der = Buffer.concat([Buffer.from([0x30, 0x44, 0x02, 0x20]), bytes.subarray(0, 32), bytes.subarray(32)]);
  const all: [string, string][] = [
    ['without signature', ''],
    ['signature cut by a character', signature.slice(0, -1)],
    ['signature cut by a byte', bytes.subarray(0, -1).toString('base64url')],
    ['half a signature', signature.slice(0, signature.length / 2)],
    ['signature with a byte more', Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url')],
    ['signature with a byte before', Buffer.concat([Buffer.alloc(1), bytes]).toString('base64url')],
    ['signature twice', signature + signature],
    ['signature in lower case', signature.toLowerCase()],
    ['signature in upper case', signature.toUpperCase()],
    ['signature of zeroes', Buffer.alloc(bytes.length).toString('base64url')],
    ['signature of ones', Buffer.alloc(bytes.length, 255).toString('base64url')],
    ['a bit of the signature turned', flipped.toString('base64url')],
    ['signature in another form', der.toString('base64url')],
    ['signature in hex', bytes.toString('hex')],
  ];
  return all.map(([why, other]) => ({ why, token: `${text}.${other}` }));
}

function otherShapes(token: string): Mutation[] {
  const [head = '', body = '', signature = ''] = token.split('.');
  const all: [string, string][] = [
    ['a dot more', `${token}.`],
    ['a dot before', `.${token}`],
    ['four parts', `${token}.x`],
    ['five parts', `${token}.x.y`],
    ['five parts, three of them empty', `${head}....`],
    ['six parts', `${token}.x.y.z`],
    ['two parts', `${head}.${body}`],
    ['one part', head],
    ['without claims', `${head}..${signature}`],
    ['without header', `.${body}.${signature}`],
    ['itself twice', `${token}${token}`],
    ['itself twice with a comma', `${token},${token}`],
    ['cut in the middle', token.slice(0, token.length / 2)],
    ['in lower case', token.toLowerCase()],
    ['in upper case', token.toUpperCase()],
    ['as JSON', JSON.stringify({ protected: head, payload: body, signature })],
    ['as JSON with several', JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] })],
    ['as a list', `["${token}"]`],
    ['in quotes', `"${token}"`],
  ];
  return all.map(([why, text]) => ({ why, token: text }));
}

/** Other texts that a lenient decoder reads as the same bytes. */
function otherSpellings(token: string): Mutation[] {
  const [head = '', body = '', signature = ''] = token.split('.');
  const last = alphabet.indexOf(signature.slice(-1));
  const spare = { 0: 0, 2: 15, 3: 3 }[signature.length % 4] ?? 0;
  const withLast = (bits: number): string => signature.slice(0, -1) + (alphabet[last | bits] ?? '');
  const spareBits = Array.from({ length: spare }, (_, bits) => withLast(bits + 1));
  const middle = Math.floor(signature.length / 2);
  const standard = signature.replaceAll('-', '+').replaceAll('_', '/');
  const all: [string, string][] = [
    ...spareBits.map((other): [string, string] => ['spare bits of the signature', `${head}.${body}.${other}`]),
    ['signature padded', `${token}${'='.repeat((4 - (signature.length % 4)) % 4)}`],
    ['signature padded too much', `${token}====`],
    ['signature in the other alphabet', `${head}.${body}.${standard}`],
    ['a blank before', ` ${token}`],
    ['a blank behind', `${token} `],
    ['a line break behind', `${token}\n`],
    ['a zero behind', `${token}\0`],
    ...[' ', '\n', '\t', '\r\n'].map((blank): [string, string] => [
      `${JSON.stringify(blank)} in the signature`,
      `${head}.${body}.${signature.slice(0, middle)}${blank}${signature.slice(middle)}`,
    ]),
    ['a blank behind the header', `${head} .${body}.${signature}`],
    ['padding behind the header', `${head}=.${body}.${signature}`],
    ['padding behind the claims', `${head}.${body}=.${signature}`],
  ];
  return all.map(([why, text]) => ({ why, token: text, respelt: true }));
}
