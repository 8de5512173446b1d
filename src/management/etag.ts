import { createHash } from 'node:crypto';
import { preconditionFailed, preconditionNotSupported } from './management-errors.js';
import type { Precondition } from './route.js';

/** A strong validator (RFC 9110 §8.8) of a stored thing: another one as soon as anything of it is another. */
export function etagOf(entity: object): string {
  return `"${createHash('sha256').update(JSON.stringify(entity, inOneOrder)).digest('base64url').slice(0, 27)}"`;
}

/** The same thing has the same text, in whichever order its members were put. */
function inOneOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** What cannot be held to it is not done: nobody believes that a condition was looked at which was not. */
export function requireNoPrecondition(header: string): void {
  if (header !== '') throw preconditionNotSupported();
}

/** Of the header `If-Match`: absent and `*` ask for nothing. Weak validators never match (RFC 9110 §13.1.1). */
export function preconditionOf(header: string): Precondition {
  const tags = header.split(',').map((tag) => tag.trim());
  if (header === '' || tags.includes('*')) return () => undefined;
  return (current) => {
    if (!tags.includes(etagOf(current))) throw preconditionFailed();
  };
}
