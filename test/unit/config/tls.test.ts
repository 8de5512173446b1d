import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../../config/index.js';
import { makeAuthority, type Authority } from '../../support/authority.js';
import { requireTool } from '../../support/tools.js';

const https = {
  ISSUER: 'https://id.example.com',
  MASTER_KEYS: Buffer.alloc(32, 1).toString('base64url'),
  COOKIE_KEYS: 'a secret of at least thirty-two characters',
  MONGODB_URI: 'mongodb://db.example.com/gatehouse',
};

describe('the settings of TLS', () => {
  let folder: string;
  let one: Authority;
  let two: Authority;
  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    [one, two] = [makeAuthority(), makeAuthority()];
  });
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  function problemsOf(environment: Record<string, string>): readonly string[] {
    try {
      loadConfig({ ...https, ...environment });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  }

  it('are files, or PEM by the names with _FILE', () => {
    const { key, cert } = one.host;
    const expected = { certificates: cert.trim(), key: key.trim() };
    const paths = { TLS_CERT: file('cert', cert), TLS_KEY: file('key', key) };
    expect(loadConfig({ ...https, ...paths }).tls).to.deep.equal(expected);
    expect(loadConfig({ ...https, TLS_CERT_FILE: paths.TLS_CERT, TLS_KEY_FILE: paths.TLS_KEY }).tls).to.deep.equal(
      expected,
    );
    const withAuthorities = { ...paths, TLS_CLIENT_CA: file('ca', one.certificate + two.certificate) };
    expect(loadConfig({ ...https, ...withAuthorities }).clientCertificates).to.deep.equal({
      header: undefined,
      authorities: [one.certificate.trim(), two.certificate.trim()],
    });
    expect(loadConfig({ ...https, TRUSTED_PROXIES: '1', CLIENT_CERT_HEADER: 'X-Client-Cert' }).clientCertificates)
      .to.deep //
      .equal({ header: 'x-client-cert', authorities: [] });
  });

  it('that are wrong, or do not fit together, stop the start, all of them named and none shown', () => {
    const cert = file('cert', one.host.cert);
    const key = file('key', one.host.key);
    const otherKey = file('other', two.host.key);
    const ca = file('ca', one.certificate);
    const wrong: readonly [environment: Record<string, string>, problems: RegExp[]][] = [
      [{ TLS_CERT: cert }, [/^TLS_KEY is needed with TLS_CERT$/]],
      [{ TLS_KEY: key }, [/^TLS_CERT is needed with TLS_KEY$/]],
      [{ TLS_CERT: cert, TLS_KEY: otherKey }, [/^TLS_KEY is not the key of TLS_CERT$/]],
      [{ TLS_CERT: key, TLS_KEY: cert }, [/^TLS_CERT must hold certificates/, /^TLS_KEY must hold a private key/]],
      [{ TLS_CERT: cert, TLS_KEY: key, ISSUER: 'http://localhost:3000' }, [/^TLS_CERT needs an ISSUER that is https$/]],
      [{ TLS_CLIENT_CA: ca }, [/^TLS_CLIENT_CA is of use with/]],
      [{ TLS_CERT: cert, TLS_KEY: key, TLS_CLIENT_CA: cert }, [/^TLS_CLIENT_CA must hold certificates of authorities/]],
      [{ CLIENT_CERT_HEADER: 'x-client-cert' }, [/^CLIENT_CERT_HEADER needs TRUSTED_PROXIES/]],
      [
        { TLS_CERT: join(folder, 'nothing'), TLS_KEY: folder, TLS_CLIENT_CA: 'nowhere', PORT: '0' },
        [/^PORT /, /^TLS_CERT names a file/, /^TLS_KEY names a file/, /^TLS_CLIENT_CA names a file/],
      ],
    ];
    for (const [environment, expected] of wrong) {
      const problems = problemsOf(environment);
      expect(problems, problems.join('; ')).to.have.length(expected.length);
      for (const [index, pattern] of expected.entries()) expect(problems[index]).to.match(pattern);
      expect(problems.join()).not.to.contain(folder);
    }
  });
});
