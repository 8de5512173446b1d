import { fileURLToPath } from 'node:url';
import type { Config } from '../config/index.js';
import { policy } from '../config/policy.js';
import { createApp, type App, type AppOptions } from './app.js';
import { configuredSecrets } from './platform/crypto/local-secrets.js';

const viewsDirectory = fileURLToPath(new URL('../views', import.meta.url));

/** The application as the configuration wants it, on what its process has opened. */
export async function createConfiguredApp(
  config: Config,
  opened: Pick<AppOptions, 'database' | 'log'> & Partial<Pick<AppOptions, 'redis' | 'isDraining'>>,
): Promise<App> {
  return createApp({
    ...(await configuredSecrets(config.secrets, config.storage.dataDirectory)),
    issuer: config.issuer,
    trustedProxies: config.http.trustedProxies,
    rateLimitFactor: config.http.rateLimitFactor,
    redis: null,
    policy,
    viewsDirectory,
    now: () => new Date(),
    isDraining: () => false,
    ...opened,
  });
}
