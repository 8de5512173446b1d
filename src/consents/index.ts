/**
 * What people allowed third-party clients, remembered beyond one session. Owns the `consents` collection.
 * What one sign-in then allows is the grant's matter (oidc).
 */
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { InTransaction, Tx } from '../platform/mongo/transactions.js';
import { createConsentStore, type Consent, type GivenConsent } from './consent-store.js';

export type { Consent, GivenConsent } from './consent-store.js';

export interface ConsentsModule {
  findConsent(tenantId: string, userId: string, clientId: string): Promise<string[]>;
  grantConsent(consent: Consent): Promise<void>;
  /** The newest first. */
  listConsentsOf(userId: string): Promise<GivenConsent[]>;
  /** What was granted on it is not ended by this. False: there is none. */
  revokeConsent(tx: Tx, consent: Omit<Consent, 'granted'>): Promise<boolean>;
  /** Of a person who has left the tenant. */
  forgetConsents(tx: Tx, tenantId: string, userId: string): Promise<void>;
  denyConsent(consent: Omit<Consent, 'granted'>): Promise<void>;
}

export interface ConsentsDeps {
  database: Database;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
}

export function consentsModule(deps: ConsentsDeps): ConsentsModule {
  const store = createConsentStore(deps.database);
  return {
    findConsent: (tenantId, userId, clientId) => store.find(tenantId, userId, clientId),
    async grantConsent(consent) {
      await deps.inTransaction(async (tx) => {
        await store.add(tx, consent, deps.now());
        await deps.recordEvent(tx, {
          type: 'consent.granted',
          tenantId: consent.tenantId,
          actor: { kind: 'user', userId: consent.userId },
          subjectId: consent.clientId,
          data: { granted: consent.granted },
        });
      });
    },
    listConsentsOf: store.listOfUser,
    async revokeConsent(tx, consent) {
      if (!(await store.remove(tx, consent))) return false;
      await deps.recordEvent(tx, {
        type: 'consent.revoked',
        tenantId: consent.tenantId,
        actor: { kind: 'user', userId: consent.userId },
        subjectId: consent.clientId,
      });
      return true;
    },
    forgetConsents: store.removeOf,
    async denyConsent({ tenantId, userId, clientId }) {
      await deps.inTransaction((tx) =>
        deps.recordEvent(tx, {
          type: 'consent.denied',
          tenantId,
          actor: { kind: 'user', userId },
          subjectId: clientId,
        }),
      );
    },
  };
}
