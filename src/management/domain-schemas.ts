import { z } from 'zod';
import type { Domain } from '../domains/index.js';
import { time, timeOf, timeOrNull } from './schemas.js';

export const domainShown = z.object({
  id: z.string(),
  name: z.string().describe('ASCII form (IDNA)'),
  verified: z.boolean().describe('Whether it is shown to be the tenant’s'),
  verifiedBy: z.enum(['record', 'operator']).nullable(),
  verifiedAt: time.nullable(),
  checkedAt: time.nullable().describe('When its record was looked for last'),
  missingSince: time
    .nullable()
    .describe('Since when the record is gone; the domain is lost when it does not come back'),
  record: z
    .object({ type: z.literal('TXT'), name: z.string(), value: z.string() })
    .describe('What shows that the domain is the tenant’s'),
  connectionId: z.string().nullable().describe('Where people with such an address are led'),
  enforced: z.boolean().describe('They sign in there alone'),
  exceptUserId: z.string().nullable().describe('The owner who may sign in otherwise all the same'),
  joinRoles: z
    .array(z.string())
    .nullable()
    .describe('Roles with which whoever comes by the connection becomes a member, unless it gives others'),
  createdAt: time,
});

export function presentDomain(
  { id, name, verifiedAt, verifiedBy, checkedAt, missingSince, createdAt, ...domain }: Domain,
  record: { name: string; value: string },
): z.input<typeof domainShown> {
  return {
    ...{ id, name, verified: verifiedAt !== null, verifiedBy, verifiedAt: timeOrNull(verifiedAt) },
    ...{ checkedAt: timeOrNull(checkedAt), missingSince: timeOrNull(missingSince) },
    ...{ record: { type: 'TXT', ...record }, connectionId: domain.connectionId, enforced: domain.enforced },
    ...{ exceptUserId: domain.exceptUserId, joinRoles: domain.joinRoles, createdAt: timeOf(createdAt) },
  };
}
