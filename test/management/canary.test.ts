// sec-068, sec-069: whatever address is written into the API, the server calls nobody who is not on the public internet.
import { expect } from 'chai';
import type { z } from 'zod';
import { tenantIdOf } from '../support/administered.js';
import { assertedBy, clientAssertion, newClientKey } from '../support/client-keys.js';
import { projectsApi } from '../support/contract-seed.js';
import { resolveHostile, ssrfUris, startCanary, type Canary } from '../support/ssrf.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { post } from '../http/requests.js';
import { apiOf, roleSeed, type Api } from './api.js';

describe('addresses that are written into the management API', function () {
  this.timeout(240_000);
  let running: RunningApp;
  let canary: Canary;
  let acme: string;
  let owner: Api;
  beforeEach(async () => {
    canary = await startCanary();
    running = await startApp({
      seed: roleSeed,
      egress: { allow: [], extraAuthorities: [], resolveHost: resolveHostile },
    });
    acme = await tenantIdOf(running, 'acme');
    owner = await apiOf(running, 'acme-owner');
  });
  afterEach(async () => {
    await canary.close();
    await closeApps();
  });

  it('sec-068 sec-069 the fields that hold one are these: a new one has to be tried here', () => {
    const named = running.app.operations.flatMap(({ operationId, body }) =>
      membersOf(body).flatMap((name) => (/ur[il]s?$/i.test(name) ? [`${operationId} ${name}`] : [])),
    );
    const shownOnly = ['clientUri', 'policyUri', 'tosUri', 'redirectUris', 'postLogoutRedirectUris'];
    const inCertificates = 'tlsClientAuthSanUri'; // compared with a certificate's, and called by nobody
    const ofClients = ['createClient', 'changeClient'].flatMap((id) =>
      [...shownOnly, 'jwksUri', 'backchannelLogoutUri', inCertificates].map((name) => `${id} ${name}`),
    );
    expect(named.sort()).to.deep.equal(
      [...ofClients, 'setPublicKeys jwksUri', `setPublicKeys ${inCertificates}`].sort(),
    );
  });

  it('sec-068 as the place of keys are refused, or called by nobody', async () => {
    const key = await newClientKey('ES256', 'one');
    const account = await owner.call('POST', `/tenants/${acme}/service-accounts`, {
      body: { name: 'x', roles: ['viewer'] },
    });
    const { id, clientId } = account.json as { id: string; clientId: string };
    const uris = ssrfUris(canary.port);
    expect(uris.length).to.be.greaterThan(40);
    const answers = new Set<string>();
    let registered = 0;
    for (const jwksUri of uris) {
      const saved = await owner.call('PUT', `/tenants/${acme}/service-accounts/${id}/jwks`, { body: { jwksUri } });
      expect([200, 400], `${jwksUri} ${saved.text}`).to.include(saved.status);
      if (saved.status !== 200) continue;
      registered++;
      const assertion = await clientAssertion({ clientId, audience: running.issuer, key, header: { kid: 'one' } });
      const form = { grant_type: 'client_credentials', resource: projectsApi, ...assertedBy(assertion) };
      const { status, json } = await post(running.issuer, 'token', form);
      answers.add(`${status} ${String(json['error'])} ${String(json['error_description'])}`);
    }
    expect(registered, 'some are names that only the resolver knows to be ours').to.be.greaterThan(0);
    expect([...answers]).to.have.length(1);
    expect(await canary.hits()).to.equal(0);
  });

  it('sec-069 as something that is shown are called by nobody', async () => {
    for (const uri of ssrfUris(canary.port)) {
      const fields = {
        clientUri: uri,
        policyUri: uri,
        tosUri: uri,
        redirectUris: [uri],
        jwksUri: uri,
        backchannelLogoutUri: uri,
      };
      for (const [name, value] of Object.entries(fields)) {
        const body = { name: 'App', redirectUris: ['https://app.example.com/cb'], [name]: value };
        const { status } = await owner.call('POST', `/tenants/${acme}/clients`, { body });
        expect([201, 400, 409, 429], `${name} ${uri}`).to.include(status);
      }
    }
    expect(await canary.hits()).to.equal(0);
  });
});

function membersOf(schema: z.ZodType | undefined): string[] {
  return Object.keys((schema as { shape?: object } | undefined)?.shape ?? {});
}
