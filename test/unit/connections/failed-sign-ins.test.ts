import { expect } from 'chai';
import { failedSignIns } from '../../../src/connections/failed-sign-ins.js';
import type { EventDraft } from '../../../src/events/index.js';
import type { InTransaction, Tx } from '../../../src/platform/mongo/transactions.js';

describe('what is recorded of sign-ins that ended with nobody', () => {
  const inTransaction: InTransaction = (work) => work({} as Tx);
  const limits = { recordedFailures: 3, recordedFailuresSeconds: 600 };
  const corp = { id: 'con_1', tenantId: 'ten_1' };
  let now: Date;
  let events: EventDraft[];
  beforeEach(() => {
    now = new Date('2026-11-27T12:00:00.000Z');
    events = [];
  });
  const opened = () =>
    failedSignIns({
      ...{ inTransaction, now: () => now, limits },
      recordEvent: async (_tx, event) => void events.push(event),
    });

  it('is no more than so many of each kind and connection, and the last says until when', async () => {
    const record = opened();
    const flood = Array.from({ length: 1000 }, () => record(corp, { clientId: 'web', failure: 'denied' }));
    await Promise.all(flood);
    const about = { type: 'connection.sign_in_failed', tenantId: 'ten_1', subjectId: 'con_1' };
    const data = { clientId: 'web', failure: 'denied' };
    const event = { ...about, actor: { kind: 'system', reason: 'protocol' }, data };
    const until = '2026-11-27T12:10:00.000Z';
    expect(events).to.deep.equal([event, event, { ...event, data: { ...data, until } }]);
    await record(corp, { clientId: 'web', failure: 'invalid' });
    await record({ ...corp, id: 'con_2' }, { clientId: 'web', failure: 'denied' });
    expect(events).to.have.length(5);
  });

  it('goes on after a while, and not sooner', async () => {
    const record = opened();
    const fail = (): Promise<void> => record(corp, { clientId: 'web', failure: 'denied' });
    for (const _ of [1, 2, 3, 4]) await fail();
    now = new Date(now.getTime() + 599_999);
    await fail();
    expect(events).to.have.length(3);
    now = new Date(now.getTime() + 1);
    await fail();
    expect(events).to.have.length(4);
  });
});
