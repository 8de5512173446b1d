import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../architecture/planted-tree.js';

/** Runs deploy/make-trial-secrets.sh as if it stood in this folder; what it made there, by name. Needs openssl. */
export function makeTrialSecrets(folder: string): Record<string, string> {
  const script = join(folder, 'make-trial-secrets.sh');
  copyFileSync(join(repository, 'deploy/make-trial-secrets.sh'), script);
  execFileSync(script);
  const secrets = join(folder, 'secrets');
  return Object.fromEntries(readdirSync(secrets).map((name) => [name, readFileSync(join(secrets, name), 'utf8')]));
}
