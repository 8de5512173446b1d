/**
 * Pictures that stand on sign-in pages, kept by us so that no page asks anybody else for one. Owns the `logos`
 * collection and the endpoint `/logos/:digest`. Which tenant shows which is a setting (tenants, templates).
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../kernel/time.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { readLogo } from '../platform/schemas/logo-image.js';
import type { Branding, Logo } from '../tenants/index.js';
import { logosRoutes } from './logos-routes.js';
import { createLogoStore } from './logo-store.js';

/** As it is uploaded: base64 of bytes that `readLogo` takes, and what is said in the place of the picture. */
export interface UploadedLogo {
  data: string;
  alt: string;
}

export interface LogosModule {
  /** What is to stand in the settings that show it. */
  keepLogo(tx: Tx, logo: UploadedLogo): Promise<Logo>;
  /** After settings have changed: what they showed before goes if nobody shows it any more. */
  dropFormerLogo(tx: Tx, before: { branding: Branding }): Promise<void>;
  router: ReturnType<typeof logosRoutes>;
}

export interface LogosDeps {
  database: Database;
  now: Clock;
  /** Each says whether some settings show the picture of this digest. */
  showsLogo: readonly ((tx: Tx, digest: string) => Promise<boolean>)[];
}

export function logosModule(deps: LogosDeps): LogosModule {
  const store = createLogoStore(deps.database);
  return {
    async keepLogo(tx, logo) {
      const kept = logoOf(logo);
      await store.keep(tx, kept.digest, { type: kept.type, bytes: Buffer.from(logo.data, 'base64') }, deps.now());
      return kept;
    },
    async dropFormerLogo(tx, { branding: { logo } }) {
      if (!logo) return;
      for (const shows of deps.showsLogo) if (await shows(tx, logo.digest)) return;
      await store.drop(tx, logo.digest);
    },
    router: logosRoutes(store),
  };
}

/** Pure. */
export function logoOf({ data, alt }: UploadedLogo): Logo {
  const bytes = Buffer.from(data, 'base64');
  const image = readLogo(bytes);
  if ('problem' in image) throw new Error(`a logo that nobody has checked ${image.problem}`);
  return { digest: createHash('sha256').update(bytes).digest('hex'), ...image, alt };
}
