/**
 * `npm run bench`: our server and the bare library side by side in one run, slice by slice in turn, so that a machine
 * that slows down slows both. Prints ratios; absolute figures are those of this machine at this moment.
 * `npm run bench -- NAME…` runs only the scenarios whose name contains one of these words; `--rounds N` (default 5).
 */
import { parseArgs } from 'node:util';
import { run, startMeasured, type Slice } from './load.js';
import { signIn } from './flows.js';
import { nodeFlags } from '../support/server-process.js';
import { scenarios, type Scenario } from './scenarios.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' } },
});
const wanted = scenarios.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
const ours = await startMeasured('ours', './our-server.ts', nodeFlags);
const bare = await startMeasured('bare', './bare-server.ts');
try {
  console.log(
    row([
      'scenario',
      'CPU ratio',
      'goal',
      'CPU/req ours',
      'bare',
      'req/s ours',
      'bare',
      'p50/p99 ours (ms)',
      'bare (ms)',
    ]),
  );
  for (const scenario of wanted) console.log(row(await measure(scenario, Number(values.rounds))));
  if (positionals.length === 0) await measureLogins();
  const rss = (await ours.usage()).rssBytes / 2 ** 20;
  console.log(`\nmemory of our process at the end: ${rss.toFixed(0)} MiB`);
} finally {
  ours.stop();
  bare.stop();
}

async function measure({ name, goal, perRound, calls }: Scenario, rounds: number): Promise<string[]> {
  const slices: { ours: Slice[]; bare: Slice[] } = { ours: [], bare: [] };
  // as long as the compiler takes: a server that has just started is not what is asked about
  for (let round = 0; round < 2; round++)
    for (const server of [ours, bare]) await run(server, await calls(server, perRound), 8);
  for (let round = 0; round < rounds; round++) {
    slices.ours.push(await run(ours, await calls(ours, perRound), 8));
    slices.bare.push(await run(bare, await calls(bare, perRound), 8));
  }
  const ratios = slices.ours.map((slice, round) => perRequest(slice) / perRequest(slices.bare[round] as Slice));
  return [
    name,
    median(ratios).toFixed(2),
    goal === undefined ? '' : `≤ ${goal}`,
    `${median(slices.ours.map(perRequest)).toFixed(0)} µs`,
    `${median(slices.bare.map(perRequest)).toFixed(0)} µs`,
    ...[slices.ours, slices.bare].map((list) => median(list.map(({ count, seconds }) => count / seconds)).toFixed(0)),
    ...[slices.ours, slices.bare].map(latencies),
  ];
}

/** Password sign-ins, whole, against what the hash alone allows on the same machine. */
async function measureLogins(): Promise<void> {
  const { verify, hash } = await import('@node-rs/argon2');
  const stored = await hash('correct horse battery', { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  const rates: { logins: number[]; hashes: number[] } = { logins: [], hashes: [] };
  for (let round = 0; round < 5; round++) {
    rates.hashes.push(await rateOf(() => verify(stored, 'correct horse battery'), 60));
    rates.logins.push(await rateOf(() => signIn(ours, 'web'), 60));
  }
  const ratios = rates.logins.map((logins, round) => logins / (rates.hashes[round] ?? 1));
  console.log(
    `\nwhole password sign-ins: ${median(rates.logins).toFixed(0)}/s, hashes alone ${median(rates.hashes).toFixed(0)}/s, ratio ${median(ratios).toFixed(2)} (goal ≥ 0.85)`,
  );
}

async function rateOf(work: () => Promise<unknown>, count: number): Promise<number> {
  const startedAt = performance.now();
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started++ < count) await work();
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return count / ((performance.now() - startedAt) / 1000);
}

function perRequest({ cpuMicroseconds, count }: Slice): number {
  return cpuMicroseconds / count;
}

function latencies(slices: Slice[]): string {
  const all = slices.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  const at = (share: number): string => (all[Math.floor(all.length * share)] ?? 0).toFixed(1);
  return `${at(0.5)} / ${at(0.99)}`;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function row(cells: string[]): string {
  const widths = [34, 10, 8, 13, 9, 11, 7, 19, 12];
  return cells.map((cell, index) => cell.padEnd(widths[index] ?? 10)).join(' ');
}
