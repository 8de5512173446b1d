/**
 * Domains of e-mail addresses that tenants say are theirs, and which of them it is shown for: whose a verified one is
 * decided by a unique index. Owns the `domains` collection. It does not decide who may have one (administration), nor
 * what a verified one is good for (sign-in).
 */
import type { Actor } from '../kernel/actor.js';
import { secondsAfter, type Clock } from '../kernel/time.js';
import type { EventDraft, RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { newId } from '../kernel/ids.js';
import { randomSecret } from '../kernel/secret.js';
import { createDomainStore } from './domain-store.js';
import { unruled, type Domain, type DomainRules } from './domain.js';

export type { Domain, DomainRules } from './domain.js';
export type { HomeRealm, HomeRealms } from './home-realm.js';
export type { ProblemOfName } from './public-names.js';
export { challengeOf, parseDomainName } from './domain.js';
export { homeRealms } from './home-realm.js';
export { problemOfPublicName } from './public-names.js';

export interface DomainsModule {
  /** Not stored yet: unverified, and good for nothing. */
  newDomain(tenantId: string, name: string): Domain;
  /** Throws a duplicate key error when the tenant has it already. */
  createDomain(tx: Tx, actor: Actor, domain: Domain): Promise<void>;
  findDomain(tenantId: string, id: string, tx?: Tx): Promise<Domain | null>;
  findDomainByName(tenantId: string, name: string): Promise<Domain | null>;
  listDomains(tenantId: string, page: Page): Promise<Domain[]>;
  countDomains(tx: Tx, tenantId: string): Promise<number>;
  isConnectionNamed(tx: Tx, tenantId: string, connectionId: string): Promise<boolean>;
  /** Of whichever tenant it is. */
  findVerifiedDomain(name: string): Promise<Domain | null>;
  isAnyDomainLeading(): Promise<boolean>;
  /** Throws a duplicate key error while it is verified for another tenant. */
  setDomainVerified(tx: Tx, actor: Actor, domain: Domain, by: NonNullable<Domain['verifiedBy']>): Promise<void>;
  setDomainRules(tx: Tx, actor: Actor, domain: Domain, rules: DomainRules): Promise<void>;
  /** Its record was looked for and not found; what is verified stays so. */
  setDomainMissing(tx: Tx, actor: Actor, domain: Domain): Promise<void>;
  /** It is due once more, until it is said to be settled. */
  setDomainUnverified(tx: Tx, actor: Actor, domain: Domain): Promise<void>;
  /** Of one that is not verified: nothing is left to be done for that. */
  setDomainSettled(tenantId: string, id: string): Promise<void>;
  deleteDomain(tx: Tx, actor: Actor, domain: Domain): Promise<void>;
  /** One whose record is to be looked for again, or that was lost and is not settled, given to one who asks; null: none is due. */
  takeDueDomain(): Promise<Domain | null>;
}

export function domainsModule(deps: {
  database: Database;
  recordEvent: RecordEvent;
  now: Clock;
  /** After which the record of a verified one is looked for again. */
  recheckSeconds: number;
}): DomainsModule {
  const store = createDomainStore(deps.database);
  const record = (tx: Tx, type: EventDraft['type'], actor: Actor, { tenantId, id }: Domain): Promise<void> =>
    deps.recordEvent(tx, { type, tenantId, actor, subjectId: id });
  const checkNow = () => ({ at: deps.now(), recheckAt: secondsAfter(deps.now(), deps.recheckSeconds) });
  return {
    newDomain: (tenantId, name) => ({
      ...{ id: newId('dom'), tenantId, name, token: randomSecret(), ...unruled, createdAt: deps.now() },
      ...{ verifiedAt: null, verifiedBy: null, checkedAt: null, missingSince: null },
    }),
    async createDomain(tx, actor, domain) {
      await store.insert(tx, domain);
      await record(tx, 'domain.created', actor, domain);
    },
    findDomain: store.find,
    findDomainByName: store.findByName,
    listDomains: store.list,
    countDomains: store.count,
    isConnectionNamed: store.isConnectionNamed,
    findVerifiedDomain: store.findVerified,
    isAnyDomainLeading: store.isAnyLeading,
    async setDomainVerified(tx, actor, domain, by) {
      await store.setVerified(tx, domain, by, checkNow());
      if (domain.verifiedAt === null) await record(tx, 'domain.verified', actor, domain);
    },
    async setDomainRules(tx, actor, domain, rules) {
      await store.setRules(tx, domain, rules);
      await record(tx, 'domain.updated', actor, domain);
    },
    async setDomainMissing(tx, actor, domain) {
      await store.setMissing(tx, domain, deps.now());
      await record(tx, 'domain.record_missing', actor, domain);
    },
    async setDomainUnverified(tx, actor, domain) {
      await store.setUnverified(tx, domain);
      await record(tx, 'domain.verification_lost', actor, domain);
    },
    setDomainSettled: store.setSettled,
    async deleteDomain(tx, actor, domain) {
      await store.remove(tx, domain);
      await record(tx, 'domain.deleted', actor, domain);
    },
    takeDueDomain: () => store.takeDue(checkNow()),
  };
}
