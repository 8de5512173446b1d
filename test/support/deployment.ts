import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repository } from '../architecture/planted-tree.js';

export interface ComposeService {
  image?: string;
  build?: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  ports?: string[];
  networks?: string[];
  volumes?: string[];
  secrets?: string[];
  environment?: Record<string, string>;
  command?: string[];
  restart?: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  stop_grace_period?: string;
}

export interface Compose {
  services: Record<string, ComposeService>;
  networks: Record<string, { internal?: boolean }>;
  secrets: Record<string, { file: string }>;
}

export const dockerfile = readDeployment('Dockerfile');
export const nginxConf = readDeployment('deploy/nginx.conf');
export const compose = parse(readDeployment('docker-compose.yml')) as Compose;

/** The service of this name; a test that asks for one that is not there fails. */
export function serviceOf(name: string): ComposeService {
  const service = compose.services[name];
  if (!service) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

export function readDeployment(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

/** The value of a directive of nginx.conf that stands there once. */
export function nginxValue(directive: string): string {
  const found = [...nginxConf.matchAll(new RegExp(`^\\s*${directive} (.+);$`, 'gm'))].map((match) => match[1] ?? '');
  if (found.length !== 1) throw new Error(`${directive} stands ${found.length} times in nginx.conf`);
  return found[0] ?? '';
}
