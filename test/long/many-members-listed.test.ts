// A page of the members of a tenant with very many, beside a token for a service in the same process and run.
import { expect } from 'chai';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { quantile } from '../support/paired-times.js';
import { tenantIdOf } from '../support/administered.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { post } from '../http/requests.js';
import { apiOf, roleSeed, type Api } from '../management/api.js';

const many = 100_000;
/** Until the compiler is done with both. */
const warmUpRounds = 4;
const rounds = 15;
const requestsOfRound = 300;
const atOnce = 8;

describe('a page of very many members', function () {
  this.timeout(600_000);
  afterEach(closeApps);

  /** Twenty people, who are on the first page, and very many more members after them. */
  async function fill({ app, database }: RunningApp, tenantId: string): Promise<void> {
    const people = Array.from({ length: 20 }, (_, index) => ({
      ...{ email: `member-${index}@example.com`, emailVerified: true, name: `Member ${index}` },
      memberships: [{ tenant: 'acme', roles: ['member'] }],
    }));
    await app.seeding.applySeed({ users: people });
    const memberships = database.collection<{ _id: string }>('memberships');
    for (let first = 0; first < many; first += 1000) {
      const numbers = Array.from({ length: 1000 }, (_, index) => first + index);
      const at = { createdAt: new Date(), pickedAt: null };
      await memberships.insertMany(
        numbers.map((number) => ({
          _id: `mem_${number}`,
          tenantId,
          userId: `usr_z${number}`,
          roles: ['member'],
          ...at,
        })),
      );
    }
  }

  async function perSecond(work: () => Promise<void>): Promise<number> {
    let left = requestsOfRound;
    const startedAt = performance.now();
    const line = async (): Promise<void> => {
      while (left-- > 0) await work();
    };
    await Promise.all(Array.from({ length: atOnce }, line));
    return requestsOfRound / ((performance.now() - startedAt) / 1000);
  }

  it(`of ${many} is answered at least half as often as a token is given`, async () => {
    const running = await startApp({ seed: roleSeed });
    const acme = await tenantIdOf(running, 'acme');
    await fill(running, acme);
    const owner: Api = await apiOf(running, 'acme-owner');
    const page = async (): Promise<void> => {
      const { status, json } = await owner.call('GET', `/tenants/${acme}/members?limit=20`);
      const named = (json['items'] as { email: string | null }[]).filter(({ email }) => email !== null);
      expect([status, named.length]).to.deep.equal([200, 20]);
    };
    const token = async (): Promise<void> => {
      const form = { grant_type: 'client_credentials', resource: projectsApi };
      expect((await post(running.issuer, 'token', form, ['acme-ci', ciKey])).status).to.equal(200);
    };
    const rates: { page: number; token: number }[] = [];
    for (let round = 0; round < warmUpRounds + rounds; round++)
      rates.push({ page: await perSecond(page), token: await perSecond(token) });
    const measured = rates.slice(warmUpRounds);
    const median = (of: (round: (typeof rates)[number]) => number): number => quantile(measured.map(of), 0.5);
    const ratio = median(({ page, token }) => page / token);
    const [pages, tokens] = [median((round) => round.page), median((round) => round.token)];
    console.log(`      ${pages.toFixed(0)} pages/s, ${tokens.toFixed(0)} tokens/s, ratio ${ratio.toFixed(2)}`);
    expect(ratio).to.be.greaterThan(0.5);
  });
});
