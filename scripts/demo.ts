/**
 * `npm run demo`: a small relying party that signs people in at the running server and shows what its tokens say.
 *
 *     npm run demo -- --issuer http://localhost:3000 --port 3001
 *
 * Start reading at demo/demo-app.ts; what OpenID Connect asks of an app is all in demo/relying-party.ts, and what it
 * asks of an API in demo/projects-api.ts.
 */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { createDemoApp } from './demo/demo-app.js';

const options = {
  issuer: { type: 'string', default: 'http://localhost:3000' },
  port: { type: 'string', default: '3001' },
} as const;

try {
  const { values } = parseArgs({ options });
  await start(new URL(values.issuer).href.replace(/\/$/, ''), Number(values.port));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(`The demo could not start: ${error.message}`);
  process.exitCode = 1;
}

async function start(issuer: string, port: number): Promise<void> {
  let handle: RequestListener = (_req, res) => res.writeHead(503).end();
  const server = createServer((req, res) => handle(req, res));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening'); // with port 0 the system picks one, and the demo's address is known from here on
  const address = `http://localhost:${(server.address() as AddressInfo).port}`;
  const listener = createDemoApp({ issuer, address }).callback();
  handle = (req, res) => void listener(req, res);
  console.log(`The demo is at ${address} and signs people in at ${issuer}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
  }
}
