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
const node = await startMeasured('node', './node-server.ts');
try {
  console.log(
    row([
      'scenario',
      'CPU ratio',
      'goal',
      'Node alone',
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
  console.log(`\nmemory of our process at the end, with the loader of the bench: ${rss.toFixed(0)} MiB`);
} finally {
  for (const server of [ours, bare, node]) server.stop();
}

async function measure({ name, goal, perRound, calls, isDocument }: Scenario, rounds: number): Promise<string[]> {
  const slices: { ours: Slice[]; bare: Slice[]; node: Slice[] } = { ours: [], bare: [], node: [] };
  const servers = isDocument ? [ours, bare, node] : [ours, bare];
  // as long as the compiler takes: a server that has just started is not what is asked about
  for (let round = 0; round < 5; round++)
    for (const server of servers) await run(server, await calls(server, perRound), 8);
  for (let round = 0; round < rounds; round++)
    for (const server of servers)
      slices[server.name as keyof typeof slices].push(await run(server, await calls(server, perRound), 8));
  const toLibrary = (own: Slice[]): string =>
    median(own.map((slice, round) => perRequest(slice) / perRequest(slices.bare[round] as Slice))).toFixed(2);
  return [
    name,
    toLibrary(slices.ours),
    goal === undefined ? '' : `≤ ${goal}`,
    isDocument ? toLibrary(slices.node) : '',
    `${median(slices.ours.map(perRequest)).toFixed(0)} µs`,
    `${median(slices.bare.map(perRequest)).toFixed(0)} µs`,
    ...[slices.ours, slices.bare].map((list) => median(list.map(({ count, seconds }) => count / seconds)).toFixed(0)),
    ...[slices.ours, slices.bare].map(latencies),
  ];
}

/**
 * Password sign-ins, whole, against what the hash alone allows on the same machine; and those of the library with as
 * much hashing before each, which says how much of that a sign-in without any database leaves.
 */
async function measureLogins(): Promise<void> {
  const { verify, hash } = await import('@node-rs/argon2');
  const stored = await hash('correct horse battery', { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  const verified = (): Promise<boolean> => verify(stored, 'correct horse battery');
  const rates: Record<'hashes' | 'logins' | 'bare', number[]> = { hashes: [], logins: [], bare: [] };
  for (let round = 0; round < 5; round++) {
    rates.hashes.push(await rateOf(verified, 60));
    rates.logins.push(await rateOf(() => signIn(ours, 'web'), 60));
    rates.bare.push(await rateOf(() => verified().then(() => signIn(bare, 'web')), 60));
  }
  const ofHashes = (own: number[]): string =>
    median(own.map((rate, round) => rate / (rates.hashes[round] ?? 1))).toFixed(2);
  const each = (own: number[]): string => `${median(own).toFixed(0)}/s`;
  console.log(
    `\nwhole password sign-ins: ${each(rates.logins)}, hashes alone ${each(rates.hashes)}, ratio ${ofHashes(rates.logins)} (goal ≥ 0.85); ` +
      `the library with as much hashing: ${each(rates.bare)}, ratio ${ofHashes(rates.bare)}`,
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
  const widths = [34, 10, 8, 11, 13, 9, 11, 7, 19, 12];
  return cells.map((cell, index) => cell.padEnd(widths[index] ?? 10)).join(' ');
}
