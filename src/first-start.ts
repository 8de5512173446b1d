import { readFile } from 'node:fs/promises';
import type { Config } from '../config/index.js';
import type { Logger } from './platform/log/logger.js';
import { parseSeedFile, SeedError, type SeedingModule } from './seeding/index.js';

const demoSeed = new URL('../config/demo.yaml', import.meta.url);

export interface SeedFile {
  name: string;
  source: string;
}

/** Reads and checks the configured seed file, so that a bad one is refused before anything is made. */
export async function readSeedFile(name: string | undefined): Promise<SeedFile | null> {
  if (name === undefined) return null;
  try {
    const source = await readFile(name, 'utf8');
    parseSeedFile(source, name);
    return { name, source };
  } catch (error) {
    if (error instanceof SeedError) throw error;
    throw new SeedError([`${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`]);
  }
}

/**
 * Makes the platform tenant and its administrator once, with the demo data where this is a trial, and says so; then
 * applies the seed file. Where others reach it operators need two factors; warns where they do not.
 */
export async function firstStart(
  config: Config,
  seeding: SeedingModule,
  { embedded, seed, log }: { embedded: boolean; seed: SeedFile | null; log: Logger },
): Promise<void> {
  const { adminEmail, adminPassword } = config.firstStart;
  const isTrial = embedded && config.issuer.startsWith('http:') && seed === null;
  const demo = isTrial ? await readFile(demoSeed, 'utf8') : undefined;
  // who governs all tenants is who is attacked first; a trial on one machine is nobody's
  const isPublic = config.issuer.startsWith('https:');
  const mfa = isPublic ? 'required' : 'optional';
  const first = await seeding.firstStart({ email: adminEmail, password: adminPassword, mfa, demo });
  if (first) {
    const lines = [
      '',
      `  Administrator: ${adminEmail}${isPublic ? ' (the first sign-in sets up a second factor)' : ''}`,
    ];
    if (first.generatedPassword) lines.push(`  Password (shown this once): ${first.generatedPassword}`);
    if (isTrial) lines.push(...tryIt(config.issuer));
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  if (seed) await seeding.applySeedFile(seed.source, seed.name);
  if (isPublic && !(await seeding.operatorsNeedTwoFactors()))
    log.warn('operators need no second factor: set the policy mfa of the tenant "platform" to "required"');
}

function tryIt(issuer: string): string[] {
  return [
    '',
    '  Try it: `npm run demo` in a second terminal, then open http://localhost:3001',
    '  and sign in as ada@example.com with the password "correct horse battery"; or get a service token:',
    '',
    `    curl -u acme-ci:sk_demo-key-for-localhost-only-0000 ${issuer}/oauth2/token \\`,
    '      -d grant_type=client_credentials -d resource=https://api.example.com/projects -d scope=projects:read',
  ];
}
