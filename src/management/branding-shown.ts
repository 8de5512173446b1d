import { z } from 'zod';
import type { Branding } from '../tenants/index.js';

export const brandingShown = z.object({
  displayName: z.string().nullable().describe('The name on sign-in pages; null: that of the tenant'),
  logo: z
    .object({
      path: z.string().describe('Where this server has it'),
      ...{ type: z.string(), width: z.int(), height: z.int(), alt: z.string() },
    })
    .nullable(),
  primaryColor: z.string().nullable().describe('Of buttons and links; null: as everywhere'),
  primaryColorDark: z.string().nullable().describe('The same for who prefers dark pages'),
  supportUri: z.string().nullable(),
});

export function presentBranding({ logo, ...branding }: Branding): z.input<typeof brandingShown> {
  if (!logo) return { ...branding, logo };
  const { digest, ...picture } = logo;
  return { ...branding, logo: { path: `/logos/${digest}`, ...picture } };
}
