import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Answer } from '../http/requests.js';

/** Two servers of one issuer on one database: what one of them has taken, the other one must not take again. */
export interface ServerPair {
  issuer: string;
  ports: readonly [number, number];
  databaseUri: string;
}

export interface PairRequest {
  path: string;
  headers?: Record<string, string>;
  /** Makes it a POST. */
  form?: Record<string, string>;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Sends the request to one of the two, under the host name of the issuer; redirects are not followed. */
export function sendToPair(pair: ServerPair, which: number, { path, headers, form }: PairRequest): Promise<Answer> {
  const body = form === undefined ? undefined : new URLSearchParams(form).toString();
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        ...{ agent, host: '127.0.0.1', port: pair.ports[which % 2], path },
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          Host: new URL(pair.issuer).host,
          Accept: 'application/json',
          ...(body === undefined
            ? {}
            : { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (incoming) => void read(incoming).then(resolve, reject),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** So many requests at once, by turns to one and the other. */
export function race(pair: ServerPair, count: number, make: (index: number) => PairRequest): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => sendToPair(pair, index, make(index))));
}

async function read(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headersDistinct)) {
    for (const each of value ?? []) headers.append(name, each);
  }
  return {
    ...{ status: incoming.statusCode ?? 0, headers, text },
    location: headers.get('location'),
    get json() {
      return JSON.parse(text) as Record<string, unknown>;
    },
  };
}
