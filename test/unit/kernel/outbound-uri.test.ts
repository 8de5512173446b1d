import { expect } from 'chai';
import { problemOfOutboundUri } from '../../../src/kernel/outbound-uri.js';
import { ssrfUris } from '../../support/ssrf.js';

const nothing = (): boolean => false;

describe('an address that we call', () => {
  const good = [
    'https://keys.example.com',
    'https://keys.example.com/',
    'https://keys.example.com/a/b.json?c=d',
    'https://keys.example.com:8443/keys',
    'https://keys.example.com./keys',
    'https://xn--bcher-kva.example/keys',
    'https://8.8.8.8/keys',
    'https://[2606:4700::1111]/keys',
    'https://localhost.example.com/',
    'https://internal.example.com/',
  ];
  for (const uri of good) {
    it(`may be ${uri}`, () => expect(problemOfOutboundUri(uri, nothing)).to.equal(null));
  }

  const bad: readonly [uri: string, why: RegExp][] = [
    ['', /plain ASCII/],
    ['https://bücher.example/', /plain ASCII/],
    ['https://keys.example.com/a b', /plain ASCII/],
    ['https://keys.example.com/#a', /plain ASCII/],
    ['https://keys.example.com\\@127.0.0.1/', /plain ASCII/],
    ['/keys', /absolute/],
    ['http://keys.example.com/', /^must be https$/],
    ['javascript:1', /^must be https$/],
    ['https://user@keys.example.com/', /user/],
    ['https://:hunter2@keys.example.com/', /^must not name a user$/],
    ['https://KEYS.example.com/', /^must be written https:\/\/keys.example.com\/$/],
    ['https://keys.example.com:443/', /^must be written/],
    ['https://keys.example.com/../a', /^must be written/],
    ['https://0x7f.1/', /^must be written https:\/\/127.0.0.1\/$/],
    ['https://127.0.0.1/', /public internet/],
    ['https://[::1]/', /public internet/],
    ['https://10.0.0.1/', /public internet/],
    ['https://localhost/', /public internet/],
    ['https://a.localhost./', /public internet/],
    ['https://intranet/', /public internet/],
    ['https://db.internal/', /public internet/],
    ['https://printer.local/', /public internet/],
  ];
  for (const [uri, why] of bad) {
    it(`may not be ${JSON.stringify(uri)}`, () => expect(problemOfOutboundUri(uri, nothing)).to.match(why));
  }

  it('may be one of the operator, by host and port exactly, and by the other rules all the same', () => {
    const problemOf = (uri: string): string | null =>
      problemOfOutboundUri(uri, (host) => ['127.0.0.1:8443', 'db.internal:443', '[::1]:443'].includes(host));
    for (const uri of ['https://127.0.0.1:8443/x', 'https://db.internal/x', 'https://[::1]/'])
      expect(problemOf(uri), uri).to.equal(null);
    const others = [
      'https://127.0.0.1/',
      'https://127.0.0.1:8444/',
      'https://db.internal:8443/',
      'https://db.internal./',
    ];
    const spelt = ['http://127.0.0.1:8443/', 'https://u@127.0.0.1:8443/', 'https://127.1:8443/', 'https://[::1]:80/'];
    for (const uri of [...others, ...spelt]) expect(problemOf(uri), uri).not.to.equal(null);
  });

  it('sec-068 only names that must be resolved pass of all that leads to this machine', () => {
    const passed = ssrfUris(8443).filter((uri) => problemOfOutboundUri(uri, nothing) === null);
    expect(passed).to.have.length.of.at.least(10);
    expect(
      passed.filter((uri) => !/^https:\/\/[a-z0-9.-]+\.(?:nip\.example\.com\.?|localdomain):8443\/$/.test(uri)),
    ).to.deep.equal([]);
  });
});
