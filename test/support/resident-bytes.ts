import { readFileSync } from 'node:fs';

/** Memory that a process has, its own libraries included. */
export function residentBytes(pid: number): number {
  return fromStatus(pid, 'VmRSS');
}

/** The most that it has had so far. */
export function mostResidentBytes(pid: number): number {
  return fromStatus(pid, 'VmHWM');
}

function fromStatus(pid: number, name: string): number {
  return 1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
