/** The current instant. Passed in, so that a test can decide what time it is. */
export type Clock = () => Date;

export function epochSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}

export function secondsAfter(instant: Date, seconds: number): Date {
  return new Date(instant.getTime() + seconds * 1000);
}
