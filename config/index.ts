import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Mailbox } from '../src/kernel/mailbox.js';
import { belongTogether } from './tls.js';
import { settings, type Setting, type SettingName, type SettingValues } from './settings.js';
import type { SmtpServer } from '../src/kernel/smtp-server.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** All that is wrong with the environment, reported at once. Never holds a value, which may be a secret. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

export interface Config {
  issuer: string;
  http: { port: number; host: string; trustedProxies: number; rateLimitFactor: number };
  /** The server ends TLS itself. PEM. */
  tls: { certificates: string; key: string } | undefined;
  /** How certificates of clients come; undefined: none is looked at. */
  clientCertificates: { header: string | undefined; authorities: readonly string[] } | undefined;
  storage: { mongodbUri: string | undefined; dataDirectory: string };
  redisUrl: string | undefined;
  egress: { allow: string[]; extraAuthorities: string[] };
  /** Asked about domains; none: those of the machine. */
  nameServers: string[];
  secrets: { masterKeys: Buffer[] | undefined; cookieKeys: string[] | undefined };
  firstStart: { adminEmail: string; adminPassword: string | undefined; seedFile: string | undefined };
  /** Who may make an account by themselves. */
  signUp: 'open' | 'apps' | 'closed';
  /** Without a server mail becomes files. */
  mail: { server: SmtpServer | undefined; from: Mailbox };
  logLevel: string;
  /** Processes that serve. */
  workers: number;
}

/** Takes names from a file `.env` in the working folder, if there is one; the real environment goes first. */
export function loadEnvironmentFile(): void {
  if (existsSync('.env')) process.loadEnvFile('.env');
}

/**
 * Reads and checks the whole environment; also from files, for each NAME as NAME_FILE.
 * Throws one ConfigError that lists every problem.
 */
export function loadConfig(environment: Environment = process.env): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    const setting: Setting<unknown> = settings[name];
    const given = readText(environment, name, problems);
    if (given !== undefined && setting.reserved)
      problems.push(`${name} is reserved: this version does nothing with it, so unset it`);
    const source = given ?? (name === 'ISSUER' ? defaultIssuer(environment) : undefined) ?? setting.fallback;
    const parsed = source === undefined ? undefined : setting.parse.safeParse(source);
    if (parsed?.success) values[name] = parsed.data;
    for (const issue of parsed?.error?.issues ?? []) problems.push(`${name} ${issue.message}`);
  }
  problems.push(...crossCheck(values));
  if (problems.length > 0) throw new ConfigError(problems);
  return freezeDeep(toConfig(values as SettingValues));
}

/** Who sets only PORT means this machine at that port. A port that cannot be used is reported under its own name. */
function defaultIssuer(environment: Environment): string | undefined {
  const port = readText(environment, 'PORT', []);
  const url = `http://localhost:${port}`;
  return port !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
}

function readText(environment: Environment, name: string, problems: string[]): string | undefined {
  const direct = environment[name] || undefined;
  const file = environment[`${name}_FILE`] || undefined;
  if (direct !== undefined && file !== undefined) problems.push(`${name} and ${name}_FILE are both set; keep one`);
  if (direct !== undefined || file === undefined) return direct;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    problems.push(`${name}_FILE names a file that cannot be read`);
    return undefined;
  }
}

function crossCheck(values: Partial<SettingValues>): string[] {
  const problems: string[] = [];
  // also for `auto` on a machine with one core: the same settings are good or bad everywhere
  if (values.WORKERS !== undefined && values.WORKERS !== 1 && !values.REDIS_URL)
    problems.push('WORKERS above 1 needs REDIS_URL');
  if (values.SMTP_URL && !values.MAIL_FROM) problems.push('MAIL_FROM is needed with SMTP_URL');
  problems.push(...crossCheckTls(values));
  if (!values.ISSUER?.startsWith('https:')) return problems;
  if (!values.MASTER_KEYS) problems.push('MASTER_KEYS is needed when ISSUER is https');
  if (!values.COOKIE_KEYS) problems.push('COOKIE_KEYS is needed when ISSUER is https');
  if (!values.MONGODB_URI && !values.ALLOW_EMBEDDED)
    problems.push('MONGODB_URI is needed when ISSUER is https (or ALLOW_EMBEDDED=true, for a trial)');
  return problems;
}

function crossCheckTls({ ISSUER, TRUSTED_PROXIES, ...values }: Partial<SettingValues>): string[] {
  const { TLS_CERT, TLS_KEY, TLS_CLIENT_CA, CLIENT_CERT_HEADER } = values;
  const problems: string[] = [];
  if (TLS_CERT && !TLS_KEY) problems.push('TLS_KEY is needed with TLS_CERT');
  if (TLS_KEY && !TLS_CERT) problems.push('TLS_CERT is needed with TLS_KEY');
  if (TLS_CERT && TLS_KEY && !belongTogether(TLS_CERT, TLS_KEY)) problems.push('TLS_KEY is not the key of TLS_CERT');
  if (TLS_CERT && ISSUER?.startsWith('http:')) problems.push('TLS_CERT needs an ISSUER that is https');
  if (TLS_CLIENT_CA && !TLS_CERT && !CLIENT_CERT_HEADER)
    problems.push('TLS_CLIENT_CA is of use with TLS_CERT or CLIENT_CERT_HEADER alone');
  if (CLIENT_CERT_HEADER && TRUSTED_PROXIES === 0)
    problems.push('CLIENT_CERT_HEADER needs TRUSTED_PROXIES: anybody else could write it');
  return problems;
}

function toConfig(values: SettingValues): Config {
  const dataDirectory = values.DATA_DIR === ':memory:' ? ':memory:' : resolve(values.DATA_DIR);
  return {
    issuer: values.ISSUER,
    http: {
      port: values.PORT,
      host: values.HOST,
      trustedProxies: values.TRUSTED_PROXIES,
      rateLimitFactor: values.RATE_LIMIT_FACTOR,
    },
    tls: values.TLS_CERT && values.TLS_KEY ? { certificates: values.TLS_CERT, key: values.TLS_KEY } : undefined,
    clientCertificates:
      values.CLIENT_CERT_HEADER || values.TLS_CLIENT_CA
        ? { header: values.CLIENT_CERT_HEADER, authorities: values.TLS_CLIENT_CA ?? [] }
        : undefined,
    storage: { mongodbUri: values.MONGODB_URI, dataDirectory },
    redisUrl: values.REDIS_URL,
    nameServers: values.DNS_SERVERS ?? [],
    egress: { allow: values.EGRESS_ALLOW ?? [], extraAuthorities: values.EXTRA_CA_FILE ?? [] },
    secrets: { masterKeys: values.MASTER_KEYS, cookieKeys: values.COOKIE_KEYS },
    firstStart: { adminEmail: values.ADMIN_EMAIL, adminPassword: values.ADMIN_PASSWORD, seedFile: values.SEED_FILE },
    signUp: values.SIGN_UP,
    mail: {
      server: values.SMTP_URL,
      from: values.MAIL_FROM ?? { name: 'Gatehouse', address: `no-reply@${new URL(values.ISSUER).hostname}` },
    },
    logLevel: values.LOG_LEVEL,
    workers: values.WORKERS === 'auto' ? availableParallelism() : values.WORKERS,
  };
}

function freezeDeep<T extends object>(value: T): T {
  for (const member of Object.values(value) as unknown[]) {
    // typed arrays cannot be frozen
    if (typeof member === 'object' && member !== null && !ArrayBuffer.isView(member)) freezeDeep(member);
  }
  return Object.freeze(value);
}
