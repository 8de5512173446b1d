import type { Policy } from '../config/policy.js';
import type { SignUp } from './accounts/index.js';
import type { Clock } from './kernel/time.js';
import type { LookupText } from './platform/dns/text-records.js';
import type { EgressOptions } from './platform/egress/egress.js';
import type { ClientCertificateOptions } from './platform/http/client-certificates.js';
import type { Logger } from './platform/log/logger.js';
import type { MailTransport } from './platform/mail/transports.js';
import type { Database } from './platform/mongo/open-database.js';
import type { RedisConnection } from './platform/redis/open-redis.js';

export interface AppOptions {
  issuer: string;
  trustedProxies: number;
  /** How certificates of clients come; undefined: none is looked at. */
  clientCertificates: ClientCertificateOptions | undefined;
  /** Multiplies the limits by address. */
  rateLimitFactor: number;
  /** Null: each process counts for itself. */
  redis: RedisConnection | null;
  egress: EgressOptions;
  /** How it is found out what name servers say of domains. */
  lookupText: LookupText;
  signUp: SignUp;
  masterKeys: readonly Uint8Array[];
  cookieKeys: readonly string[];
  mail: MailTransport;
  policy: Policy;
  /** Passwords that are too common to be taken. */
  passwordBlockList: ReadonlySet<string>;
  viewsDirectory: string;
  /** Of the catalogues, `<language>.json`. */
  localesDirectory: string;
  database: Database;
  log: Logger;
  now: Clock;
  isDraining(): boolean;
}
