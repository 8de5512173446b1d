// Somebody who let in thousands of apps, or a thief who did: all of them end in one change.
import { expect } from 'chai';
import { operator } from '../support/administered.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { userIdOf } from '../support/mail-links.js';
import { closeApps, startApp } from '../support/start-app.js';

const count = 5000;

describe('many grants of one person', function () {
  this.timeout(60_000);
  afterEach(closeApps);

  it('end together with the password by which they were got', async () => {
    const running = await startApp({ seed: contractSeed });
    const { app, database } = running;
    const userId = await userIdOf(running, ada.email);
    const grants = database.collection<{ _id: string }>('oidc_grants');
    const expiresAt = new Date(Date.now() + 3_600_000);
    const ofApp = { accountId: userId, clientId: 'web', tenantId: 'ten_1', offline: true, payload: '{}', expiresAt };
    const grantAt = (index: number) => ({ _id: `grant-${index}`, sessionUid: `session-${index}`, ...ofApp });
    await grants.insertMany(Array.from({ length: count }, (_, index) => grantAt(index)));
    await app.administration.setUserPassword(operator, userId, { password: 'nine lives of a black cat' });
    expect(await grants.countDocuments({ endedAt: { $exists: false } })).to.equal(0);
    const events = database.collection('events');
    expect(await events.countDocuments({ type: 'grant.revoked', actor: operator.actor })).to.equal(count);
  });
});
