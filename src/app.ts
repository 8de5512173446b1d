/**
 * Composition root: the one file that knows every slice. Read top to bottom; a part uses only what stands above it.
 */
import type Router from '@koa/router';
import Keygrip from 'keygrip';
import Koa from 'koa';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { plans } from '../config/plans.js';
import type { Policy } from '../config/policy.js';
import { reservedSlugs } from '../config/reserved-slugs.js';
import { templates as builtInTemplates } from '../config/templates.js';
import { tenantTypes } from '../config/tenant-types.js';
import { accessModule } from './access/index.js';
import { administrationModule, type AdministrationModule } from './administration/index.js';
import { clientsModule } from './clients/index.js';
import { consentsModule } from './consents/index.js';
import { credentialsModule } from './credentials/index.js';
import { eventsModule } from './events/index.js';
import { healthModule } from './health/index.js';
import type { Clock } from './kernel/time.js';
import { membershipsModule } from './memberships/index.js';
import { oidcModule, type OidcModule } from './oidc/index.js';
import { createDataKeyStore } from './platform/crypto/data-key-store.js';
import { openKeyRing } from './platform/crypto/key-ring.js';
import { errorAnswerer } from './platform/http/answer-error.js';
import { assetsRoutes } from './platform/http/assets-routes.js';
import { browserIds } from './platform/http/browser-id.js';
import { createForms } from './platform/http/forms.js';
import { openPages } from './platform/http/pages.js';
import { withLastResort } from './platform/http/last-resort.js';
import { answerErrors, createListener } from './platform/http/listener.js';
import { keepCookiesAtHome, securityHeaders } from './platform/http/security-headers.js';
import { createAddressLimits } from './platform/limits/address-limits.js';
import type { Logger } from './platform/log/logger.js';
import type { Database } from './platform/mongo/open-database.js';
import { inTransactionOf } from './platform/mongo/transactions.js';
import type { RedisConnection } from './platform/redis/open-redis.js';
import { resourcesModule } from './resources/index.js';
import { builtInRoles, coversPermission, rolesModule } from './roles/index.js';
import { seedingModule, type SeedingModule } from './seeding/index.js';
import { serviceAccountsModule } from './service-accounts/index.js';
import { signInModule } from './sign-in/index.js';
import { signingKeysModule } from './signing-keys/index.js';
import { subscriptionsModule } from './subscriptions/index.js';
import { templatesModule } from './templates/index.js';
import { newTenant, noTenant, platformSlug, tenantsModule } from './tenants/index.js';
import { usersModule } from './users/index.js';

export interface AppOptions {
  issuer: string;
  trustedProxies: number;
  /** Multiplies the limits by address. */
  rateLimitFactor: number;
  /** Null: each process counts for itself. */
  redis: RedisConnection | null;
  masterKeys: readonly Uint8Array[];
  cookieKeys: readonly string[];
  policy: Policy;
  viewsDirectory: string;
  database: Database;
  log: Logger;
  now: Clock;
  isDraining(): boolean;
}

export interface Route {
  /** `:name` stands for a part that varies. */
  path: string;
  methods: readonly string[];
  /** May be posted to, and is sent on as GET. */
  postable?: true;
}

export interface App {
  /** For an HTTP server; answers every request, also those it refuses. */
  listener(req: IncomingMessage, res: ServerResponse): unknown;
  /** Every path that is answered, for the tests that go through all of them. */
  routes: readonly Route[];
  seeding: SeedingModule;
  administration: AdministrationModule;
  useSigningKeys: OidcModule['useSigningKeys'];
}

export async function createApp(options: AppOptions): Promise<App> {
  const { issuer, policy, database, log, now } = options;
  const { lifetimes, limits } = policy;
  const cacheSeconds = lifetimes.decisionCacheSeconds;

  // --- ground: keys, transactions, events
  const keyRing = await openKeyRing(options.masterKeys, createDataKeyStore(database));
  const inTransaction = inTransactionOf(database);
  const events = eventsModule({ database, cacheSeconds, now });
  const base = { database, inTransaction, recordEvent: events.recordEvent, now };

  // --- who and what there is
  const subscriptions = subscriptionsModule({ plans });
  const templates = templatesModule({ ...base, builtIn: builtInTemplates });
  const tenants = tenantsModule({ ...base, tenantTypes, limitsOfPlan: subscriptions.limitsOfPlan });
  const seats = { takeSeat: tenants.takeSeat, releaseSeat: tenants.releaseSeat };
  const users = usersModule({ ...base, keyRing });
  const memberships = membershipsModule({ ...base, ...seats });
  const roles = rolesModule(base);
  const resources = resourcesModule({ ...base, cacheSeconds });
  const clients = clientsModule({ ...base, keyRing });
  const serviceAccounts = serviceAccountsModule({ ...base, ...seats, createClient: clients.createClient });
  const consents = consentsModule(base);

  // --- who may do what
  const revised = { revisionOf: events.revisionOf, unrevisedCacheSeconds: lifetimes.unrevisedCacheSeconds };
  const access = accessModule({
    ...revised,
    cacheSeconds,
    coversPermission,
    findTenantById: tenants.findTenantById,
    isActiveUser: users.isActiveUser,
    findMembership: memberships.findMembership,
    findServiceAccount: serviceAccounts.findServiceAccount,
    findRoles: roles.findRoles,
    entitlementsOf: subscriptions.entitlementsOf,
  });
  events.onChange(/^user\.(created|updated)$/, access.forgetUsers);
  events.onChange(/^resource\./, resources.forgetResources);

  // --- the protocol
  const pages = openPages(options.viewsDirectory);
  const answerError = errorAnswerer(pages);
  const browsers = browserIds({ https: issuer.startsWith('https:') });
  const signingKeys = signingKeysModule({ ...base, sealing: keyRing.sealing });
  await signingKeys.ensureIndexes();
  const oidc = oidcModule(
    {
      ...base,
      ...revised,
      onChange: events.onChange,
      ...{ issuer, log, keyRing, pages, access, lifetimes, cacheSeconds, limits, answerError },
      browserIds: browsers,
      cookieKeys: options.cookieKeys,
      hashSecret: clients.hashSecret,
      findClient: clients.findClient,
      findServiceAccount: serviceAccounts.findServiceAccount,
      listApiKeys: serviceAccounts.listApiKeys,
      findUserById: users.findUserById,
      isActiveUser: users.isActiveUser,
      confirmSignIn: users.confirmSignIn,
      findResource: resources.findResource,
      findConsent: consents.findConsent,
      findTenantBySlug: tenants.findTenantBySlug,
      findTenantsByIds: tenants.findTenantsByIds,
      listMembershipsOfUser: memberships.listMembershipsOfUser,
    },
    await signingKeys.openSigningKeys(),
  );

  // --- with what people prove themselves; a new password ends what the former one opened
  const credentials = await credentialsModule({
    ...base,
    ...{ log, keyRing, passwords: policy.passwords, attempts: policy.signInAttempts },
    setCredentialsChangedAt: users.setCredentialsChangedAt,
    endAllOf: oidc.endings.endAllOf,
  });

  // --- how tenants are governed
  const ofTenants = { tenants, newTenant, tenantTypes, reservedSlugs, platformSlug };
  const administration = administrationModule({
    ...base,
    ...ofTenants,
    noTenant,
    ...{ templates, memberships, serviceAccounts, clients, endings: oidc.endings },
    roles: { ...roles, builtInRoles },
    deletionGraceSeconds: lifetimes.deletionGraceSeconds,
    isPlan: subscriptions.isPlan,
    findUserById: users.findUserById,
    findUserByEmail: users.findUserByEmail,
    listResources: resources.listResources,
  });

  // --- pages and what else answers
  const forms = createForms({ issuer, hash: keyRing.hashFor('csrf'), limits, browserIds: browsers });
  const signIn = signInModule({
    ...base,
    ...{ issuer, pages, forms, browserIds: browsers, interactions: oidc.interactions },
    findUserByEmail: users.findUserByEmail,
    findUserById: users.findUserById,
    verifyPassword: credentials.verifyPassword,
    beginAttempt: credentials.beginAttempt,
    inLine: credentials.inLine,
    knownDevices: credentials.knownDevices,
    findTenantById: tenants.findTenantById,
    findTenantsByIds: tenants.findTenantsByIds,
    listMembershipsOfUser: memberships.listMembershipsOfUser,
    rememberPick: memberships.rememberPick,
    findRolesIn: roles.findRolesIn,
    findResource: resources.findResource,
    grantConsent: consents.grantConsent,
    denyConsent: consents.denyConsent,
  });
  const health = healthModule({ checks: { database: database.ping }, isDraining: options.isDraining });
  const seeding = seedingModule({
    ...base,
    ...ofTenants,
    ...{ users, memberships, resources, serviceAccounts, credentials },
    getTemplate: templates.getTemplate,
    roles: { ...roles, builtInRoleKeys: builtInRoles.map((role) => role.key) },
    clients: { ...clients, checkClient: oidc.checkClient },
    isPlan: subscriptions.isPlan,
    knownScopes: oidc.scopes,
    passwordLength: { minimum: policy.passwords.minimumLength, maximum: policy.passwords.maximumLength },
  });

  await ensureIndexes(database, [events, templates, clients, credentials, oidc]);

  const koa = new Koa();
  koa.on('error', (error) => log.debug({ err: error as Error }, 'connection failed')); // a browser that went away
  koa.proxy = true; // the headers it then believes are written by the edge
  koa.keys = new Keygrip([...options.cookieKeys], 'sha256');
  koa.use(keepCookiesAtHome);
  koa.use(answerErrors(log, answerError));
  koa.use(oidc.answerOtherMethods);
  const routers = [assetsRoutes(pages), health.router, signIn.router];
  for (const router of routers) {
    koa.use(router.routes());
    koa.use(router.allowedMethods());
  }
  const listener = createListener({
    ...{ log, protocol: oidc.protocol, pages: koa.callback() },
    edge: { issuer, trustedProxies: options.trustedProxies, limits },
    limits: createAddressLimits({
      limits: policy.addressLimits,
      factor: options.rateLimitFactor,
      redis: options.redis,
    }),
    requestsInFlight: limits.requestsInFlight,
    headers: securityHeaders({ https: issuer.startsWith('https:') }),
  });
  const routes = [...oidc.routes, ...routers.flatMap(routesOf)];
  return {
    ...{ listener: withLastResort(log, listener), routes, seeding, administration },
    useSigningKeys: oidc.useSigningKeys,
  };
}

function routesOf(router: Router): Route[] {
  return router.stack.map(({ path, methods }) => ({ path: String(path), methods }));
}

async function ensureIndexes(
  database: Database,
  modules: readonly { ensureIndexes(): Promise<void> }[],
): Promise<void> {
  for (const model of Object.values(database.connection.models)) await model.createIndexes();
  for (const module of modules) await module.ensureIndexes();
}
