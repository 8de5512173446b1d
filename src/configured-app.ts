import { fileURLToPath } from 'node:url';
import type { Config } from '../config/index.js';
import { policy } from '../config/policy.js';
import type { AppOptions } from './app-options.js';
import { createApp, type App } from './app.js';
import { readPasswordBlockList } from './credentials/index.js';
import { join } from 'node:path';
import type { Logger } from './platform/log/logger.js';
import { textRecordsBy } from './platform/dns/text-records.js';
import { fileTransport, smtpTransport, type MailTransport } from './platform/mail/transports.js';
import { configuredSecrets } from './platform/crypto/local-secrets.js';

const viewsDirectory = fileURLToPath(new URL('../views', import.meta.url));
const localesDirectory = fileURLToPath(new URL('../locales', import.meta.url));

/** The application as the configuration wants it, on what its process has opened. */
export async function createConfiguredApp(
  config: Config,
  opened: Pick<AppOptions, 'database' | 'log'> & Partial<Pick<AppOptions, 'redis' | 'isDraining'>>,
): Promise<App> {
  return createApp({
    ...(await configuredSecrets(config.secrets, config.storage.dataDirectory)),
    issuer: config.issuer,
    trustedProxies: config.http.trustedProxies,
    clientCertificates: config.clientCertificates,
    rateLimitFactor: config.http.rateLimitFactor,
    redis: null,
    ...{ egress: config.egress, signUp: config.signUp },
    lookupText: textRecordsBy(config.nameServers),
    policy,
    passwordBlockList: readPasswordBlockList(policy.passwords.minimumLength),
    mail: transportOf(config, opened.log),
    ...{ viewsDirectory, localesDirectory },
    now: () => new Date(),
    isDraining: () => false,
    ...opened,
  });
}

function transportOf({ issuer, mail, storage, egress }: Config, log: Logger): MailTransport {
  const sender = { from: mail.from, host: new URL(issuer).hostname };
  if (mail.server) return smtpTransport(mail.server, sender, { ...egress, connections: policy.mail.atOnce });
  const { dataDirectory } = storage;
  return fileTransport(dataDirectory === ':memory:' ? null : join(dataDirectory, 'mail'), sender, log);
}
