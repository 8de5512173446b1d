import { expect } from 'chai';
import type { Tenant } from '../../src/tenants/index.js';
import { newUsers, operator, outcomeOf, tenantIdOf } from '../support/administered.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

type StoredTenant = Omit<Tenant, 'id'> & { _id: string };
const plainClient = { client_secret: 'x'.repeat(32), redirect_uris: [], grant_types: [], response_types: [] };

describe('the deletion of tenants', () => {
  let running: RunningApp;
  let ownerId: string;
  beforeEach(async () => {
    running = await startApp();
    [ownerId = ''] = await newUsers(running, 1);
  });
  afterEach(closeApps);

  const create = (slug: string): Promise<Tenant> =>
    running.app.administration.createTenant(operator, { slug, name: 'New', type: 'team', ownerId });
  const eventsOf = async (tenantId: string): Promise<string[]> => {
    const found = running.database.collection<{ type: string }>('events').find({ tenantId });
    return (await found.toArray()).map(({ type }) => type);
  };

  it('sec-014 a deleted tenant goes with all it owns, and neither its id nor its slugs come back', async () => {
    let now = Date.now();
    const later = await startApp({ sharedWith: running, now: () => new Date(now) });
    const { administration } = later.app;
    const id = await tenantIdOf(running, 'acme');
    expect(await administration.deleteDueTenants()).to.equal(0);
    await administration.changeStatus(operator, id, 'archived');
    expect(await administration.deleteDueTenants(), 'within the grace period').to.equal(0);
    now += 31 * 86_400_000;
    expect(await administration.deleteDueTenants()).to.equal(1);
    for (const name of ['memberships', 'roles', 'service_accounts', 'api_keys', 'consents', 'clients'])
      expect(await running.database.collection(name).countDocuments({ tenantId: id }), name).to.equal(0);
    expect(await running.database.collection('oidc_grants').countDocuments({ tenantId: id, endedAt: null })).to.equal(
      0,
    );
    expect(await outcomeOf(create('acme'))).to.equal('409 tenant.slug_taken');
    expect(await outcomeOf(administration.changeStatus(operator, id, 'active'))).to.equal('404 tenant.not_found');
    expect(await administration.deleteDueTenants(), 'once and for all').to.equal(0);
    expect(await eventsOf(id)).to.include.members(['tenant.archived', 'tenant.deleted']);
  });

  it('processes that delete at the same time do not hinder each other', async () => {
    let now = Date.now();
    const later = { sharedWith: running, now: () => new Date(now) };
    const others = [await startApp(later), await startApp(later)];
    const ids = await Promise.all(Array.from({ length: 10 }, async (_, index) => (await create(`going-${index}`)).id));
    for (const id of ids) await running.app.administration.changeStatus(operator, id, 'archived');
    now += 31 * 86_400_000;
    await Promise.all(others.map(({ app }) => app.administration.deleteDueTenants()));
    expect(await running.database.collection('memberships').countDocuments({ tenantId: { $in: ids } })).to.equal(0);
    const gone = { status: 'deleted', deleteAfter: null };
    expect(await running.database.collection('tenants').countDocuments(gone)).to.equal(10);
  });

  it('a seed does not bring a deleted tenant back, nor anything into it', async () => {
    let now = Date.now();
    const later = await startApp({ sharedWith: running, now: () => new Date(now) });
    const { id } = await create('gone');
    await running.app.administration.changeStatus(operator, id, 'archived');
    now += 31 * 86_400_000;
    await later.app.administration.deleteDueTenants();
    const tenant = { slug: 'gone', name: 'Gone', type: 'team', roles: [{ key: 'own', permissions: [] }] };
    const memberships = [{ tenant: 'gone', roles: ['owner'] }];
    for (const seed of [
      { tenants: [tenant] },
      { clients: [{ ...plainClient, client_id: 'of-gone', tenant: 'gone' }] },
      { users: [{ email: 'new@example.com', memberships }] },
    ]) {
      const refused: unknown = await running.app.seeding
        .applySeed(seed as never)
        .catch((error: Error) => error.message);
      expect(refused).to.match(/is not given again|names no tenant/);
    }
    expect(await running.database.collection('roles').countDocuments({ tenantId: id })).to.equal(0);
  });

  it('an archived tenant that is made active in time stays, whatever runs at that moment', async () => {
    let now = Date.now();
    const later = await startApp({ sharedWith: running, now: () => new Date(now) });
    const { administration } = later.app;
    for (let round = 0; round < 20; round++) {
      const { id } = await create(`round-${round}`);
      await administration.changeStatus(operator, id, 'archived');
      now += 31 * 86_400_000;
      const [revived] = await Promise.all([
        outcomeOf(administration.changeStatus(operator, id, 'active')),
        administration.deleteDueTenants(),
      ]);
      const members = await running.database.collection('memberships').countDocuments({ tenantId: id });
      const stored = await running.database.collection<StoredTenant>('tenants').findOne({ _id: id });
      if (revived === 'done') expect([stored?.status, members]).to.deep.equal(['active', 1]);
      else expect([revived, stored?.status, members]).to.deep.equal(['404 tenant.not_found', 'deleted', 0]);
    }
  });
});
