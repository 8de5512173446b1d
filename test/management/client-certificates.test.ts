// Certificates of services and clients, registered by the API.
import { expect } from 'chai';
import { tenantIdOf } from '../support/administered.js';
import { certifiedJwk, makeClientAuthority, makeSelfSigned, type Identity } from '../support/client-certificates.js';
import { projectsApi, redirectUri } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp, type StartOptions } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';
import { send, type Answer } from '../http/requests.js';
import { apiOf, roleSeed, type Api } from './api.js';

const header = 'x-client-cert';
type Fields = { pointer: string }[];

describe('client certificates by the management API', () => {
  let running: RunningApp;
  let owner: Api;
  let acme: string;
  let job: Identity;
  let own: Identity;
  let authority: string;

  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    const made = makeClientAuthority('Authority of clients');
    job = made.issue('/O=Acme/CN=job');
    authority = made.certificate;
    made.remove();
    own = makeSelfSigned('/CN=own');
  });
  afterEach(closeApps);

  async function start(options: StartOptions = {}): Promise<void> {
    running = await startApp({ seed: roleSeed, ...options });
    owner = await apiOf(running, 'acme-owner');
    acme = await tenantIdOf(running, 'acme');
  }

  const startWithRoad = (): Promise<void> =>
    start({ trustedProxies: 1, clientCertificates: { header, authorities: [authority] } });

  async function newAccount(): Promise<{ path: string; clientId: string }> {
    const body = { name: 'Nightly job', roles: ['editor'] };
    const { status, text, json } = await owner.call('POST', `/tenants/${acme}/service-accounts`, { body });
    expect(status, text).to.equal(201);
    const { id, clientId } = json as { id: string; clientId: string };
    return { path: `/tenants/${acme}/service-accounts/${id}/jwks`, clientId };
  }

  const tokenOf = (clientId: string, { cert }: Identity): Promise<Answer> =>
    send(`${running.issuer}/oauth2/token`, {
      method: 'POST',
      headers: { [header]: encodeURIComponent(cert) },
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, resource: projectsApi }),
    });

  const bySubject = { tokenEndpointAuthMethod: 'tls_client_auth', tlsClientAuthSubjectDn: 'CN=job,O=Acme' };
  const byKey = (): object => ({
    tokenEndpointAuthMethod: 'self_signed_tls_client_auth',
    jwks: { keys: [certifiedJwk(own)] },
  });

  it('a service is known by the subject of its certificate, and its tokens are bound when it says so', async () => {
    await startWithRoad();
    const { path, clientId } = await newAccount();
    const body = { ...bySubject, tlsClientCertificateBoundAccessTokens: true };
    const answer = await owner.call('PUT', path, { body });
    expect(answer.status, answer.text).to.equal(200);
    expect((await owner.call('GET', path)).json).to.deep.include({ ...body, jwks: null, tlsClientAuthSanDns: null });
    expect((await tokenOf(clientId, job)).status).to.equal(200);
    expect((await tokenOf(clientId, own)).status).to.equal(401);
    const again = await owner.call('PUT', path, { body: answer.json }); // what is shown can be sent
    expect(again.json).to.deep.equal(answer.json);
  });

  it('a service is known by a certificate of its own', async () => {
    await startWithRoad();
    const { path, clientId } = await newAccount();
    const answer = await owner.call('PUT', path, { body: byKey() });
    expect(answer.status, answer.text).to.equal(200);
    expect((await tokenOf(clientId, own)).status).to.equal(200);
    expect((await tokenOf(clientId, job)).status).to.equal(401);
  });

  it('a client of a tenant is registered with a subject, and keeps it when something else changes', async () => {
    await startWithRoad();
    const wanted = { name: 'An app', redirectUris: [redirectUri], ...bySubject };
    const made = await owner.call('POST', `/tenants/${acme}/clients`, { body: wanted });
    expect(made.status, made.text).to.equal(201);
    expect(made.json).to.deep.include({ ...bySubject, secret: null });
    const path = `/tenants/${acme}/clients/${String(made.json['clientId'])}`;
    const headers = { 'If-Match': made.headers.get('etag') ?? '', 'Content-Type': 'application/merge-patch+json' };
    const changed = await owner.call('PATCH', path, { body: { name: 'Another name' }, headers });
    expect(changed.status, changed.text).to.equal(200);
    expect(changed.json).to.deep.include({ ...bySubject, name: 'Another name' });
  });

  it('a client is moved to another name, and away from certificates', async () => {
    await startWithRoad();
    const wanted = { name: 'An app', redirectUris: [redirectUri], ...bySubject };
    const made = await owner.call('POST', `/tenants/${acme}/clients`, { body: wanted });
    const path = `/tenants/${acme}/clients/${String(made.json['clientId'])}`;
    const none = { tlsClientAuthSubjectDn: null, tlsClientAuthSanDns: null };
    for (const change of [
      { tlsClientAuthSubjectDn: null, tlsClientAuthSanDns: 'job.example.com' },
      { ...none, tokenEndpointAuthMethod: 'client_secret_basic', tlsClientCertificateBoundAccessTokens: null },
      { name: 'Another name' },
      { dpopBoundAccessTokens: true },
      { dpopBoundAccessTokens: null },
    ]) {
      const changed = await owner.call('PATCH', path, { body: change });
      expect(changed.status, `${JSON.stringify(change)} ${changed.text}`).to.equal(200);
      expect(changed.json).to.deep.include(change);
    }
  });

  it('what does not fit together is refused, with its place', async () => {
    await startWithRoad();
    const { path } = await newAccount();
    const jwk = certifiedJwk(own);
    const { x5c: _certificate, ...bare } = jwk;
    const wrong: readonly [body: object, pointer: string][] = [
      [{ tokenEndpointAuthMethod: 'tls_client_auth' }, '/tokenEndpointAuthMethod'],
      [{ ...bySubject, tlsClientAuthSanDns: 'a.example' }, '/tlsClientAuthSanDns'],
      [{ ...bySubject, tlsClientAuthSubjectDn: 'nonsense' }, '/tlsClientAuthSubjectDn'],
      [{ ...bySubject, jwks: { keys: [jwk] } }, '/jwks'],
      [{ ...byKey(), jwks: null }, '/jwks'],
      [{ ...byKey(), jwksUri: 'https://a.example/keys' }, '/jwksUri'],
      [{ ...byKey(), jwks: { keys: [bare] } }, '/jwks/keys/0'],
      [{ ...byKey(), jwks: { keys: [{ ...jwk, x5c: ['AAAA'] }] } }, '/jwks/keys/0'],
      [{ ...byKey(), jwks: { keys: [{ ...jwk, x5c: certifiedJwk(job)['x5c'] }] } }, '/jwks/keys/0'],
      [{ jwks: { keys: [jwk] } }, '/jwks/keys/0'],
      [{ jwks: { keys: [bare] }, tlsClientAuthSanDns: 'a.example' }, '/tlsClientAuthSanDns'],
      [
        { ...bySubject, tlsClientCertificateBoundAccessTokens: true, dpopBoundAccessTokens: true },
        '/dpopBoundAccessTokens',
      ],
    ];
    for (const [body, pointer] of wrong) {
      const { status, text, json } = await owner.call('PUT', path, { body });
      expect(status, `${pointer} ${text}`).to.equal(400);
      expect(json['errors'], text).to.satisfy((fields: Fields) => fields.some((field) => field.pointer === pointer));
      expect(text).not.to.contain('tls_client_auth_san'); // names of members are those of the API
    }
  });

  it('all of it is refused where no certificate can come', async () => {
    await start();
    const { path } = await newAccount();
    const bare = { ...certifiedJwk(own), x5c: undefined };
    const bound = { jwks: { keys: [bare] }, tlsClientCertificateBoundAccessTokens: true };
    for (const body of [bySubject, byKey(), bound])
      expect((await owner.call('PUT', path, { body })).status).to.equal(400);
    const wanted = { name: 'An app', redirectUris: [redirectUri], ...bySubject };
    expect((await owner.call('POST', `/tenants/${acme}/clients`, { body: wanted })).status).to.equal(400);
    const metadata = await send(`${running.issuer}/.well-known/openid-configuration`);
    expect(metadata.text).not.to.contain('tls_client');
  });
});
