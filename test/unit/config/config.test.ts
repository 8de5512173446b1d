import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ConfigError, loadConfig, type Config } from '../../../config/index.js';
import { settings, type Setting } from '../../../config/settings.js';
import { makeAuthority } from '../../support/authority.js';
import { requireTool } from '../../support/tools.js';

const masterKey = randomBytes(32).toString('base64url');
const cookieKey = randomBytes(32).toString('hex');
const https = {
  ISSUER: 'https://id.example.com',
  MASTER_KEYS: masterKey,
  COOKIE_KEYS: cookieKey,
  MONGODB_URI: 'mongodb://db.example.com/gatehouse',
};

/** The problems of an environment; empty when there are none. */
function problemsOf(environment: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const good: readonly [name: string, value: string, read: (config: Config) => unknown, expected: unknown][] = [
  ['ISSUER', 'http://localhost:8080', (config) => config.issuer, 'http://localhost:8080'],
  ['ISSUER', 'http://127.0.0.1:8080', (config) => config.issuer, 'http://127.0.0.1:8080'],
  ['ISSUER', 'http://[::1]:8080', (config) => config.issuer, 'http://[::1]:8080'],
  ['PORT', '1', (config) => config.http.port, 1],
  ['PORT', '65535', (config) => config.http.port, 65_535],
  ['HOST', '0.0.0.0', (config) => config.http.host, '0.0.0.0'],
  ['TRUSTED_PROXIES', '2', (config) => config.http.trustedProxies, 2],
  ['RATE_LIMIT_FACTOR', '20', (config) => config.http.rateLimitFactor, 20],
  [
    'MONGODB_URI',
    'mongodb://a,b/x?replicaSet=r',
    (config) => config.storage.mongodbUri,
    'mongodb://a,b/x?replicaSet=r',
  ],
  [
    'MONGODB_URI',
    'mongodb+srv://a.example.com/',
    (config) => config.storage.mongodbUri,
    'mongodb+srv://a.example.com/',
  ],
  ['DATA_DIR', ':memory:', (config) => config.storage.dataDirectory, ':memory:'],
  ['DATA_DIR', 'somewhere', (config) => config.storage.dataDirectory, resolve('somewhere')],
  ['REDIS_URL', 'redis://:hunter2@a.example.com:6379/1', (config) => config.redisUrl?.slice(0, 8), 'redis://'],
  ['REDIS_URL', 'rediss://a.example.com', (config) => config.redisUrl, 'rediss://a.example.com'],
  ['ALLOW_EMBEDDED', 'true', (config) => config.storage.mongodbUri, undefined],
  ['MASTER_KEYS', masterKey, (config) => config.secrets.masterKeys?.map((key) => key.length), [32]],
  ['MASTER_KEYS', `${masterKey}, ${masterKey}`, (config) => config.secrets.masterKeys?.length, 2],
  ['COOKIE_KEYS', `${cookieKey} ,${cookieKey}`, (config) => config.secrets.cookieKeys, [cookieKey, cookieKey]],
  ['ADMIN_EMAIL', 'ada@example.com', (config) => config.firstStart.adminEmail, 'ada@example.com'],
  ['ADMIN_PASSWORD', 'exactly fifteen', (config) => config.firstStart.adminPassword, 'exactly fifteen'],
  ['SEED_FILE', 'seed.yaml', (config) => config.firstStart.seedFile, 'seed.yaml'],
  ['LOG_LEVEL', 'debug', (config) => config.logLevel, 'debug'],
  ['SIGN_UP', 'apps', (config) => config.signUp, 'apps'],
  ['EGRESS_ALLOW', 'keys.internal:443', (config) => config.egress.allow, ['keys.internal:443']],
  [
    'DNS_SERVERS',
    '192.0.2.53, [2001:db8::53]:5353',
    (config) => config.nameServers,
    ['192.0.2.53', '[2001:db8::53]:5353'],
  ],
  ['EGRESS_ALLOW', '10.0.0.1:8443, [::1]:1', (config) => config.egress.allow, ['10.0.0.1:8443', '[::1]:1']],
  ['WORKERS', '1', (config) => config.workers, 1],
];

const bad: Readonly<Record<string, readonly string[]>> = {
  ISSUER: [
    ...['localhost:3000', 'junk', 'ftp://localhost', 'javascript:alert(1)', 'http://id.example.com', 'http://10.0.0.1'],
    ...[
      'https://id.example.com/',
      'https://id.example.com/path',
      'https://id.example.com?x',
      'https://id.example.com#x',
    ],
    ...['https://user@id.example.com', 'https://user:hunter2@id.example.com', 'https://:hunter2@id.example.com'],
    ...[
      'HTTPS://id.example.com',
      'https://ID.example.com',
      'https://id.example.com:443',
      'http://localhost.example.com',
    ],
    ...[' https://id.example.com', 'https://bücher.example', 'http://0x7f.1:3000'],
  ],
  PORT: ['0', '65536', '-1', '1.5', '3000 ', 'http', '0x50', '1e3', '99999999999'],
  TRUSTED_PROXIES: ['-1', '11', 'all', '1.0', '127.0.0.1'],
  RATE_LIMIT_FACTOR: ['0', '-1', '1001', '1.5', 'off'],
  MONGODB_URI: ['localhost:27017', 'http://localhost', 'postgres://localhost', 'mongodb:/x', ' mongodb://localhost'],
  REDIS_URL: ['localhost:6379', 'http://localhost', 'redis:/hunter2', 'unix:///run/redis.sock'],
  ALLOW_EMBEDDED: ['yes', '1', 'TRUE', 'on'],
  MASTER_KEYS: ['short', 'x'.repeat(64), `${masterKey},`, `${masterKey},short`, randomBytes(32).toString('hex'), ','],
  COOKIE_KEYS: ['short', `${cookieKey},`, `${cookieKey},short`, ','],
  ADMIN_EMAIL: ['admin', 'admin@localhost', 'a@b@example.com', 'a b@example.com', '@example.com'],
  ADMIN_PASSWORD: ['only fourteen.', 'x'.repeat(129)],
  SIGN_UP: ['Open', 'yes', 'invited'],
  LOG_LEVEL: ['verbose', 'INFO', '30', 'warning'],
  DNS_SERVERS: [
    ...['ns.example.com', '192.0.2.53:0', '192.0.2.53:65536', '192.0.2.53:x', '192.0.2.53:053', '192.0.2', ':53', ','],
    ...['[::1]', '::1:53:', '[192.0.2.53]:53', 'fe80::1%lo', '[fe80::1%lo]:53', '192.0.2.53/32', '192.0.2.53,'],
  ],
  EGRESS_ALLOW: [
    ...[
      'keys.internal',
      'keys.internal:',
      'keys.internal:443/',
      'https://keys.internal:443',
      'keys.internal:443,',
      ',',
    ],
    ...['user@keys.internal:443', '*.internal:443', '*:443', 'KEYS.internal:443', '0x7f.1:443', '127.1:443', '::1:443'],
    ...[
      'keys.internal:0443',
      'keys.internal:65536',
      '10.0.0.0/8:443',
      'bücher.example:443',
      'a.internal:1 b.internal:2',
    ],
  ],
  EXTRA_CA_FILE: ['/nowhere/at/all', '.', 'package.json'],
  TLS_CERT: ['/nowhere/at/all', '.', 'package.json'],
  TLS_KEY: ['/nowhere/at/all', '.', 'package.json'],
  TLS_CLIENT_CA: ['/nowhere/at/all', '.', 'package.json'],
  CLIENT_CERT_HEADER: ['authorization', 'x-forwarded-for', 'client cert', 'client-cert:'],
  SMTP_URL: ['mail.example.com:587', 'http://mail.example.com', 'smtp://a:b@c/d'],
  MAIL_FROM: ['nobody', 'Gatehouse <nobody>', 'a@example.com, b@example.com'],
  WORKERS: ['0', '-1', '65', 'many', '1.5', '2', 'auto'],
};

describe('the configuration', () => {
  it('needs nothing for a first try on localhost', () => {
    expect(loadConfig({})).to.deep.equal({
      issuer: 'http://localhost:3000',
      http: { port: 3000, host: '127.0.0.1', trustedProxies: 0, rateLimitFactor: 1 },
      storage: { mongodbUri: undefined, dataDirectory: resolve('.data') },
      secrets: { masterKeys: undefined, cookieKeys: undefined },
      firstStart: { adminEmail: 'admin@example.com', adminPassword: undefined, seedFile: undefined },
      signUp: 'open',
      tls: undefined,
      clientCertificates: undefined,
      redisUrl: undefined,
      egress: { allow: [], extraAuthorities: [] },
      nameServers: [],
      mail: { server: undefined, from: { name: 'Gatehouse', address: 'no-reply@localhost' } },
      logLevel: 'info',
      workers: 1,
    });
  });

  for (const [name, value, read, expected] of good) {
    it(`${name} may be ${value.length > 40 ? `${value.slice(0, 12)}…` : value}`, () =>
      expect(read(loadConfig({ [name]: value }))).to.deep.equal(expected));
  }

  for (const [name, values] of Object.entries(bad)) {
    it(`${name} is refused by name when it is wrong, and never shown`, () => {
      for (const value of values) {
        const problems = problemsOf({ [name]: value });
        const own = problems.filter((problem) => problem.startsWith(`${name} `));
        expect(own, `${JSON.stringify(value)}: ${problems.join('; ')}`).to.have.length.of.at.least(1);
        const isTelling = value.trim().length > 4 && !(name === 'ISSUER' && !value.includes('hunter2'));
        if (isTelling) expect(problems.join('\n'), value).not.to.contain(value);
        expect(problems.join('\n'), value).not.to.contain('hunter2');
      }
    });
  }

  it('an empty variable is one that is not set', () => {
    const empty = Object.fromEntries(Object.keys(settings).map((name) => [name, '']));
    expect(loadConfig(empty)).to.deep.equal(loadConfig({}));
  });

  it('every setting is covered here or reserved', () => {
    const covered = new Set([...good.map(([name]) => name), ...Object.keys(bad)]);
    const all = Object.entries(settings) as [string, Setting<unknown>][];
    const open = all.filter(([name, setting]) => !setting.reserved && !covered.has(name));
    expect(open.map(([name]) => name)).to.deep.equal([]);
  });

  it('all problems are told at once', () => {
    const problems = problemsOf({
      ISSUER: 'junk',
      PORT: '0',
      LOG_LEVEL: 'loud',
      ADMIN_PASSWORD: 'short',
      SMTP_URL: 'x',
    });
    for (const name of ['ISSUER', 'PORT', 'LOG_LEVEL', 'ADMIN_PASSWORD', 'SMTP_URL']) {
      expect(
        problems.filter((problem) => problem.startsWith(`${name} `)),
        name,
      ).to.have.length(1);
    }
    expect(problems).to.have.length(5);
    expect(new ConfigError(problems).message.split('\n')).to.have.length(6);
  });

  it('sec-077 no value stands in a problem, whatever is wrong with it', () => {
    const values = Object.keys(settings).map((name): [string, string] => [name, `canary-${name.toLowerCase()}-canary`]);
    const problems = problemsOf(Object.fromEntries(values)).join('\n');
    expect(values.filter(([, value]) => problems.includes(value)).map(([name]) => name)).to.deep.equal([]);
  });

  it('names that this version does nothing with stop the start', () => {
    const reserved = (Object.entries(settings) as [string, Setting<unknown>][]).filter(
      ([, setting]) => setting.reserved,
    );
    expect(reserved.map(([name]) => name)).to.include.members(['SUBSCRIPTION_URL', 'METRICS_TOKEN']);
    for (const [name] of reserved) {
      expect(problemsOf({ [name]: 'anything' }), name).to.deep.equal([
        `${name} is reserved: this version does nothing with it, so unset it`,
      ]);
    }
  });

  it('an https issuer demands keys and a database', () => {
    expect(problemsOf(https)).to.deep.equal([]);
    for (const name of ['MASTER_KEYS', 'COOKIE_KEYS', 'MONGODB_URI'] as const) {
      const problems = problemsOf({ ...https, [name]: undefined });
      expect(problems, name).to.have.length(1);
      expect(problems[0]).to.match(new RegExp(`^${name} is needed when ISSUER is https`));
    }
    expect(problemsOf({ ISSUER: https.ISSUER })).to.have.length(3);
    expect(problemsOf({ ...https, MONGODB_URI: undefined, ALLOW_EMBEDDED: 'true' })).to.deep.equal([]);
    expect(problemsOf({ ...https, MONGODB_URI: undefined, ALLOW_EMBEDDED: 'false' })).to.have.length(1);
  });

  it('more workers than one need Redis; auto is one a core, and needs it on every machine', () => {
    const redis = { REDIS_URL: 'redis://127.0.0.1:6379' };
    expect(problemsOf({ WORKERS: '2' })).to.deep.equal(['WORKERS above 1 needs REDIS_URL']);
    expect(problemsOf({ WORKERS: 'auto' })).to.deep.equal(['WORKERS above 1 needs REDIS_URL']);
    expect(loadConfig({ ...redis, WORKERS: '2' }).workers).to.equal(2);
    expect(loadConfig({ ...redis, WORKERS: 'auto' }).workers).to.equal(availableParallelism());
    expect(loadConfig({ ...redis, WORKERS: '1' }).workers).to.equal(1);
  });

  it('is frozen through and through', () => {
    const config = loadConfig(https);
    const objects = [config, config.http, config.storage, config.secrets, config.firstStart];
    const lists = [config.secrets.masterKeys, config.secrets.cookieKeys];
    expect([...objects, ...lists].filter((value) => !Object.isFrozen(value))).to.deep.equal([]);
    expect(() => Object.assign(config.http, { port: 1 })).to.throw(TypeError);
  });
});

describe('a setting from a file', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const fileWith = (text: string): string => {
    const path = join(folder, randomBytes(4).toString('hex'));
    writeFileSync(path, text);
    return path;
  };

  it('is read for every name, without the line break at its end', () => {
    expect(loadConfig({ ADMIN_PASSWORD_FILE: fileWith('exactly fifteen\n') }).firstStart.adminPassword).to.equal(
      'exactly fifteen',
    );
    expect(loadConfig({ PORT_FILE: fileWith('8080\r\n') }).http.port).to.equal(8080);
    expect(loadConfig({ COOKIE_KEYS_FILE: fileWith(cookieKey) }).secrets.cookieKeys).to.deep.equal([cookieKey]);
    expect(loadConfig({ MASTER_KEYS_FILE: fileWith(`${masterKey}\n`) }).secrets.masterKeys).to.have.length(1);
  });

  it('is checked like any other, and not shown', () => {
    const problems = problemsOf({ ADMIN_PASSWORD_FILE: fileWith('hunter2') });
    expect(problems).to.deep.equal(['ADMIN_PASSWORD must have at least 15 characters']);
  });

  it('that cannot be read, or is empty, is a problem', () => {
    expect(problemsOf({ PORT_FILE: join(folder, 'nothing') })).to.deep.equal([
      'PORT_FILE names a file that cannot be read',
    ]);
    expect(problemsOf({ PORT_FILE: folder })).to.deep.equal(['PORT_FILE names a file that cannot be read']);
    expect(problemsOf({ ADMIN_PASSWORD_FILE: fileWith('') })).not.to.deep.equal([]);
    expect(problemsOf({ MONGODB_URI_FILE: fileWith('\n') })).not.to.deep.equal([]);
  });

  it('and by name at once is a problem, also when both say the same', () => {
    expect(problemsOf({ PORT: '8080', PORT_FILE: fileWith('8080') })).to.deep.equal([
      'PORT and PORT_FILE are both set; keep one',
    ]);
  });

  it('EXTRA_CA_FILE gives the certificates of authorities, and says what is wrong with them', function () {
    if (requireTool('openssl') === undefined) return this.skip();
    const [one, two] = [makeAuthority(), makeAuthority()];
    const authoritiesOf = (text: string): readonly string[] =>
      loadConfig({ EXTRA_CA_FILE: fileWith(text) }).egress.extraAuthorities;
    expect(authoritiesOf(one.certificate)).to.deep.equal([one.certificate]);
    expect(authoritiesOf(`# both\r\n${one.certificate}\n${two.certificate}`)).to.deep.equal([
      one.certificate,
      two.certificate,
    ]);
    const broken = one.certificate.replace(/\n(.{20})/, '\n');
    const problems: readonly [text: string, why: string][] = [
      ['', 'holds no certificate in PEM form'],
      [one.host.key, 'holds no certificate in PEM form'],
      [broken, 'holds what is no certificate'],
      [one.certificate + broken, 'holds what is no certificate'],
    ];
    for (const [text, why] of problems)
      expect(problemsOf({ EXTRA_CA_FILE: fileWith(text) })).to.deep.equal([`EXTRA_CA_FILE names a file that ${why}`]);
    expect(problemsOf({ EXTRA_CA_FILE: folder })).to.deep.equal(['EXTRA_CA_FILE names a file that cannot be read']);
  });

  it('of a reserved name stops the start too', () => {
    expect(problemsOf({ METRICS_TOKEN_FILE: fileWith('a token') })).to.deep.equal([
      'METRICS_TOKEN is reserved: this version does nothing with it, so unset it',
    ]);
  });
});
