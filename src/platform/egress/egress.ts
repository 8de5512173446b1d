import { createSecureContext, rootCertificates } from 'node:tls';
import { hostAndPort, literalAddress, problemOfOutboundUri } from '../../kernel/outbound-uri.js';
import { isPublicAddress } from '../../kernel/special-addresses.js';
import type { Logger } from '../log/logger.js';
import { pinnedRequest } from './pinned-request.js';
import { resolveHost as resolveByDns, type ResolveHost } from './resolve-host.js';

/** The one way out over HTTP, for every address that somebody else may choose. */
export interface Egress {
  /**
   * As the global one, but https alone, to public addresses alone, bounded in time and size, and without redirects.
   * Whatever fails is one error with one wording; why stands in the log.
   */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** Why this may not be registered as an address that we call, or null. */
  problemOfUri(text: string): string | null;
}

export interface EgressOptions {
  /** host:port that may be reached although the address is not public. */
  allow: readonly string[];
  /** Certificates (PEM) of authorities that are trusted beside the well-known ones. */
  extraAuthorities: readonly string[];
  resolveHost?: ResolveHost;
}

export interface EgressLimits {
  /** Of everything: name, connection, answer. */
  timeoutMs: number;
  answerBytes: number;
}

/** Says nothing about the other side: open, closed and refused look the same to whoever chose the address. */
export class OutboundCallFailed extends Error {
  constructor() {
    super('the outbound call failed');
    this.name = 'OutboundCallFailed';
  }
}

export function createEgress(deps: EgressOptions & { limits: EgressLimits; log: Logger }): Egress {
  const { limits, log, extraAuthorities, resolveHost = resolveByDns } = deps;
  const allowed = new Set(deps.allow);
  const isAllowed = (host: string): boolean => allowed.has(host);
  // made once: it holds all well-known authorities
  const secureContext =
    extraAuthorities.length === 0 ? undefined : createSecureContext({ ca: [...rootCertificates, ...extraAuthorities] });

  async function call(text: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    const problem = problemOfOutboundUri(text, isAllowed);
    if (problem !== null) throw new Error(problem);
    const addresses = await untilAborted(addressesOf(new URL(text), signal), signal);
    const asked = new Request(text, { ...init, signal });
    return pinnedRequest(asked, { addresses, secureContext, signal, mostBytes: limits.answerBytes });
  }

  async function addressesOf(url: URL, signal: AbortSignal): Promise<readonly string[]> {
    const isOwn = isAllowed(hostAndPort(url));
    const literal = literalAddress(url);
    const addresses = literal === null ? await resolveHost(url.hostname, { isAllowed: isOwn, signal }) : [literal];
    if (addresses.length === 0) throw new Error('the name has no address');
    if (!isOwn && !addresses.every(isPublicAddress)) throw new Error('the address is not public');
    return addresses;
  }

  return {
    problemOfUri: (text) => problemOfOutboundUri(text, isAllowed),
    async fetch(url, init = {}) {
      const stopped = new AbortController();
      const stop = (reason: unknown): void => stopped.abort(reason);
      const timer = setTimeout(stop, limits.timeoutMs, new Error(`took more than ${limits.timeoutMs} ms`));
      const { signal: theirs } = init;
      if (theirs?.aborted) stop(theirs.reason);
      theirs?.addEventListener('abort', () => stop(theirs.reason), { once: true });
      try {
        return await call(url, init, stopped.signal);
      } catch (error) {
        log.warn({ host: URL.canParse(url) ? new URL(url).host : null, err: error }, 'an outbound call failed');
        throw new OutboundCallFailed();
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}
