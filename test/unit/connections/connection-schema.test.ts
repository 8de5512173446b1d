import { expect } from 'chai';
import { connectionPresets } from '../../../config/connection-presets.js';
import {
  connectionProblems,
  draftFrom,
  newConnection,
  type ConnectionPart,
} from '../../../src/platform/schemas/connection.js';
import { problemOfOutboundUri } from '../../../src/kernel/outbound-uri.js';

const ofUs = { name: 'A provider', clientId: 'us' };
const problemsOf = (...parts: ConnectionPart[]): string[] =>
  connectionProblems(draftFrom(...parts, ofUs), (uri) => problemOfOutboundUri(uri, () => false)).map(
    ({ path, message }) => `${path.join('/')} ${message}`,
  );

describe('connections as they are written', () => {
  it('presets lack nothing but what is of one customer', () => {
    for (const [name, preset] of Object.entries(connectionPresets)) {
      const given = {
        ...(name === 'microsoft'
          ? { issuer: 'https://login.microsoftonline.com/5f2a9a0c-1111-4222-8333-444455556666/v2.0' }
          : {}),
        ...(name === 'apple' ? { signer: { teamId: 'T', keyId: 'K' } } : {}),
      };
      expect(problemsOf(preset, given), name).to.deep.equal([]);
    }
  });

  it('issuers that many customers share are refused', () => {
    for (const directory of ['common', 'organizations', 'consumers', '', '{tenantid}', 'contoso.com']) {
      const issuer = `https://login.microsoftonline.com/${directory}/v2.0`;
      expect(problemsOf(connectionPresets.microsoft, { issuer }).join(), directory).to.contain('issuer');
    }
  });

  it('sec-010 an issuer that the library would not compare is refused', () => {
    for (const issuer of [
      'https://login.example.com/.well-known/openid-configuration',
      'https://login.example.com/a/.well-known/b',
      'https://login.example.com/x/../.well-known/a',
      'https://login.example.com/?tenant=1',
      'https://login.example.com/#here',
    ])
      expect(problemsOf({ issuer }).join(), issuer).to.contain('issuer must be without');
    expect(problemsOf({ issuer: 'https://login.example.com/well-known/' })).to.deep.equal([]);
  });

  it('what does not go together is told, by its member', () => {
    const issuer = 'https://login.example.com';
    expect(problemsOf({})).to.deep.equal(['issuer is missing']);
    expect(problemsOf({ issuer, scopes: ['email'] })).to.deep.equal(['scopes must hold openid']);
    expect(problemsOf({ issuer, tokenEndpoint: 'https://t.example.com' }).join()).to.contain('tokenEndpoint comes of');
    expect(problemsOf({ issuer, protocol: 'oauth2', scopes: [] })).to.deep.equal([
      'authorizationEndpoint is missing',
      'tokenEndpoint is missing',
      'userinfoEndpoint is missing',
    ]);
    expect(problemsOf({ issuer, authentication: 'secret_jwt_by_key' }).join()).to.contain('signer');
    expect(problemsOf({ issuer, claims: { subject: 'email' } }).join()).to.contain('claims');
  });

  it('sec-069 addresses that are never called are no addresses of a provider', () => {
    for (const issuer of ['http://login.example.com', 'https://127.0.0.1', 'https://localhost', 'https://[::1]', 'x'])
      expect(problemsOf({ issuer }), issuer).to.have.length(1);
  });

  it('a form holds known members alone', () => {
    expect(newConnection.safeParse({ ...ofUs, preset: 'google', clientSecret: 'x' }).success).to.equal(true);
    for (const members of [{ secret: 'x' }, { claims: { roles: 'r' } }, { scopes: ['a b'] }, { mode: 'both' }])
      expect(newConnection.safeParse({ ...ofUs, ...members }).success, JSON.stringify(members)).to.equal(false);
  });
});
