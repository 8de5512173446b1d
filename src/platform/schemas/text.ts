import { z } from 'zod';

/** Something for people to read. */
export const text = (maximum: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}]*$/u, 'must not hold control characters');
