import type { OAuth2Provider } from '../../support/upstream/oauth2-provider.js';
import type { Mutation, UpstreamProvider } from '../../support/upstream/oidc-provider.js';

/** What a row may point at. */
export interface Surroundings {
  provider: UpstreamProvider;
  /** A port of this machine on which any connection at all is a fault. */
  canaryPort: number;
}

/** One thing that is wrong with a provider, and what it is called in the test. */
export type Row = readonly [title: string, wrong: (around: Surroundings) => Mutation];

export type OAuth2Row = readonly [title: string, wrong: (provider: OAuth2Provider, canaryPort: number) => void];

/** Addresses that lead to the canary, and nowhere else. */
export const atCanary = (port: number, path = '/'): string[] => [
  `https://127.0.0.1:${port}${path}`,
  `https://localhost:${port}${path}`,
  `https://[::1]:${port}${path}`,
  `http://127.0.0.1:${port}${path}`,
];
