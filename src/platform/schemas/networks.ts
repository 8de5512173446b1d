import { z } from 'zod';
import { problemOfNetwork } from '../../kernel/networks.js';

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** IPv4 and IPv6 addresses and networks. */
export const networks = z
  .array(
    z
      .string()
      .max(50)
      .superRefine((value, context) => {
        const message = problemOfNetwork(value);
        if (message !== null) context.addIssue({ code: 'custom', message });
      }),
  )
  .max(200)
  .refine(unique, 'must not repeat a value');
