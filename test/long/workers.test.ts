// What a supervisor promises, against the built server under load.
import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { retryAfterMs } from '../support/load.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { relyingParty, type RelyingParty } from '../support/relying-party.js';
import {
  buildServer,
  builtServer,
  killServerProcesses,
  startServerProcess,
  type ServerProcess,
} from '../support/server-process.js';
import { signInAs } from '../support/sign-in-anywhere.js';
import { requireTool } from '../support/tools.js';
import { endOf, linesOf, listeningOf, servingWorkers, standbyOf } from '../support/worker-log.js';

const rounds = 5;
const visitors = 6;

describe('two workers under load', () => {
  let redis: RedisServer | undefined;
  let server: ServerProcess;
  let party: RelyingParty;

  before(async function () {
    if (requireTool('redis-server') === undefined) return this.skip();
    buildServer();
    redis = await startRedis();
  });
  beforeEach(async () => {
    const shared = { REDIS_URL: redis?.url ?? '', DATA_DIR: ':memory:' };
    const environment = { WORKERS: '2', TRUSTED_PROXIES: '1', ...shared };
    server = await startServerProcess(environment, undefined, builtServer);
    party = await relyingParty(server.issuer, 'demo', null);
    await eventually(() => expect(servingWorkers(server)).to.have.length(2));
  });
  afterEach(killServerProcesses);
  after(() => redis?.stop());

  it(`F27 a killed worker is replaced within 2 s, ${rounds} times, and no sign-in is lost after one more try`, async () => {
    const load = startLoad(server, party, visitors);
    const replacedMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = load.signIns;
      await eventually(() => {
        expect(load.signIns).to.be.above(before + 10);
        expect(standbyOf(server), server.output()).not.to.equal(undefined);
      });
      const [victim] = servingWorkers(server);
      const { count } = listeningOf(server);
      const killedAt = Date.now();
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      await eventually(() => {
        expect(endOf(server, victim)).to.include({ signal: 'SIGKILL' });
        expect(listeningOf(server).count).to.equal(count + 1);
      });
      replacedMs.push(listeningOf(server).lastAtMs - killedAt);
    }
    const { signIns, retried, lost } = await load.stop();
    console.log(`      replaced after ${replacedMs.join(', ')} ms; ${signIns} sign-ins, ${retried} tried again`);
    expect(lost).to.deep.equal([]);
    expect(Math.max(...replacedMs)).to.be.at.most(2000);
  });

  it(`F3 ${rounds} replacements of all workers, and no sign-in fails or is tried again`, async () => {
    const load = startLoad(server, party, visitors);
    for (let round = 0; round < rounds; round++) {
      const before = servingWorkers(server);
      process.kill(server.pid, 'SIGUSR2');
      await eventually(() => {
        for (const worker of before) expect(endOf(server, worker)?.msg).to.equal('worker has left');
        expect(servingWorkers(server)).to.have.length(2);
      });
    }
    const { signIns, retried, lost } = await load.stop();
    console.log(`      ${signIns} sign-ins`);
    expect(lost).to.deep.equal([]);
    expect(retried).to.equal(0);
    expect(linesOf(server).filter(({ status }) => (status ?? 0) >= 500)).to.deep.equal([]);
    expect(await server.stop()).to.equal(0);
  });
});

interface Load {
  signIns: number;
  retried: number;
  lost: unknown[];
  stop(): Promise<Load>;
}

/** People who sign in one after the other; one whose sign-in fails tries once more. */
function startLoad(server: ServerProcess, party: RelyingParty, people: number): Load {
  let isOver = false;
  const person = async (): Promise<void> => {
    while (!isOver) {
      const signIn = async (): Promise<unknown> => signInAs(party, server.issuer);
      await signIn()
        .catch(async () => {
          load.retried += 1;
          await delay(retryAfterMs);
          return signIn();
        })
        .catch((error: unknown) => load.lost.push(error));
      load.signIns += 1;
    }
  };
  const running = Array.from({ length: people }, person);
  const load: Load = {
    ...{ signIns: 0, retried: 0, lost: [] },
    async stop() {
      isOver = true;
      await Promise.all(running);
      return load;
    },
  };
  return load;
}
