import { expect } from 'chai';
import { normalizeTargetUri } from '../../../src/verifier/target-uri.js';

describe('a target URI in its normal form', () => {
  const same: [string, string][] = [
    ['https://api.example.com', 'https://api.example.com/'],
    ['HTTPS://API.Example.COM/', 'https://api.example.com/'],
    ['https://api.example.com:443/a', 'https://api.example.com/a'],
    ['http://api.example.com:80/a', 'http://api.example.com/a'],
    ['https://api.example.com/a/./b/../c', 'https://api.example.com/a/c'],
    ['https://api.example.com/a/%2e%2E/c', 'https://api.example.com/c'],
    ['https://api.example.com/%7eada/%c3%a4', 'https://api.example.com/~ada/%C3%A4'],
    ['https://api.example.com/a?b=/../c#d', 'https://api.example.com/a'],
    ['https://api.example.com/a#?b', 'https://api.example.com/a'],
    ['https://[::1]:8443/a', 'https://[::1]:8443/a'],
  ];
  for (const [text, normal] of same)
    it(`${text} is ${normal}`, () => expect(normalizeTargetUri(text)).to.equal(normal));

  it('what means something else stays something else', () => {
    const different = ['/a', '/A', '/a/', '/a%2Fb', '/a/b', '//a', '/a;b', '/a%3Bb', '/a%252Fb'];
    const normal = different.map((path) => normalizeTargetUri(`https://api.example.com${path}`));
    expect(normal).not.to.include(null);
    expect(new Set(normal)).to.have.property('size', different.length);
  });

  const none = ['', '/a', 'api.example.com/a', '//api.example.com/a', 'https:api.example.com', 'ftp://api.example.com/']
    .concat(
      'https://',
      'https://?a',
      'https://api.example.com:x/',
      'https://ada@api.example.com/',
      'https://a:b@c.example/',
    )
    .concat(' https://api.example.com/', 'https://api.example.com/a b', 'https://api.example.com/\ta')
    .concat('https://api.example.com\\a', 'https://api.example.com/ä', 'https://api.example.com/\0');
  for (const text of none) it(`${JSON.stringify(text)} is none`, () => expect(normalizeTargetUri(text)).to.equal(null));
});
