/**
 * Composition root: the one file that knows every slice. Read top to bottom; a part uses only what stands above it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connectionPresets } from '../config/connection-presets.js';
import { plans } from '../config/plans.js';
import { reservedSlugs } from '../config/reserved-slugs.js';
import { templates as builtInTemplates } from '../config/templates.js';
import { tenantTypes } from '../config/tenant-types.js';
import type { AppOptions } from './app-options.js';
import { accountClient, accountClientId, accountModule } from './account/index.js';
import { accessModule } from './access/index.js';
import { accountsModule, type AccountsModule } from './accounts/index.js';
import { actionLinksModule } from './action-links/index.js';
import { administrationModule, parsed, schemas, type AdministrationModule } from './administration/index.js';
import { clientsModule } from './clients/index.js';
import { connectionsModule, isWayIn, mappedRoles, vouchesFor } from './connections/index.js';
import { consentsModule } from './consents/index.js';
import { assurance, credentialsModule, factorsModule, type CredentialsModule } from './credentials/index.js';
import { challengeOf, domainsModule, homeRealms, parseDomainName, problemOfPublicName } from './domains/index.js';
import { eventsModule } from './events/index.js';
import { healthModule } from './health/index.js';
import { identitiesModule } from './identities/index.js';
import { invitationsModule } from './invitations/index.js';
import { managementModule, managementResource, type ManagementModule } from './management/index.js';
import { logoOf, logosModule } from './logos/index.js';
import { membershipsModule } from './memberships/index.js';
import { oidcModule, type OidcModule } from './oidc/index.js';
import { createDataKeyStore } from './platform/crypto/data-key-store.js';
import { openKeyRing } from './platform/crypto/key-ring.js';
import { createEgress } from './platform/egress/egress.js';
import { errorAnswerer } from './platform/http/answer-error.js';
import { clientCertificates } from './platform/http/client-certificates.js';
import { assetsRoutes } from './platform/http/assets-routes.js';
import { browserIds } from './platform/http/browser-id.js';
import { createForms } from './platform/http/forms.js';
import { lastingCookies } from './platform/http/lasting-cookies.js';
import { openPages } from './platform/http/pages.js';
import { withLastResort } from './platform/http/last-resort.js';
import { createListener } from './platform/http/listener.js';
import { pagesApplication, type Route } from './platform/http/pages-application.js';
import { securityHeaders } from './platform/http/security-headers.js';
import { createAddressLimits, createQuota } from './platform/limits/address-limits.js';
import { openCatalogues } from './platform/i18n/catalogues.js';
import { openMailTemplates } from './platform/mail/mail-templates.js';
import { createOutbox, type Outbox } from './platform/mail/outbox.js';
import { ensureIndexes } from './platform/mongo/ensure-indexes.js';
import { inTransactionOf } from './platform/mongo/transactions.js';
import { requiredActionsModule } from './required-actions/index.js';
import { resourcesModule } from './resources/index.js';
import { builtInRoles, coversPermission, permissionsOf, rolesModule } from './roles/index.js';
import { seedingModule, type SeedingModule } from './seeding/index.js';
import { clientOf, isLiveKey, newApiKeySecret, serviceAccountsModule, withApiKeys } from './service-accounts/index.js';
import { invitationClient, signInModule } from './sign-in/index.js';
import { signingKeysModule } from './signing-keys/index.js';
import { subscriptionsModule } from './subscriptions/index.js';
import { templatesModule } from './templates/index.js';
import { newTenant, noBranding, noTenant, platformSlug, tenantsModule, withAllSettings } from './tenants/index.js';
import type { Tenant } from './tenants/index.js';
import { usersModule } from './users/index.js';

export interface App {
  /** For an HTTP server; answers every request, also those it refuses. */
  listener(req: IncomingMessage, res: ServerResponse): unknown;
  /** Every path that is answered, for the tests that go through all of them. */
  routes: readonly Route[];
  mail: Pick<Outbox, 'deliverDue' | 'start' | 'stop'>;
  logouts: OidcModule['logouts'];
  /** Those of the management API, as data. */
  operations: ManagementModule['operations'];
  seeding: SeedingModule;
  administration: AdministrationModule;
  forgetFormerPasswords: CredentialsModule['forgetFormerPasswords'];
  accounts: AccountsModule;
  useSigningKeys: OidcModule['useSigningKeys'];
}

export async function createApp(options: AppOptions): Promise<App> {
  const { issuer, policy, database, log, now } = options;
  const { lifetimes, limits } = policy;
  const cacheSeconds = lifetimes.decisionCacheSeconds;

  // --- ground: keys, transactions, events, the way out
  const keyRing = await openKeyRing(options.masterKeys, createDataKeyStore(database));
  const inTransaction = inTransactionOf(database);
  const events = eventsModule({ database, cacheSeconds, now });
  const egress = createEgress({ ...options.egress, limits: policy.outbound, log });
  const base = { database, inTransaction, recordEvent: events.recordEvent, now };

  // --- what is said to people, in their language
  const catalogues = openCatalogues(options.localesDirectory);
  const mail = createOutbox({
    ...{ ...base, sealing: keyRing.sealing, log, transport: options.mail, rules: policy.mail },
    render: openMailTemplates(options.viewsDirectory, issuer, catalogues),
  });

  // --- who and what there is
  const subscriptions = subscriptionsModule({ plans });
  const templates = templatesModule({ ...base, builtIn: builtInTemplates, withAllSettings });
  const tenants = tenantsModule({ ...base, tenantTypes, limitsOfPlan: subscriptions.limitsOfPlan });
  const logos = logosModule({ ...base, showsLogo: [tenants.showsLogo, templates.showsLogo] });
  const seats = { takeSeat: tenants.takeSeat, releaseSeat: tenants.releaseSeat };
  const users = usersModule({ ...base, keyRing });
  const memberships = membershipsModule({ ...base, ...seats });
  const roles = rolesModule(base);
  const resources = resourcesModule({ ...base, cacheSeconds, builtIn: [managementResource(issuer)] });
  const clients = clientsModule({
    ...base,
    keyRing,
    builtIn: [invitationClient(issuer), accountClient(issuer, options.signUp === 'open')],
  });
  const serviceAccounts = serviceAccountsModule({ ...base, ...seats, log, clients });
  const consents = consentsModule(base);
  const invitations = invitationsModule({ ...base, keyRing });
  const identities = identitiesModule({ ...base, keyRing });
  const mayHaveConnections = ({ slug, plan, features }: Tenant): boolean =>
    slug === platformSlug || [...subscriptions.entitlementsOf(plan), ...features].includes('connections');
  const connections = connectionsModule({
    ...{ ...base, keyRing, log, issuer, cacheSeconds, platformSlug, mayHaveConnections, limits: policy.connections },
    fetch: createEgress({ ...options.egress, limits: policy.connections.outbound, log }).fetch,
    ...{ findTenantById: tenants.findTenantById, findTenantBySlug: tenants.findTenantBySlug },
  });
  const domains = domainsModule({ ...base, recheckSeconds: policy.domains.recheckSeconds });
  const realms = homeRealms({
    ...{ findVerifiedDomain: domains.findVerifiedDomain, isAnyDomainLeading: domains.isAnyDomainLeading },
    ...{ mayHaveConnections, cacheSeconds },
    ...{ findTenantById: tenants.findTenantById, findMembership: memberships.findMembership },
  });
  const actionLinks = actionLinksModule({ database, keyRing, now, rules: policy.actionLinks });

  // --- who may do what
  const revised = { revisionOf: events.revisionOf, unrevisedCacheSeconds: lifetimes.unrevisedCacheSeconds };
  const access = accessModule({
    ...{ ...revised, cacheSeconds, coversPermission, permissionsOf, platformSlug },
    findTenantById: tenants.findTenantById,
    ...{ isActiveUser: users.isActiveUser, findMembership: memberships.findMembership, findRoles: roles.findRoles },
    findServiceAccount: serviceAccounts.findServiceAccount,
    entitlementsOf: subscriptions.entitlementsOf,
  });
  events.onChange(
    /^user\.(created|updated|enabled|disabled|deleted|deletion_requested|deletion_cancelled)$/,
    access.forgetUsers,
  );
  events.onChange(/^resource\./, resources.forgetResources);
  events.onChange(/^connection\.(created|updated|deleted)$/, connections.forgetOffered);
  events.onChange(/^domain\./, realms.forgetHomeRealms);
  const { authorizationOf } = access;
  const acting = { platformSlug, cacheSeconds, authorizationOf, tenants, users, memberships };
  const requiredActions = requiredActionsModule({ ...base, ...acting });
  events.onChange(/^tenant\./, requiredActions.forgetPlatform);

  // --- with what people prove themselves beside a password
  const tenantsOfPerson = {
    listMembershipsOfUser: memberships.listMembershipsOfUser,
    findTenantsByIds: tenants.findTenantsByIds,
  };
  const factors = factorsModule({
    ...{ ...base, ...users, ...tenantsOfPerson },
    ...{ issuer, keyRing, limits: policy.factors, queueMail: mail.queueMail },
  });

  // --- the protocol
  const pages = openPages(options.viewsDirectory, catalogues);
  const answerError = errorAnswerer(pages);
  const cookies = lastingCookies({ https: issuer.startsWith('https:') });
  const browsers = browserIds({ https: issuer.startsWith('https:') });
  const signingKeys = signingKeysModule({ ...base, sealing: keyRing.sealing });
  await signingKeys.ensureIndexes();
  const certificates = options.clientCertificates && clientCertificates(options.clientCertificates, now);
  const oidc = oidcModule(
    {
      ...{ ...base, ...revised, onChange: events.onChange },
      ...{ issuer, log, keyRing, pages, access, lifetimes, cacheSeconds, limits, answerError },
      ...{ fetch: egress.fetch, clientKeys: policy.clientKeys, logouts: policy.logouts },
      ...{ accountClientId, browserIds: browsers, cookieKeys: options.cookieKeys },
      ...{ clientCertificates: certificates, hashSecret: clients.hashSecret, findClient: clients.findClient },
      ...{ findServiceAccount: serviceAccounts.findServiceAccount, listApiKeys: serviceAccounts.listApiKeys },
      ...{ isLiveKey, noteKeyUse: serviceAccounts.noteKeyUse },
      ...{ findUserById: users.findUserById, findFactorKinds: users.findFactorKinds },
      ...{ confirmSignIn: users.confirmSignIn, remains: [users.forgetTrustedBrowsers, actionLinks.forgetWaysIn] },
      ...{ isOpenInvitation: invitations.isOpenInvitation, queueMail: mail.queueMail },
      findRequiredActions: requiredActions.findRequiredActions,
      ...{ assurance, freshSeconds: policy.factors.freshSeconds },
      everybodysLevel: policy.factors.everybodysLevel === 2 ? 'aal2' : 'aal1',
      ...{ findResource: resources.findResource, findConsent: consents.findConsent },
      ...{ ...tenantsOfPerson, findTenantBySlug: tenants.findTenantBySlug },
      ...{ findIdentity: identities.findIdentity, findConnection: connections.findConnection, isWayIn },
      findDomain: domains.findDomain,
      refusesEmailCodes: factors.refusesEmailCodes,
    },
    await signingKeys.openSigningKeys(),
  );

  // --- passwords: a new one ends what the former one opened
  const credentials = await credentialsModule({
    ...base,
    ...{ forgetFactors: factors.forgetFactors, forgetIdentities: identities.forgetIdentitiesOf },
    ...{ log, keyRing, passwords: policy.passwords, attempts: policy.signInAttempts },
    setCredentialsChangedAt: users.setCredentialsChangedAt,
    ...{ ...tenantsOfPerson, endAllOf: oidc.endings.endAllOf, endOthersOf: oidc.endings.endOthersOf },
    ...{ serviceNames: ['Gatehouse', new URL(issuer).hostname], passwordBlockList: options.passwordBlockList },
  });

  // --- how tenants are governed
  const ofTenants = { tenants, newTenant, tenantTypes, reservedSlugs, platformSlug };
  const administration = administrationModule({
    ...base,
    ...ofTenants,
    ...{ noTenant, noBranding, logos },
    ...{ templates, memberships, serviceAccounts, clients, users, resources, invitations, credentials },
    ...{ domains, parseDomainName, challengeOf, mappedRoles, isWayIn, domainRules: policy.domains },
    ...{ lookupText: options.lookupText, problemOfDomainName: problemOfPublicName },
    ...{ endings: oidc.endings, sessions: oidc.sessions, checkClient: oidc.checkClient },
    ...{ renewSession: oidc.currentSessions.renewSession, portal: policy.portal },
    ...{ withApiKeys, newApiKeySecret, isLiveKey, clientOfServiceAccount: clientOf },
    ...{ apiKeys: policy.apiKeys, invitationLimits: policy.invitations },
    ...{ permissionsOf, authorizationOf: access.authorizationOf, links: actionLinks },
    ...{ connections, connectionPresets, connectionLimits: policy.connections, mayHaveConnections },
    forgetIdentitiesOfConnection: identities.forgetIdentitiesOfConnection,
    ...{ roles: { ...roles, builtInRoles }, deletionGraceSeconds: lifetimes.deletionGraceSeconds, factors },
    ...{ isPlan: subscriptions.isPlan, entitlementsOf: subscriptions.entitlementsOf },
    ...{ findUserById: users.findUserById, findUserByEmail: users.findUserByEmail },
    ...{ forgetConsents: consents.forgetConsents, listResources: resources.listResources },
    problemOfOutboundUri: egress.problemOfUri,
    ...{ queueMail: mail.queueMail, inEnglish: catalogues('en').t },
  });
  const accounts = accountsModule({
    ...base,
    ...{ users, credentials, factors, links: actionLinks, createPersonalTenant: administration.createPersonalTenant },
    ...{ identities, connections, vouchesFor, mappedRoles, findDomainVouching: administration.findDomainVouching },
    ...{ endOthersOf: oidc.endings.endOthersOf, maySignInWith: realms.maySignInWith },
    joinByDomainIn: administration.joinByDomainIn,
    ...{ findMembership: memberships.findMembership, setMembershipRoles: memberships.setMembershipRoles },
    listMembershipsOfUser: memberships.listMembershipsOfUser,
    ...{ findTenantBySlug: tenants.findTenantBySlug, platformSlug },
    ...{ signUp: options.signUp, offersSignUp: clients.offersSignUp },
    ...policy.accounts,
    queueMail: mail.queueMail,
  });
  const perSubject = { name: 'management', points: policy.management.requestsPerSecond, seconds: 1 };
  const perAddress = { name: 'management-refusals', points: policy.management.refusalsPerMinute, seconds: 60 };
  const counting = { factor: options.rateLimitFactor, redis: options.redis };
  const management = managementModule({
    ...base,
    ...{ issuer, keyRing, administration, schemas, parsed, tenants, tenantTypes, memberships, serviceAccounts },
    ...{ clients, invitations, domains, challengeOf, users, resources, templates },
    ...{ sessions: oidc.sessions, limits: policy.management, accounts, identities },
    ...{ factors, cacheSeconds, publicKeys: oidc.publicKeys, findBearer: oidc.findBearer },
    ...{ connections, connectionPresets: Object.keys(connectionPresets) },
    certificateOf: (req) => certificates?.presentedBy(req),
    ...{ quota: createQuota(perSubject, counting), refusals: createQuota(perAddress, counting) },
    roles: { ...roles, builtInRoles },
    entitlementsOf: subscriptions.entitlementsOf,
  });

  // --- pages and what else answers
  const forms = createForms({ issuer, hash: keyRing.hashFor('csrf'), limits, browserIds: browsers });
  const { verifyPassword, beginAttempt, inLine, knownDevices } = credentials;
  const signIn = signInModule({
    ...base,
    ...{ issuer, pages, forms, browserIds: browsers, interactions: oidc.interactions, factors, assurance },
    ...{ findUserByEmail: users.findUserByEmail, findUserById: users.findUserById },
    ...{ verifyPassword, beginAttempt, inLine, knownDevices, cookies, freshSeconds: policy.factors.freshSeconds },
    ...{ findTenantById: tenants.findTenantById, findTenantsByIds: tenants.findTenantsByIds },
    ...{ listMembershipsOfUser: memberships.listMembershipsOfUser, rememberPick: memberships.rememberPick },
    ...{ findRolesIn: roles.findRolesIn, findResource: resources.findResource },
    ...{ grantConsent: consents.grantConsent, denyConsent: consents.denyConsent },
    ...{ getOpenInvitation: administration.getOpenInvitation, acceptInvitation: administration.acceptInvitation },
    ...{ homeRealms: realms, joinByDomain: administration.joinByDomain },
    findDomainVouching: administration.findDomainVouching,
    ...{ accounts, connections, passwordRulesFor: credentials.passwordRulesFor, formLimits: limits },
    ...{ requiredActions, changeOwnProfile: administration.changeOwnProfile },
    ...{ ...revised, cacheSeconds, findTenantBySlug: tenants.findTenantBySlug, accountClientId },
  });
  const account = accountModule({
    ...{ ...base, ...policy.portal, ...oidc.currentSessions },
    ...{ issuer, pages, forms, cookies, administration, accounts, browserIds: browsers, connections, identities },
    ...{ sessions: oidc.sessions, endings: oidc.endings, factors, assurance, sealing: keyRing.sealing },
    ...{ credentials, consents, events, invitations, memberships, tenants, clients, roles, resources },
  });
  const health = healthModule({ checks: { database: database.ping }, isDraining: options.isDraining });
  const seeding = seedingModule({
    ...base,
    ...ofTenants,
    ...{ logos, logoOf },
    ...{ users, memberships, resources, serviceAccounts, clientOfServiceAccount: clientOf, credentials },
    getTemplate: templates.getTemplate,
    ...{ connections, connectionPresets, mayHaveConnections, isWayIn, endAllOpenedBy: oidc.endings.endAllOpenedBy },
    roles: { ...roles, builtInRoleKeys: builtInRoles.map((role) => role.key) },
    clients: { ...clients, checkClient: oidc.checkClient },
    ...{ domains, parseDomainName, problemOfDomainName: problemOfPublicName },
    isPlan: subscriptions.isPlan,
    knownScopes: oidc.scopes,
    passwordLength: { minimum: policy.passwords.minimumLength, maximum: policy.passwords.maximumLength },
    problemOfOutboundUri: egress.problemOfUri,
  });

  await ensureIndexes(database, [
    ...[events, mail, templates, clients, credentials, factors],
    ...[actionLinks, connections, oidc, management],
  ]);

  const application = pagesApplication({
    ...{ cookieKeys: options.cookieKeys, log, answerError, first: oidc.answerOtherMethods },
    routers: [assetsRoutes(pages), logos.router, health.router, ...signIn.routers, account.router, management.router],
  });
  const listener = createListener({
    ...{ log, protocol: oidc.protocol, pages: application.handle },
    edge: {
      ...{ issuer, trustedProxies: options.trustedProxies, limits },
      certificateHeader: options.clientCertificates?.header,
    },
    limits: createAddressLimits({
      limits: policy.addressLimits,
      factor: options.rateLimitFactor,
      redis: options.redis,
    }),
    requestsInFlight: limits.requestsInFlight,
    headers: securityHeaders({ https: issuer.startsWith('https:') }),
  });
  const routes = [...oidc.routes, ...application.routes];
  return {
    ...{ listener: withLastResort(log, listener), routes, seeding, administration, accounts },
    ...{ operations: management.operations, mail, logouts: oidc.logouts },
    forgetFormerPasswords: credentials.forgetFormerPasswords,
    useSigningKeys: oidc.useSigningKeys,
  };
}
