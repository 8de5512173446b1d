import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as client from 'openid-client';
import { addressLimits } from '../../config/address-limits.js';
import { contractSeed } from '../support/contract-seed.js';
import { freshDatabaseUri } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { halfSentRequest } from '../support/half-sent-request.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { relyingParty, type RelyingParty } from '../support/relying-party.js';
import { freePort, killServerProcesses, startServerProcess, type ServerProcess } from '../support/server-process.js';
import { expectSession, sendFrom, signInAs } from '../support/sign-in-anywhere.js';
import { requireTool } from '../support/tools.js';
import { endOf, linesOf, servingWorkers, workersOf } from '../support/worker-log.js';

const loginsAMinute = addressLimits.find(({ name }) => name === 'login')?.points ?? 0;

/** Worker processes with faults that can be set off by a signal. */
const plantedFaults = `
  import cluster from 'node:cluster';
  if (cluster.isWorker) {
    process.on('SIGHUP', () => void Promise.reject(new Error('planted: nobody waits')));
    process.on('SIGWINCH', () => setImmediate(() => { throw new Error('planted: nobody catches'); }));
  }`;
const cannotStart = `
  import cluster from 'node:cluster';
  if (cluster.isWorker) process.exit(3);`;

describe('several workers', function () {
  this.timeout(180_000);
  let redis: RedisServer;
  let directory: string;

  before(async function () {
    if (requireTool('redis-server') === undefined) return this.skip();
    redis = await startRedis();
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  });
  after(async () => {
    killServerProcesses();
    if (directory) rmSync(directory, { recursive: true });
    await redis?.stop();
  });

  const start = (environment: Record<string, string> = {}): Promise<ServerProcess> =>
    startServerProcess({
      ...{ WORKERS: '2', TRUSTED_PROXIES: '1', RATE_LIMIT_FACTOR: '1' },
      ...{ REDIS_URL: redis.url, DATA_DIR: ':memory:' },
      ...environment,
    });

  describe('on the embedded database', () => {
    let server: ServerProcess;
    let party: RelyingParty;
    before(async () => {
      server = await start({ NODE_OPTIONS: importing(plantedFaults) });
      party = await relyingParty(server.issuer, 'demo', null);
    });
    afterEach('both serve', () => eventually(() => expect(servingWorkers(server), server.output()).to.have.length(2)));

    it('say once that they are ready, and each line who wrote it', async () => {
      expect(server.output().match(/is ready at/g)).to.have.length(1);
      expect(server.output().match(/shown this once/g)).to.have.length(1);
      const listening = (): (number | undefined)[] =>
        linesOf(server)
          .filter(({ msg }) => msg === 'listening')
          .map(({ worker }) => worker);
      // lines are written in batches, a moment after what they tell of
      await eventually(() => expect(listening()).to.have.members([1, 2]));
    });

    it('go on with what another one began: sign-in, session and refresh', async () => {
      const spread: number[] = [];
      for (let round = 0; round < 5; round++) {
        const { visitor, tokens, requestIds } = await signInAs(party, server.issuer);
        await eventually(() => expect(workersOf(server, requestIds)).to.have.length(requestIds.length));
        spread.push(new Set(workersOf(server, requestIds)).size);
        const renewed = await client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '');
        expect(renewed.access_token).to.be.a('string');
        await expectSession(party, visitor);
      }
      expect(spread, 'how many workers had a part in each sign-in').to.include(2);
    });

    it('sec-049 count requests together: the quota of an address is one for all of them', async () => {
      const send = sendFrom('192.0.2.49');
      const answers: Response[] = [];
      for (let sent = 0; sent < loginsAMinute + 20; sent++)
        answers.push(await send(`${server.issuer}/sign-in/none/login`, { method: 'POST' }));
      expect(answers.filter(({ status }) => status !== 429)).to.have.length(loginsAMinute);
      const requestIds = answers.map(({ headers }) => headers.get('x-request-id') ?? '');
      await eventually(() => expect(workersOf(server, requestIds)).to.have.length(answers.length));
      expect(new Set(workersOf(server, requestIds)), 'workers that had a part').to.have.property('size', 2);
      await signInAs(party, server.issuer); // from another address
    });

    it('F1 F27 one that is killed is replaced; sessions go on, and so does what the other was doing', async () => {
      const { visitor } = await signInAs(party, server.issuer);
      const [victim] = servingWorkers(server);
      const running = await Promise.all(Array.from({ length: 16 }, () => halfSentRequest(server.issuer)));
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      await eventually(() => expect(endOf(server, victim)).to.include({ signal: 'SIGKILL', delayMs: 0 }));
      const answers = await Promise.all(running.map((request) => request.finish()));
      const given = answers.filter((answer) => answer !== '');
      expect(given).not.to.have.length(0);
      for (const answer of given) expect(answer).to.match(/^HTTP\/1.1 400 .*invalid_request/s);
      await expectSession(party, visitor);
      for (let round = 0; round < 3; round++) await signInAs(party, server.issuer);
    });

    it('F1 a connection that was given to a worker and not taken is closed with it, rather than left without an answer', async () => {
      const [victim] = servingWorkers(server);
      process.kill(victim?.pid ?? 0, 'SIGSTOP'); // takes nothing any more
      const running = await Promise.all(Array.from({ length: 4 }, () => halfSentRequest(server.issuer)));
      const answers = Promise.all(running.map((request) => request.finish()));
      const send = sendFrom('192.0.2.1');
      for (let sent = 0; sent < 4; sent++) expect((await send(`${server.issuer}/health/live`)).status).to.equal(200);
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      expect((await answers).filter((answer) => answer === '')).to.have.length(1);
      await eventually(() => expect(endOf(server, victim)).to.include({ signal: 'SIGKILL' }));
    });

    it('F27 a promise that fails with nobody waiting is logged, and the worker goes on', async () => {
      const [worker] = servingWorkers(server);
      process.kill(worker?.pid ?? 0, 'SIGHUP');
      await eventually(() => {
        const line = linesOf(server).find(({ err }) => err?.message === 'planted: nobody waits');
        expect(line).to.include({ level: 50, worker: worker?.worker });
      });
      await signInAs(party, server.issuer);
      expect(servingWorkers(server)).to.deep.include(worker);
    });

    it('F27 an exception that nobody catches is logged, ends its worker with 1, and that is replaced', async () => {
      const [worker] = servingWorkers(server);
      process.kill(worker?.pid ?? 0, 'SIGWINCH');
      await eventually(() => expect(endOf(server, worker)).to.include({ code: 1 }));
      const line = linesOf(server).find(({ err }) => err?.message === 'planted: nobody catches');
      expect(line).to.include({ level: 60, worker: worker?.worker });
      await signInAs(party, server.issuer);
    });

    it('F3 SIGUSR2 replaces all of them, and no request fails meanwhile', async () => {
      const { visitor } = await signInAs(party, server.issuer);
      const before = servingWorkers(server);
      process.kill(server.pid, 'SIGUSR2');
      const isReplaced = (): boolean => before.every((worker) => endOf(server, worker));
      // not over a kept connection, which may be closed just as the next request is sent (RFC 9112 §9.5)
      const probe = sendFrom('192.0.2.3');
      let signIns = 0;
      for (; !isReplaced(); signIns++) {
        await signInAs(party, server.issuer);
        expect((await probe(`${server.issuer}/health/ready`)).status).to.equal(200);
      }
      expect(signIns).to.be.greaterThan(1);
      await expectSession(party, visitor);
      expect(linesOf(server).filter(({ status }) => (status ?? 0) >= 500)).to.deep.equal([]);
    });

    it('F3 SIGTERM: not ready first, then what runs is finished, then the end with 0', async () => {
      const running = await Promise.all(Array.from({ length: 16 }, () => halfSentRequest(server.issuer)));
      await Promise.all(running.map(({ taken }) => taken));
      const ended = server.stop('SIGTERM');
      await eventually(() => {
        const draining = linesOf(server).filter(({ msg, worker }) => msg === 'draining' && worker !== undefined);
        expect(draining).to.have.length(2);
      });
      expect((await fetch(`${server.issuer}/health/ready`)).status).to.equal(503);
      await eventually(async () => expect(await answers(server.issuer)).to.equal(false));
      for (const request of running) {
        expect(await request.finish()).to.match(/^HTTP\/1.1 400 .*invalid_request/s);
      }
      expect(await ended).to.equal(0);
    });
  });

  it('sign people in on a MongoDB that is configured', async () => {
    const seed = join(directory, 'seed.json');
    writeFileSync(seed, JSON.stringify(contractSeed));
    const server = await start({ MONGODB_URI: await freshDatabaseUri(), DATA_DIR: directory, SEED_FILE: seed });
    const party = await relyingParty(server.issuer);
    for (let round = 0; round < 3; round++) {
      const { visitor } = await signInAs(party, server.issuer);
      await expectSession(party, visitor);
    }
    expect(await server.stop('SIGINT')).to.equal(0);
  });

  it('end with their supervisor, however it ends', async () => {
    const server = await start();
    expect(await server.stop('SIGKILL')).to.equal('SIGKILL');
    await eventually(async () => expect(await answers(server.issuer)).to.equal(false));
  });

  it('that cannot serve are said in one line, and the start ends with 1', async () => {
    const port = await freePort();
    const occupied = await startServerProcess({ DATA_DIR: ':memory:', PORT: String(port) });
    const failing: [Record<string, string>, string][] = [
      [{ PORT: String(port) }, `Port ${port} is in use`],
      [
        { MONGODB_URI: `mongodb://127.0.0.1:${await freePort()}/`, DATA_DIR: directory },
        'The database cannot be reached',
      ],
      [{ NODE_OPTIONS: importing(cannotStart) }, 'A worker ended with code 3.'],
    ];
    for (const [environment, line] of failing) {
      const server = await start(environment);
      expect(await server.exited).to.equal(1);
      expect(server.output().match(new RegExp(line, 'g')), server.output()).to.have.length(1);
      expect(server.output()).not.to.contain('    at ').and.not.to.contain('is ready');
    }
    expect(await occupied.stop('SIGINT')).to.equal(0);
  });
});

/** A data URL that a process runs before its own code; what is in it is not part of the product. */
function importing(code: string): string {
  return `--import data:text/javascript,${encodeURIComponent(code).replaceAll("'", '%27')}`;
}

async function answers(issuer: string): Promise<boolean> {
  return fetch(`${issuer}/health/live`, { headers: { Connection: 'close' } }).then(
    () => true,
    () => false,
  );
}
