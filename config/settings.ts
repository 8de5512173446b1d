import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { parseEmail } from '../src/kernel/email.js';
import { parseMailbox } from '../src/kernel/mailbox.js';
import { hostAndPort } from '../src/kernel/outbound-uri.js';
import { policy } from './policy.js';
import { parseSmtpUrl } from './smtp-url.js';
import { authorityCertificates, certificateChain, certificateHeader, privateKey } from './tls.js';

/** One environment variable: how its text is read, what it is without, and what to say about it. */
export interface Setting<T> {
  parse: z.ZodType<T, string>;
  /** The text it is read from when the variable is not set; without it the setting is `undefined` then. */
  fallback?: string;
  help: string;
  group: string;
  secret?: true;
  /** Known and reserved, but this version does nothing with it: setting it stops the start rather than be ignored. */
  reserved?: true;
}

const { minimumLength, maximumLength } = policy.passwords;

const wholeNumber = (minimum: number, maximum: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be from ${minimum} to ${maximum}`);

const text = z.string().min(1, 'must not be empty');

const issuerUrl = text.transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  const loopback = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  let problem: string | null = null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) problem = 'must be an http(s) URL';
  else if (url.username || url.search || url.hash || url.pathname !== '/' || value.endsWith('/'))
    problem = 'must be an origin alone: no path, no trailing slash, no query';
  else if (url.protocol === 'http:' && !loopback) problem = 'must be https (plain http is for localhost alone)';
  else if (url.origin !== value) problem = `must be written ${url.origin}`;
  if (problem) context.addIssue({ code: 'custom', message: problem });
  return value;
});

const masterKeys = text.transform((value, context) => {
  const keys = value.split(',').map((key) => Buffer.from(key.trim(), 'base64url'));
  if (keys.some((key) => key.length !== 32))
    context.addIssue({
      code: 'custom',
      message: 'must be keys of 32 bytes as base64url, newest first, separated by commas',
    });
  return keys;
});

const cookieKeys = text.transform((value, context) => {
  const keys = value.split(',').map((key) => key.trim());
  if (keys.some((key) => key.length < 32))
    context.addIssue({
      code: 'custom',
      message: 'must be secrets of at least 32 characters, newest first, separated by commas',
    });
  return keys;
});

const emailAddress = text.refine((value) => parseEmail(value) !== null, 'must be an e-mail address');

const mongoUri = text.regex(/^mongodb(\+srv)?:\/\//, 'must start with mongodb:// or mongodb+srv://');

const redisUrl = text.regex(/^rediss?:\/\//, 'must start with redis:// or rediss://');

const smtpServer = text.transform((value, context) => {
  const server = parseSmtpUrl(value);
  if (typeof server !== 'string') return server;
  context.addIssue({ code: 'custom', message: server });
  return z.NEVER;
});

const sender = text.transform((value, context) => {
  const mailbox = parseMailbox(value);
  if (mailbox) return mailbox;
  context.addIssue({ code: 'custom', message: 'must be an e-mail address, or a name and one: Name <address>' });
  return z.NEVER;
});

/** As a URL parser writes them, so that comparing texts is enough later. */
const hostsAndPorts = text.transform((value, context) => {
  const pairs = value.split(',').map((pair) => pair.trim());
  if (!pairs.every(isHostAndPort))
    context.addIssue({
      code: 'custom',
      message: 'must be host:port pairs, each as in an https address and with its port, separated by commas',
    });
  return pairs;
});

function isHostAndPort(pair: string): boolean {
  const address = `https://${pair}/`;
  return /^[a-z0-9.:[\]_-]+$/.test(pair) && URL.canParse(address) && hostAndPort(new URL(address)) === pair;
}

const nameServers = text.transform((value, context) => {
  const servers = value.split(',').map((server) => server.trim());
  if (!servers.every(isNameServer))
    context.addIssue({
      code: 'custom',
      message: 'must be IP addresses, each with or without a port, separated by commas',
    });
  return servers;
});

/** Checked here in full: what Node takes for one may end the process. */
function isNameServer(server: string): boolean {
  const {
    v4 = '',
    v6 = '',
    port = '53',
  } = /^(?:(?<v4>[^:]+)|\[(?<v6>[^\]]+)\]):(?<port>[1-9]\d{0,4})$/.exec(server)?.groups ?? {};
  if (/%/.test(server)) return false;
  return isIP(server) !== 0 || ((isIPv4(v4) || isIPv6(v6)) && Number(port) < 65_536);
}

const certificatesOfFile = text.transform((path, context) => {
  try {
    const pem = readFileSync(path, 'utf8');
    const certificates = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
    const readable = certificates.map((certificate) => new X509Certificate(certificate).toString());
    if (readable.length > 0) return readable;
    context.addIssue({ code: 'custom', message: 'names a file that holds no certificate in PEM form' });
  } catch (error) {
    const isFile = (error as NodeJS.ErrnoException).syscall === undefined;
    const what = isFile ? 'holds what is no certificate' : 'cannot be read';
    context.addIssue({ code: 'custom', message: `names a file that ${what}` });
  }
  return [];
});

/** Every name of the environment, in the order in which `.env.example` shows it. */
export const settings = {
  ISSUER: {
    group: 'Address',
    parse: issuerUrl,
    fallback: 'http://localhost:3000',
    help: 'Public origin of this server; the `iss` of every token. https everywhere but on localhost. Follows PORT when only that is set.',
  },
  PORT: { group: 'Address', parse: wholeNumber(1, 65_535), fallback: '3000', help: 'Port to listen on.' },
  HOST: { group: 'Address', parse: text, fallback: '127.0.0.1', help: 'Address to listen on; 0.0.0.0 in a container.' },
  TRUSTED_PROXIES: {
    group: 'Address',
    parse: wholeNumber(0, 10),
    fallback: '0',
    help: 'How many proxies stand in front and may be believed about the client address.',
  },
  MONGODB_URI: {
    group: 'Storage',
    parse: mongoUri,
    secret: true,
    help: 'A MongoDB replica set. Unset: the embedded database under DATA_DIR (development and tests only).',
  },
  DATA_DIR: {
    group: 'Storage',
    parse: text,
    fallback: '.data',
    help: 'Folder of the embedded database and of generated secrets. `:memory:` keeps nothing.',
  },
  ALLOW_EMBEDDED: {
    group: 'Storage',
    parse: z.enum(['true', 'false']).transform((value) => value === 'true'),
    fallback: 'false',
    help: 'true: use the embedded database although the issuer is https.',
  },
  REDIS_URL: {
    group: 'Storage',
    parse: redisUrl,
    secret: true,
    help: 'Redis for what processes share and may lose (rate limits). Unset: each process counts for itself.',
  },
  MASTER_KEYS: {
    group: 'Secrets',
    parse: masterKeys,
    secret: true,
    help: 'Key-encryption keys, 32 bytes each as base64url, newest first, comma separated. Unset: generated under DATA_DIR; needed when the issuer is https.',
  },
  COOKIE_KEYS: {
    group: 'Secrets',
    parse: cookieKeys,
    secret: true,
    help: 'Secrets that sign cookies, newest first, comma separated. Unset: generated under DATA_DIR; needed when the issuer is https.',
  },
  ADMIN_EMAIL: {
    group: 'First start',
    parse: emailAddress,
    fallback: 'admin@example.com',
    help: 'The administrator that the first start creates.',
  },
  ADMIN_PASSWORD: {
    group: 'First start',
    parse: text.min(minimumLength, `must have at least ${minimumLength} characters`).max(maximumLength),
    secret: true,
    help: 'Unset: generated and printed once at the first start.',
  },
  SEED_FILE: { group: 'First start', parse: text, help: 'A seed file (YAML or JSON) applied at every start.' },
  SIGN_UP: {
    group: 'Accounts',
    parse: z.enum(['open', 'apps', 'closed']),
    fallback: 'open',
    help: 'Who may make an account by themselves: anybody (open), only on the way into an app that offers it (apps), or nobody (closed).',
  },
  LOG_LEVEL: {
    group: 'Operation',
    parse: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    fallback: 'info',
    help: 'fatal, error, warn, info, debug, trace or silent.',
  },
  RATE_LIMIT_FACTOR: {
    group: 'Operation',
    parse: wholeNumber(1, 1000),
    fallback: '1',
    help: 'Multiplies the limits of requests from one address, for where many people or services share one.',
  },
  WORKERS: {
    group: 'Operation',
    parse: z.union([z.literal('auto'), wholeNumber(1, 64)]),
    fallback: '1',
    help: 'Processes that serve, `auto` for one a core. More than one needs REDIS_URL.',
  },
  SMTP_URL: {
    group: 'Mail',
    parse: smtpServer,
    secret: true,
    help: 'Mail server: smtp://user:password@host:587 (STARTTLS, needed unless the host is this machine or ?requireTLS=false stands behind it) or smtps://…. Unset: mail is written to files under DATA_DIR/mail.',
  },
  MAIL_FROM: {
    group: 'Mail',
    parse: sender,
    help: 'Sender of mails: an address, or Name <address>. Needed with SMTP_URL.',
  },
  EGRESS_ALLOW: {
    group: 'Outbound',
    parse: hostsAndPorts,
    help: 'host:port list that outbound calls may reach although private, such as keys.internal:443. https all the same.',
  },
  EXTRA_CA_FILE: {
    group: 'Outbound',
    parse: certificatesOfFile,
    help: 'File (PEM) of further certificate authorities for outbound calls.',
  },
  DNS_SERVERS: {
    group: 'Outbound',
    parse: nameServers,
    help: 'Name servers that are asked for the records with which tenants show that a domain is theirs: addresses, with a port if it is not 53, separated by commas. Unset: those of the machine.',
  },
  TLS_CERT: {
    group: 'TLS',
    parse: certificateChain,
    help: 'When the server ends TLS itself: its certificate and the chain, as PEM or the path of a PEM file.',
  },
  TLS_KEY: {
    group: 'TLS',
    parse: privateKey,
    secret: true,
    help: 'The key of TLS_CERT, as PEM or the path of a PEM file.',
  },
  TLS_CLIENT_CA: {
    group: 'TLS',
    parse: authorityCertificates,
    help: 'Authorities of client certificates, as PEM or the path of a PEM file. With TLS_CERT the server asks for certificates then, and needs none.',
  },
  CLIENT_CERT_HEADER: {
    group: 'TLS',
    parse: certificateHeader,
    help: 'Header in which a trusted proxy hands over the client certificate: URL-encoded PEM, or as in RFC 9440. Needs TRUSTED_PROXIES.',
  },
  METRICS_TOKEN: { group: 'Operation', parse: text, secret: true, reserved: true, help: 'Bearer token for /metrics.' },
  SUBSCRIPTION_URL: { group: 'Operation', parse: text, reserved: true, help: 'External subscription service.' },
} satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof settings;
/** `undefined` where the variable may be left unset. */
export type SettingValues = {
  [Name in SettingName]: (typeof settings)[Name] extends { fallback: string }
    ? z.output<(typeof settings)[Name]['parse']>
    : z.output<(typeof settings)[Name]['parse']> | undefined;
};
