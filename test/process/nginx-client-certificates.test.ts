// Clients with certificates behind the nginx of docker-compose.yml, as README says it is set up for them.
import { expect } from 'chai';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { postAs, escaped, header, makeCertificates, seedFor, type Certificates } from '../http/mtls-roads.js';
import { thumbprintOf, type Identity } from '../support/client-certificates.js';
import { projectsApi } from '../support/contract-seed.js';
import { X509Certificate } from 'node:crypto';
import { freePorts, startNginx, type Nginx } from '../support/nginx.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { makeTrialSecrets } from '../support/trial-secrets.js';
import type { Answer } from '../http/requests.js';

describe('client certificates behind nginx', function () {
  this.timeout(60_000);
  let made: Certificates;
  let folder: string | undefined;
  let trusted: string;
  let nginx: Nginx | undefined;
  let running: RunningApp;

  before(async function () {
    for (const tool of ['nginx', 'openssl'] as const) if (!requireTool(tool)) return this.skip();
    made = makeCertificates();
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    chmodSync(folder, 0o755); // the workers of nginx are another user when its master is root
    trusted = makeTrialSecrets(folder)['tls_certificate'] ?? '';
    const ports = await freePorts();
    running = await startApp({
      ...{ issuer: `https://localhost:${ports.httpsPort}`, port: ports.serverPort, trustedProxies: 1 },
      clientCertificates: { header, authorities: [made.authority] },
      seed: seedFor(made),
    });
    nginx = await startNginx({ folder, ...ports, asksForCertificates: true });
  });
  after(async () => {
    await nginx?.stop();
    await closeApps();
    if (folder) rmSync(folder, { recursive: true });
  });

  function tokenOf(clientId: string, identity?: Identity, headers: Record<string, string> = {}): Promise<Answer> {
    const members = { grant_type: 'client_credentials', client_id: clientId, resource: projectsApi };
    const host = { certificate: trusted };
    return postAs(`${running.issuer}/oauth2/token`, members, { host, identity, headers });
  }

  it('both methods get tokens that are bound to what nginx saw', async () => {
    for (const [clientId, identity] of [
      ['by-dn', made.job],
      ['by-key', made.own],
    ] as const) {
      const answer = await tokenOf(clientId, identity);
      expect(answer.status, `${clientId} ${answer.text}`).to.equal(200);
    }
    const { cnf } = decodeJwt(String((await tokenOf('by-dn', made.job)).json['access_token']));
    expect(cnf).to.deep.equal({ 'x5t#S256': thumbprintOf(made.job) });
  });

  it('certificates of others, expired ones and none are refused, whatever is written into the header', async () => {
    const stolen = { [header]: escaped(new X509Certificate(made.job.cert)) };
    for (const identity of [made.ofOtherAuthority, made.selfSignedJob, made.otherSubject, undefined])
      for (const headers of [{}, stolen]) expect((await tokenOf('by-dn', identity, headers)).status).to.equal(401);
    expect((await tokenOf('by-dn', made.expired)).status, 'nginx itself says no').to.equal(400);
  });
});
