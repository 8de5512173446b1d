import { randomBytes } from 'node:crypto';
import type { RunningApp } from './start-app.js';

/** After a test has changed rows by hand: raises the revisions, and makes the app read them. */
export async function dropCaches({ app, database }: Pick<RunningApp, 'app' | 'database'>): Promise<void> {
  await database.collection('revisions').updateMany({}, { $inc: { revision: 1 } });
  const slug = `other-${randomBytes(6).toString('hex')}`;
  await app.seeding.applySeed({
    tenants: [{ slug, name: 'Other', type: 'team' }],
    users: [{ email: `${slug}@example.com`, memberships: [] }],
  });
}
