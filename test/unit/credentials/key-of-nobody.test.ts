import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { keyOfNobody } from '../../../src/credentials/passkey-ceremony.js';

const folder = join(import.meta.dirname, '../../..');
const program = `
import { keyOfNobody } from './src/credentials/passkey-ceremony.ts';
for (let made = 0; made < 20_000; made++) keyOfNobody();
console.log('made');
`;

describe('the key of nobody', function () {
  this.timeout(60_000);

  it('is a point of P-256 in COSE, another one each time', () => {
    const keys = [keyOfNobody(), keyOfNobody()].map((key) => Buffer.from(key, 'base64url'));
    const form = /^a5010203262001215820[0-9a-f]{64}225820[0-9a-f]{64}$/;
    for (const key of keys) expect(key.toString('hex')).to.match(form);
    expect(keys[0]).not.to.deep.equal(keys[1]);
  });

  // Node.js 20 waits for itself when it collects what has made a key while that same key is exported as a JWK
  it('is made as often as wanted, however little memory there is, and nothing stands still', () => {
    const flags = ['--max-semi-space-size=1', '--import', 'tsx', '--input-type=module', '-e', program];
    const options = { cwd: folder, encoding: 'utf8', timeout: 40_000, killSignal: 'SIGKILL' } as const;
    const { stdout, signal } = spawnSync(process.execPath, flags, options);
    expect([stdout.trim(), signal]).to.deep.equal(['made', null]);
  });
});
