import { expect } from 'chai';
import { request } from 'node:https';
import type { Egress, EgressLimits, EgressOptions } from '../../../src/platform/egress/egress.js';
import type { ResolveHost } from '../../../src/platform/egress/resolve-host.js';
import { hostName, makeAuthority, type Authority } from '../../support/authority.js';
import { closeHttpsHosts, startHttpsHost, type HttpsHost } from '../../support/https-host.js';
import { freePort } from '../../support/server-process.js';
import { resolveHostile, ssrfUris, startCanary, type Canary } from '../../support/ssrf.js';
import { requireTool } from '../../support/tools.js';
import { failed, refusedCall, trialEgress } from '../../support/trial-egress.js';

describe('whom the outbound client reaches', () => {
  let authority: Authority;
  let host: HttpsHost;
  let canary: Canary;
  let lines: string[];

  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    authority = makeAuthority();
  });
  beforeEach(async () => {
    lines = [];
    canary = await startCanary();
    host = await startHttpsHost(authority, (_req, res) => void res.end('hello'));
  });
  afterEach(async () => {
    await canary.close();
    await closeHttpsHosts();
  });

  function egress(options: Partial<EgressOptions> = {}, limits?: Partial<EgressLimits>): Egress {
    const known = { allow: [host.hostAndPort], extraAuthorities: [authority.certificate] };
    return trialEgress({ ...known, ...options }, { limits, lines });
  }

  describe('reaches nobody but public hosts', () => {
    it('sec-068 no spelling and no road leads to a canary on this machine, and all refusals read the same', async () => {
      const client = egress({ allow: [], resolveHost: resolveHostile });
      const uris = ssrfUris(canary.port);
      expect(uris.length).to.be.greaterThan(100);
      for (const uri of uris) expect(await refusedCall(client.fetch(uri)), uri).to.equal(failed);
      expect(await canary.hits()).to.equal(0);
      expect(lines.length).to.equal(uris.length);
    });

    it('sec-068 the canary does sing for a client that is not guarded', async () => {
      const here = ['127.0.0.1', '0.0.0.0', '[::1]', '[::]', '[::ffff:7f00:1]'];
      const uris = ssrfUris(canary.port).filter((uri) => {
        const url = URL.canParse(uri) ? new URL(uri) : null;
        return url?.protocol === 'https:' && url.port !== '' && here.includes(url.hostname);
      });
      for (const uri of uris) {
        const sent = request(uri).on('error', () => undefined);
        await new Promise((resolve) => sent.on('close', resolve).end());
      }
      expect(uris).to.have.length.of.at.least(30);
      expect(await canary.hits()).to.equal(uris.length);
    });

    it('sec-068 a name is resolved once, and the connection goes where it was checked', async () => {
      const asked: string[] = [];
      const rebinding: ResolveHost = async (name) => {
        asked.push(name);
        return asked.length === 1 ? ['127.0.0.1'] : ['::1'];
      };
      const client = egress({ allow: [`${hostName}:${host.port}`], resolveHost: rebinding });
      const answer = await client.fetch(`https://${hostName}:${host.port}/keys`);
      expect(await answer.text()).to.equal('hello');
      expect(asked).to.deep.equal([hostName]);
      expect(await refusedCall(client.fetch(`https://${hostName}:${host.port}/keys`)), 'nobody at ::1').to.equal(
        failed,
      );
    });

    it('sec-068 a name that is public when it is checked and ours when it is used does not reach us', async () => {
      let asked = 0;
      const rebinding: ResolveHost = async () => (++asked === 1 ? ['93.184.215.14'] : ['127.0.0.1']);
      const client = egress({ allow: [], resolveHost: rebinding }, { timeoutMs: 300 });
      expect(await refusedCall(client.fetch(`https://rebind.example.com:${canary.port}/`))).to.equal(failed);
      expect([asked, await canary.hits()]).to.deep.equal([1, 0]);
    });

    it('sec-068 a redirect is not followed, wherever it leads', async () => {
      const targets = [
        `https://127.0.0.1:${canary.port}/`,
        `http://localhost:${canary.port}/`,
        '/elsewhere',
        'file:///',
      ];
      const client = egress();
      for (const status of [301, 302, 303, 307, 308, 300, 304]) {
        for (const location of targets) {
          host.answer = (_req, res) => void res.writeHead(status, { Location: location }).end();
          expect(await refusedCall(client.fetch(host.at('/'))), `${status} ${location}`).to.equal(failed);
        }
      }
      expect(await canary.hits()).to.equal(0);
      expect(new Set(host.asked)).to.deep.equal(new Set(['/']));
    });

    it('the operator lets through a host and port, exactly and by https alone', async () => {
      const { port, hostAndPort } = host;
      expect((await egress().fetch(host.at('/'))).status).to.equal(200);
      const others = [`https://localhost:${port}/`, `https://127.0.0.2:${port}/`, `https://127.0.0.1:${canary.port}/`];
      const spellings = [
        `http://${hostAndPort}/`,
        `https://user@${hostAndPort}/`,
        `https://[::ffff:127.0.0.1]:${port}/`,
      ];
      for (const uri of [...others, ...spellings]) expect(await refusedCall(egress().fetch(uri)), uri).to.equal(failed);
      expect(host.asked).to.have.length(1);
      expect(await canary.hits()).to.equal(0);
    });

    it('a listed name is resolved as the system knows it, others are not', async () => {
      const listed = egress({ allow: [`localhost:${host.port}`] });
      expect((await listed.fetch(`https://localhost:${host.port}/`)).status).to.equal(200);
    });

    it('a proxy of the environment is passed by', async () => {
      const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
      const kept = names.map((name) => process.env[name]);
      for (const name of names) process.env[name] = `http://127.0.0.1:${canary.port}`;
      process.env['NODE_USE_ENV_PROXY'] = '1';
      try {
        expect((await egress().fetch(host.at('/'))).status).to.equal(200);
      } finally {
        for (const [index, name] of names.entries()) {
          if (kept[index] === undefined) delete process.env[name];
          else process.env[name] = kept[index];
        }
      }
      expect(await canary.hits()).to.equal(0);
    });
  });

  describe('knows whom it speaks to', () => {
    it('a certificate of an unknown authority is refused, also where the environment lets everything through', async () => {
      const client = egress({ extraAuthorities: [] });
      const kept = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        expect(await refusedCall(client.fetch(host.at('/')))).to.equal(failed);
        expect(
          await refusedCall(egress({ extraAuthorities: [makeAuthority().certificate] }).fetch(host.at('/'))),
        ).to.equal(failed);
      } finally {
        if (kept === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = kept;
      }
      expect(host.asked).to.deep.equal([]);
    });

    it('a certificate for another name is refused', async () => {
      const name = 'other.example.com';
      const client = egress({ allow: [`${name}:${host.port}`], resolveHost: async () => ['127.0.0.1'] });
      expect(await refusedCall(client.fetch(`https://${name}:${host.port}/`))).to.equal(failed);
      const withHost = client.fetch(`https://${name}:${host.port}/`, { headers: { Host: hostName } });
      expect(await refusedCall(withHost), 'whatever the caller writes as Host').to.equal(failed);
      expect(host.asked).to.deep.equal([]);
    });
  });

  describe('tells its caller nothing, and the log everything', () => {
    it('sec-068 open, closed, refused and broken ports read the same', async () => {
      const closed = `127.0.0.1:${await freePort()}`;
      const open = `127.0.0.1:${canary.port}`; // takes the connection and speaks no TLS
      const client = egress({ allow: [closed, open], resolveHost: resolveHostile });
      for (const uri of [`https://${closed}/`, `https://${open}/`, host.at('/'), 'https://nobody.example.com/', 'x']) {
        expect(await refusedCall(client.fetch(uri)), uri).to.equal(failed);
      }
      expect(await canary.hits()).to.equal(1);
      const reasons = lines.map((line) => (JSON.parse(line) as { err: { message: string } }).err.message);
      expect(reasons[0]).to.contain('ECONNREFUSED');
      expect(reasons[2]).to.equal('must be a host on the public internet');
      expect(reasons[3]).to.contain('is not there');
      expect(new Set(reasons).size).to.equal(5);
    });

    it('the path, which may be a secret, does not stand in the log', async () => {
      host.answer = (_req, res) => void res.writeHead(302).end();
      await refusedCall(egress().fetch(host.at('/hook/hunter2')));
      expect(lines.join('')).to.contain(host.hostAndPort).and.not.contain('hunter2');
    });
  });
});
