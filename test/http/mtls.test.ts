// Clients that prove who they are with a certificate (RFC 8705), on both roads by which one comes.
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { makeAuthority, type Authority } from '../support/authority.js';
import { makeClientAuthority, thumbprintOf, type Identity } from '../support/client-certificates.js';
import { projectsApi } from '../support/contract-seed.js';
import { fetchTrusting } from '../support/fetch-trusting.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { closeTlsFronts } from '../support/tls-front.js';
import { requireTool } from '../support/tools.js';
import { expectOAuthError, send, type Answer } from './requests.js';
import {
  behindProxy,
  direct,
  header,
  makeCertificates,
  postAs,
  roads,
  seedFor,
  type Certificates,
} from './mtls-roads.js';

describe('client certificates (RFC 8705)', () => {
  let host: Authority;
  let made: Certificates;

  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    host = makeAuthority();
    made = makeCertificates();
  });
  afterEach(async () => {
    await closeTlsFronts();
    await closeApps();
  });

  const tokenOf = (
    { issuer }: RunningApp,
    clientId: string,
    identity?: Identity,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const members = { grant_type: 'client_credentials', client_id: clientId, resource: projectsApi };
    return postAs(`${issuer}/oauth2/token`, members, { host, identity, headers });
  };

  for (const road of roads) {
    describe(road.name, () => {
      let running: RunningApp;
      beforeEach(async () => {
        running = await road.start(host, made.authority, { seed: seedFor(made) });
      });

      it('tls_client_auth takes the certificate of the subject, and binds the token to it', async () => {
        const answer = await tokenOf(running, 'by-dn', made.job);
        expect(answer.status, answer.text).to.equal(200);
        const { cnf } = decodeJwt(String(answer.json['access_token']));
        expect(cnf).to.deep.equal({ 'x5t#S256': thumbprintOf(made.job) });
      });

      const wrong: readonly (keyof Certificates | undefined)[] = [
        ...(['ofOtherAuthority', 'expired', 'selfSignedJob', 'otherSubject', 'own'] as const),
        undefined,
      ];
      it(`tls_client_auth refuses all others: ${wrong.join(', ')}`, async () => {
        for (const name of wrong)
          expectOAuthError(
            await tokenOf(running, 'by-dn', name && (made[name] as Identity)),
            401,
            'invalid_client',
            `${name}`,
          );
      });

      it('self_signed_tls_client_auth takes the certificate that is registered, and no other', async () => {
        const answer = await tokenOf(running, 'by-key', made.own);
        expect(answer.status, answer.text).to.equal(200);
        expect(decodeJwt(String(answer.json['access_token']))).not.to.have.property('cnf'); // it did not ask for that
        for (const identity of [made.otherKey, made.job, undefined])
          expectOAuthError(await tokenOf(running, 'by-key', identity), 401, 'invalid_client');
      });

      it('sec-078 a header that says something about a certificate changes nothing', async () => {
        const claims = Object.fromEntries(
          [
            header,
            'client-cert',
            'x-ssl-cert',
            'ssl-client-cert',
            'x-ssl-client-verify',
            'x-forwarded-client-cert',
          ].map((name) => [name, encodeURIComponent(made.job.cert)]),
        );
        for (const identity of [undefined, made.otherSubject])
          expectOAuthError(await tokenOf(running, 'by-dn', identity, claims), 401, 'invalid_client');
        expect((await tokenOf(running, 'by-dn', made.job, { ...claims, [header]: 'nonsense' })).status).to.equal(200);
      });

      it('discovery names both methods and bound tokens', async () => {
        const metadata = await fetchTrusting(host.certificate)(`${running.issuer}/.well-known/openid-configuration`);
        const json = (await metadata.json()) as Record<string, unknown>;
        expect(json['token_endpoint_auth_methods_supported']).to.include.members([
          'tls_client_auth',
          'self_signed_tls_client_auth',
        ]);
        expect(json['tls_client_certificate_bound_access_tokens']).to.equal(true);
      });
    });
  }

  for (const road of [direct, behindProxy]) {
    it(`a registered certificate is of no use the day after it has expired, ${road.name}`, async () => {
      const now = (): Date => new Date(Date.now() + 2 * 86_400_000);
      const running = await road.start(host, made.authority, { seed: seedFor(made), now });
      expectOAuthError(await tokenOf(running, 'by-key', made.own), 401, 'invalid_client');
      expectOAuthError(await tokenOf(running, 'by-dn', made.job), 401, 'invalid_client');
    });
  }

  it('without authorities of our own the proxy has verified what it hands over', async () => {
    const options = { seed: seedFor(made), clientCertificates: { header, authorities: [] } };
    const running = await behindProxy.start(host, made.authority, options);
    expect((await tokenOf(running, 'by-dn', made.ofOtherAuthority)).status).to.equal(200);
    for (const identity of [made.otherSubject, made.expired, undefined])
      expectOAuthError(await tokenOf(running, 'by-dn', identity), 401, 'invalid_client');
  });

  it('a header that comes twice, or holds no certificate, is none', async () => {
    const running = await startApp({
      ...{ seed: seedFor(made), trustedProxies: 1, clientCertificates: { header, authorities: [made.authority] } },
    });
    const good = encodeURIComponent(made.job.cert);
    const ask = (...values: string[]): Promise<Answer> =>
      send(`${running.issuer}/oauth2/token`, {
        method: 'POST',
        headers: values.map((value): [string, string] => [header, value]),
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'by-dn', resource: projectsApi }),
      });
    expect((await ask(good)).status).to.equal(200);
    for (const values of [
      [good, good],
      ['%'],
      [':AAAA:'],
      ['-----BEGIN CERTIFICATE-----'],
      [made.job.cert.slice(27, 60)],
    ])
      expectOAuthError(await ask(...values), 401, 'invalid_client', values.join());
  });

  const byNames: readonly [member: string, value: string, names: string, others: string[]][] = [
    ['san_dns', 'job.example.com', 'DNS:JOB.example.com', ['DNS:*.example.com', 'URI:job.example.com', 'email:a@b.c']],
    ['san_uri', 'spiffe://acme/job', 'DNS:a.b,URI:spiffe://acme/job', ['URI:spiffe://acme/job2', 'DNS:spiffe']],
    ['san_ip', '2001:db8::1', 'IP:2001:DB8:0:0:0:0:0:1', ['IP:2001:db8::2', 'DNS:2001']],
    ['san_ip', '192.0.2.7', 'IP:192.0.2.7', ['IP:192.0.2.70', 'DNS:192.0.2.7']],
    ['san_email', 'job@example.com', 'email:job@EXAMPLE.com', ['email:job@example.org', 'email:JOB@example.com']],
  ];
  for (const [member, value, names, others] of byNames) {
    it(`tls_client_auth_${member} ${value} is of a certificate with ${names} alone`, async () => {
      const authority = makeClientAuthority('Authority of names');
      try {
        const service = {
          ...{
            clientId: 'by-name',
            name: 'A service',
            roles: ['editor'],
            token_endpoint_auth_method: 'tls_client_auth',
          },
          [`tls_client_auth_${member}`]: value,
        } as never;
        const running = await direct.start(host, authority.certificate, { seed: seedFor(made, [service]) });
        const answer = await tokenOf(running, 'by-name', authority.issue(`/CN=${value.replaceAll('/', '\\/')}`, names));
        expect(answer.status, answer.text).to.equal(200);
        for (const other of [...others, undefined])
          expectOAuthError(
            await tokenOf(running, 'by-name', authority.issue(`/CN=${value.replaceAll('/', '\\/')}`, other)),
            401,
            'invalid_client',
            other,
          );
      } finally {
        authority.remove();
      }
    });
  }
});
