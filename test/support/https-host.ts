import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Authority } from './authority.js';

/** A host on 127.0.0.1 with a certificate; what it answers may change under way. */
export interface HttpsHost {
  port: number;
  /** As EGRESS_ALLOW names it. */
  hostAndPort: string;
  at(path: string): string;
  answer: RequestListener;
  /** Paths, in the order in which they were asked for. */
  asked: string[];
  close(): Promise<void>;
}

const open = new Set<HttpsHost>();

export async function startHttpsHost({ host: identity }: Authority, answer: RequestListener): Promise<HttpsHost> {
  const server = createServer(identity, (req: IncomingMessage, res: ServerResponse) => {
    host.asked.push(req.url ?? '');
    host.answer(req, res);
  });
  server.on('tlsClientError', () => undefined); // who does not trust it goes away
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host: HttpsHost = {
    ...{ port, answer, asked: [], hostAndPort: `127.0.0.1:${port}` },
    at: (path) => `https://127.0.0.1:${port}${path}`,
    async close() {
      if (!open.delete(host)) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  open.add(host);
  return host;
}

export async function closeHttpsHosts(): Promise<void> {
  for (const host of open) await host.close();
}
