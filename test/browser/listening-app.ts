import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SeedInput } from '../../src/seeding/index.js';
import { contractSeed, projectsApi } from '../support/contract-seed.js';

/** The smallest app there is: it listens at its redirect URI and shows a page there. */
export interface ListeningApp {
  origin: string;
  redirectUri: string;
  /** Two tenants for one person, an app of the house and one of somebody else; both come back to `redirectUri`. */
  seed: SeedInput;
  close(): Promise<void>;
}

export const thirdPartyName = 'Report viewer';

const answer: RequestListener = (req, res) => {
  if (req.url === '/favicon.ico') return res.writeHead(204).end();
  return res
    .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
    .end('<!doctype html><html lang="en"><title>Back</title><h1>Back at the app</h1>');
};

export async function listeningApp(tls?: { key: string; cert: string }): Promise<ListeningApp> {
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `${tls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    redirectUri: `${origin}/callback`,
    seed: seedFor(origin),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function seedFor(origin: string): SeedInput {
  const [resource] = contractSeed.resources ?? [];
  const [tenant] = contractSeed.tenants ?? [];
  const [person] = contractSeed.users ?? [];
  const [web] = contractSeed.clients ?? [];
  if (!resource || !tenant || !person || !web) throw new Error('the seed of the contract has become smaller');
  const client = { ...web, redirect_uris: [`${origin}/callback`], post_logout_redirect_uris: [`${origin}/`] };
  return {
    resources: [resource],
    tenants: [tenant, { slug: 'ada', name: 'Ada Lovelace', type: 'personal' }],
    users: [
      {
        ...person,
        memberships: [
          { tenant: 'acme', roles: ['editor'] },
          { tenant: 'ada', roles: ['owner'] },
        ],
      },
    ],
    clients: [
      { ...client, client_name: 'Project board' },
      {
        ...client,
        client_id: 'report-viewer',
        client_name: thirdPartyName,
        client_uri: `${origin}/`,
        policy_uri: `${origin}/privacy`,
        tos_uri: `${origin}/terms`,
        firstParty: false,
        resources: [projectsApi],
      },
    ],
  };
}
