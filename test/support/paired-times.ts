/** Milliseconds of two things done in turn, so that a machine that slows down slows both; who comes first changes. */
export async function pairedTimes(
  pairs: number,
  left: () => Promise<unknown>,
  right: () => Promise<unknown>,
): Promise<{ left: number[]; right: number[] }> {
  const times = { left: [] as number[], right: [] as number[] };
  const timed = async (work: () => Promise<unknown>, into: number[]): Promise<void> => {
    const startedAt = performance.now();
    await work();
    into.push(performance.now() - startedAt);
  };
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) await timed(left, times.left);
    await timed(right, times.right);
    if (pair % 2 === 1) await timed(left, times.left);
  }
  return times;
}

export function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}
