import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import type { Domain } from '../../src/domains/index.js';
import { challengeOf } from '../../src/domains/index.js';
import { operator, outcomeOf, tenantIdOf } from '../support/administered.js';
import { contractSeed } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const { recheckSeconds, graceSeconds } = policy.domains;
const enterprise = { type: 'enterprise', plan: 'enterprise' } as const;

describe('domains of tenants', () => {
  let running: RunningApp;
  let acme: string;
  let umbrella: string;
  let now: number;
  beforeEach(async () => {
    now = Date.now();
    const others = [
      { slug: 'umbrella', name: 'Umbrella', ...enterprise },
      { slug: 'small', name: 'Small', type: 'team' as const },
    ];
    const seed = { ...contractSeed, tenants: [...(contractSeed.tenants ?? []), ...others] };
    running = await startApp({ seed, now: () => new Date(now) });
    acme = await tenantIdOf(running, 'acme');
    umbrella = await tenantIdOf(running, 'umbrella');
  });
  afterEach(closeApps);

  const create = (tenantId: string, name: string): Promise<Domain> =>
    running.app.administration.createDomain(operator, tenantId, { name });
  const verify = ({ tenantId, id }: Domain): Promise<Domain> =>
    running.app.administration.verifyDomain(operator, { tenantId, domainId: id });
  const read = ({ tenantId, id }: Domain): Promise<Domain> =>
    running.app.administration.getDomain({ tenantId, domainId: id });
  const recheck = (): Promise<number> => running.app.administration.recheckDomains();
  /** Beside other records, as there are. */
  function publish(...domains: Domain[]): void {
    for (const domain of domains) {
      const { name, value } = challengeOf(domain);
      running.textRecords.set(name, [...(running.textRecords.get(name) ?? ['v=spf1 -all']), value]);
    }
  }
  const withdraw = (domain: Domain): boolean => running.textRecords.delete(challengeOf(domain).name);
  const silence = (domain: Domain): unknown => running.textRecords.set(challengeOf(domain).name, null);
  async function eventsOf({ id }: Domain): Promise<string[]> {
    const found = running.database
      .collection<{ type: string }>('events')
      .find({ subjectId: id })
      .sort({ at: 1, _id: 1 });
    return (await found.toArray()).map(({ type }) => type);
  }
  async function verified(tenantId: string, name: string): Promise<Domain> {
    const domain = await create(tenantId, name);
    publish(domain);
    return verify(domain);
  }
  const passing = (seconds: number): void => void (now += seconds * 1000);

  it('one is verified once its own record is there, and that is told', async () => {
    const domain = await create(acme, 'corp.example');
    expect(challengeOf(domain)).to.deep.equal({
      name: '_gatehouse-challenge.corp.example',
      value: `gatehouse-domain-verification=${domain.token}`,
    });
    expect(await outcomeOf(verify(domain))).to.equal('409 domain.record_missing');
    const { name, value } = challengeOf(domain);
    for (const record of [`${value}x`, value.toUpperCase(), ` ${value}`, domain.token, '']) {
      running.textRecords.set(name, [record]);
      expect(await outcomeOf(verify(domain)), record).to.equal('409 domain.record_missing');
    }
    silence(domain);
    expect(await outcomeOf(verify(domain))).to.equal('503 domain.lookup_failed');
    expect((await read(domain)).verifiedAt).to.equal(null);
    withdraw(domain);
    publish(domain);
    const after = await verify(domain);
    expect([after.verifiedBy, after.verifiedAt]).to.deep.equal(['record', new Date(now)]);
    await verify(domain);
    expect(await eventsOf(domain)).to.have.members(['domain.created', 'domain.verified']);
  });

  it('the record of another tenant shows nothing', async () => {
    const [ours, theirs] = [await create(acme, 'corp.example'), await create(umbrella, 'corp.example')];
    publish(theirs);
    expect(await outcomeOf(verify(ours))).to.equal('409 domain.record_missing');
    expect((await verify(theirs)).verifiedBy).to.equal('record');
  });

  it('of tenants that all show it, one has it, however they race; and the next one when that gives it up', async () => {
    const domains = [await create(acme, 'corp.example'), await create(umbrella, 'corp.example')];
    publish(...domains);
    const outcomes = await Promise.all(domains.map((domain) => outcomeOf(verify(domain))));
    expect(outcomes.toSorted()).to.deep.equal(['409 domain.taken', 'done']);
    const [winner, loser] = outcomes[0] === 'done' ? domains : domains.toReversed();
    await running.app.administration.deleteDomain(operator, { tenantId: winner!.tenantId, domainId: winner!.id });
    expect((await verify(loser!)).verifiedBy).to.equal('record');
  });

  it('is kept in one spelling, which the tenant has once', async () => {
    expect((await create(acme, 'Bücher.Example')).name).to.equal('xn--bcher-kva.example');
    for (const name of ['bücher.example', 'BÜCHER.example', 'xn--bcher-kva.example', 'bu\u0308cher.example'])
      expect(await outcomeOf(create(acme, name)), name).to.equal('409 domain.exists');
  });

  it('sec-009 what is no domain of addresses is refused', async () => {
    const long = Array.from({ length: 6 }, () => 'x'.repeat(40)).join('.');
    const names = ['', 'corp', 'corp.example.', '.corp.example', 'a@corp.example', '*.corp.example', 'corp..example'];
    names.push('127.0.0.1', '[127.0.0.1]', 'corp.example/x', 'corp example', 'corp.example:53', '-corp.example', long);
    names.push('corp\u200b.example', 'corp.example\0', 'x'.repeat(300));
    for (const name of names) expect(await outcomeOf(create(acme, name)), name).to.equal('400 input.invalid');
  });

  it('nobody has a name alone that is for everybody', async () => {
    const names = [
      'com',
      'co.uk',
      'github.io',
      's3.amazonaws.com',
      'gmail.com',
      'GMail.com',
      'outlook.com',
      'yahoo.co.uk',
    ];
    names.push('icloud.com', 'proton.me', 'gmx.de', 'qq.com', 'mail.gmail.com');
    for (const name of names) expect(await outcomeOf(create(acme, name)), name).to.equal('400 input.invalid');
    for (const name of ['corp.co.uk', 'mail.corp.example'])
      expect(await outcomeOf(create(acme, name)), name).to.equal('done');
  });

  it('is for tenants whose plan has them, and no more than a hundred', async () => {
    const small = await tenantIdOf(running, 'small');
    expect(await outcomeOf(create(small, 'corp.example'))).to.equal('409 feature.not_in_plan');
    for (let count = 0; count < 100; count++) await create(acme, `corp-${count}.example`);
    expect(await outcomeOf(create(acme, 'corp.example'))).to.equal('409 domain.too_many');
  });

  it('is lost when its record is gone for longer than the grace period, and told twice', async () => {
    const domain = await verified(acme, 'corp.example');
    withdraw(domain);
    expect(await recheck(), 'not due').to.equal(0);
    expect((await read(domain)).missingSince).to.equal(null);
    passing(recheckSeconds);
    expect(await recheck()).to.equal(0);
    const missing = await read(domain);
    expect([missing.verifiedBy, missing.missingSince]).to.deep.equal(['record', new Date(now)]);
    passing(graceSeconds - 1);
    expect(await recheck()).to.equal(0);
    passing(recheckSeconds);
    expect(await recheck()).to.equal(1);
    expect((await read(domain)).verifiedAt).to.equal(null);
    expect((await eventsOf(domain)).slice(2)).to.deep.equal(['domain.record_missing', 'domain.verification_lost']);
    passing(recheckSeconds);
    expect(await recheck(), 'once and for all').to.equal(0);
    expect((await verified(umbrella, 'corp.example')).verifiedBy).to.equal('record');
  });

  it('is kept when its record comes back, and while no name server can say', async () => {
    const domain = await verified(acme, 'corp.example');
    withdraw(domain);
    passing(recheckSeconds);
    await recheck();
    publish(domain);
    passing(recheckSeconds);
    await recheck();
    expect((await read(domain)).missingSince).to.equal(null);
    silence(domain);
    for (let day = 0; day < 30; day++) {
      passing(recheckSeconds);
      expect(await recheck()).to.equal(0);
    }
    const { verifiedBy, missingSince } = await read(domain);
    expect([verifiedBy, missingSince]).to.deep.equal(['record', null]);
  });

  it('each that is due is looked after by one process', async () => {
    for (let count = 0; count < 10; count++) withdraw(await verified(acme, `corp-${count}.example`));
    passing(recheckSeconds);
    const other = await startApp({ sharedWith: running, now: () => new Date(now) });
    await Promise.all([recheck(), other.app.administration.recheckDomains(), recheck()]);
    const missing = running.database.collection('events').countDocuments({ type: 'domain.record_missing' });
    expect(await missing).to.equal(10);
  });

  it('goes with its tenant, and is free then', async () => {
    await verified(acme, 'corp.example');
    const theirs = await create(umbrella, 'corp.example');
    publish(theirs);
    await running.app.administration.changeStatus(operator, acme, 'archived');
    expect(await outcomeOf(verify(theirs)), 'within the grace period of tenants').to.equal('409 domain.taken');
    passing(31 * 86_400);
    await running.app.administration.deleteDueTenants();
    expect((await verify(theirs)).verifiedBy).to.equal('record');
  });

  it('one of the seed that is called verified needs no record, and the seed changes nothing twice', async () => {
    const seed = {
      tenants: [
        { ...contractSeed.tenants![0]!, domains: [{ name: 'Corp.example', verified: true }, { name: 'b.example' }] },
      ],
    };
    expect((await running.app.seeding.applySeed(seed)).created).to.equal(2);
    expect((await running.app.seeding.applySeed(seed)).created).to.equal(0);
    expect(await outcomeOf(verified(umbrella, 'corp.example'))).to.equal('409 domain.taken');
    passing(graceSeconds * 10);
    expect(await recheck()).to.equal(0);
    const names = ['com', 'gmail.com', 'no domain', 'corp.example'];
    for (const name of names) {
      const wanted = { slug: 'umbrella', name: 'Umbrella', ...enterprise, domains: [{ name, verified: true }] };
      const refused = await running.app.seeding.applySeed({ tenants: [wanted] }).catch((error: Error) => error);
      expect(refused, name).to.have.property('name', 'SeedError');
    }
  });
});
