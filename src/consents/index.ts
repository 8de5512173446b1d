/**
 * What people allowed third-party clients, remembered beyond one session. Owns the `consents` collection.
 * What one sign-in then allows is the grant's matter (oidc).
 */
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import { createConsentStore, type Consent } from './consent-store.js';

export type { Consent } from './consent-store.js';

export interface ConsentsModule {
  findConsent(tenantId: string, userId: string, clientId: string): Promise<string[]>;
  grantConsent(consent: Consent): Promise<void>;
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
