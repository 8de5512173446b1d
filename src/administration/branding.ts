import type { z } from 'zod';
import { given } from '../kernel/given.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Branding } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import type { settingsSchema } from './input.js';

type BrandingInput = z.output<typeof settingsSchema>['branding'];
type BrandingChanges = { [Name in keyof BrandingInput]?: BrandingInput[Name] | undefined };

/** What was given of it, as it is stored: an uploaded logo is kept beside, and the settings name it. */
export async function storedBranding(
  { logos }: Pick<AdministrationDeps, 'logos'>,
  tx: Tx,
  { logo, ...others }: BrandingChanges,
): Promise<Partial<Branding>> {
  if (logo === undefined) return given(others);
  return { ...given(others), logo: logo && (await logos.keepLogo(tx, logo)) };
}
