import type { RunningApp } from '../support/start-app.js';
import type { TokenSet } from './requests.js';

/**
 * One endpoint or page and a request to it that is right in all. A path that takes several kinds of request has a row
 * for each.
 */
export interface Endpoint {
  method: 'GET' | 'POST';
  /** As routed: a part that starts with a colon varies. */
  path: string;
  /** Who asks decides in what form a program is told an error: OAuth or problem (a browser is always shown a page). */
  kind: 'protocol' | 'page' | 'document' | 'other';
  /** A new one each time, since a code or a form may be of use once. */
  request(stage: Stage): EndpointRequest | Promise<EndpointRequest>;
}

export interface EndpointRequest {
  path: string;
  /** In the query of a GET, in the form of a POST. */
  parameters: Record<string, string>;
  headers: Record<string, string>;
}

/** A running app, seeded with `seedWithTwoTenants`, and what Ada was given by it. */
export interface Stage {
  running: RunningApp;
  issuer: string;
  tokens: TokenSet;
}
