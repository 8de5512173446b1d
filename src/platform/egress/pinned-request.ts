import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';

export interface PinnedOptions {
  /** The only ones that are connected to, whatever the name resolves to by now. */
  addresses: readonly string[];
  secureContext: SecureContext | undefined;
  signal: AbortSignal;
  mostBytes: number;
}

/** One request on a connection of its own, and its whole answer. Knows no proxy, redirect or compression. */
export async function pinnedRequest(asked: Request, options: PinnedOptions): Promise<Response> {
  const url = new URL(asked.url);
  const body = Buffer.from(await asked.arrayBuffer());
  const own = { host: url.host, 'user-agent': 'Gatehouse', 'accept-encoding': 'identity' };
  const sent = request(url, {
    method: asked.method,
    headers: { ...Object.fromEntries(asked.headers), ...own },
    agent: false, // the global one may follow a proxy of the environment, and keeps connections
    lookup: lookupOf(options.addresses),
    rejectUnauthorized: true, // also where the environment turns it off for everybody
    signal: options.signal,
    ...(options.secureContext ? { secureContext: options.secureContext } : {}),
  });
  try {
    return await new Promise((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (answer) => void read(answer, options.mostBytes).then(resolve, reject));
      sent.end(body);
    });
  } finally {
    sent.destroy();
  }
}

function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_hostname, { all: wantsAll }, callback) => {
    const [first] = all;
    if (wantsAll) callback(null, all);
    else callback(null, first?.address ?? '', first?.family);
  };
}

async function read(answer: IncomingMessage, mostBytes: number): Promise<Response> {
  const { statusCode: status = 0, headers, rawHeaders } = answer;
  if (status < 200 || status > 599) throw new Error(`answered ${status}`);
  if (status >= 300 && status < 400) throw new Error(`answered ${status}, and no redirect is followed`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Error('answered with an encoding that was not asked for');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`answered with more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  const pairs = rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
  );
  const mayHoldBody = status !== 204 && status !== 205;
  return new Response(mayHoldBody ? Buffer.concat(chunks) : null, { status, headers: pairs });
}
