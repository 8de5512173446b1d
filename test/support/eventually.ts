import { setTimeout as delay } from 'node:timers/promises';

/** Tries until the assertion holds; fails as it failed last when it does not within the time. */
export async function eventually(assertion: () => unknown, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(20);
    }
  }
}
