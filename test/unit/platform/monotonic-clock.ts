/** The process's monotonic clock under the control of a test; `restore` gives it back. */
export interface MonotonicClock {
  advanceSeconds(seconds: number): void;
  restore(): void;
}

export function takeMonotonicClock(): MonotonicClock {
  const original = performance.now.bind(performance);
  let now = original();
  performance.now = () => now;
  return {
    advanceSeconds: (seconds) => (now += seconds * 1000),
    restore: () => void (performance.now = original),
  };
}
