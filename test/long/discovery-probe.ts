/** Asks for discovery again and again, in a process of its own, until it is told to stop; then gives the times in ms. */
const [issuer = ''] = process.argv.slice(2);
const latencies: number[] = [];
let stopped = false;
process.on('message', () => (stopped = true));

const ask = async (): Promise<void> => {
  const startedAt = performance.now();
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
  await answer.text();
  if (answer.status !== 200) throw new Error(`discovery answered ${answer.status}`);
  latencies.push(performance.now() - startedAt);
};

await ask();
latencies.length = 0;
process.send?.('ready');
while (!stopped) {
  await ask();
  await new Promise((resolve) => setTimeout(resolve, 20));
}
process.send?.(latencies);
process.disconnect();
