import { expect } from 'chai';
import { Resolver } from 'node:dns/promises';
import { resolveByDns, resolveHost } from '../../../src/platform/egress/resolve-host.js';
import { startNameServer, type NameServer } from '../../support/name-server.js';

describe('names of outbound calls', () => {
  let server: NameServer;
  const six = '2001:db8:0:0:0:0:0:1';

  beforeEach(async () => {
    server = await startNameServer({
      'both.example.com': { A: ['192.0.2.1', '127.0.0.1'], AAAA: [six] },
      'four.example.com': { A: ['192.0.2.1'], AAAA: [] },
      'six.example.com': { A: [], AAAA: [six] },
      'broken.example.com': { A: ['192.0.2.1'], AAAA: null },
      'none.example.com': { A: [], AAAA: [] },
      'silent.example.com': {},
    });
  });
  afterEach(() => server.close());

  function resolve(name: string, signal = new AbortController().signal): Promise<string[]> {
    const resolver = new Resolver({ timeout: 5000, tries: 1 });
    resolver.setServers([server.address]);
    return resolveByDns(resolver, name, signal);
  }

  it('all addresses of both kinds are found, and one kind is enough', async () => {
    expect(await resolve('both.example.com')).to.deep.equal(['192.0.2.1', '127.0.0.1', '2001:db8::1']);
    expect(await resolve('four.example.com')).to.deep.equal(['192.0.2.1']);
    expect(await resolve('six.example.com')).to.deep.equal(['2001:db8::1']);
    expect(await resolve('broken.example.com')).to.deep.equal(['192.0.2.1']);
  });

  const codeOf = (error: NodeJS.ErrnoException): string | undefined => error.code;

  it('a name without an address is an error', async () => {
    expect(await resolve('none.example.com').catch(codeOf)).to.equal('ENODATA');
  });

  it('a server that says nothing is given up when the call is', async () => {
    const stopped = new AbortController();
    const answer = resolve('silent.example.com', stopped.signal).catch(codeOf);
    stopped.abort();
    expect(await answer).to.equal('ECANCELLED');
  });

  it('a host of the operator is looked up as the system does, hosts file and all', async () => {
    const { signal } = new AbortController();
    expect(await resolveHost('localhost', { isAllowed: true, signal })).to.include('127.0.0.1');
  });
});
