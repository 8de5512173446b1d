import { expect } from 'chai';
import { link, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configuredSecrets } from '../../../src/platform/crypto/local-secrets.js';

describe('secrets of a first try', () => {
  let directory: string;
  const open = () => configuredSecrets({ masterKeys: undefined, cookieKeys: undefined }, directory);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('are made once, for the owner alone, and leave nothing beside them', async () => {
    const first = await open();
    expect(await open()).to.deep.equal(first);
    expect(await readdir(directory)).to.deep.equal(['secrets.json']);
    expect((await stat(join(directory, 'secrets.json'))).mode & 0o777).to.equal(0o600);
  });

  it('are the same for processes that start at once', async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 10 }, open));
    for (const other of others) expect(other).to.deep.equal(first);
  });

  it('are not touched by what a dead process left behind', async () => {
    const first = await open();
    await link(join(directory, 'secrets.json'), join(directory, `secrets.json.${process.pid}`));
    expect(await open()).to.deep.equal(first);
  });

  it('give way to configured ones, each by itself', async () => {
    const masterKeys = [Buffer.alloc(32, 1)];
    const secrets = await configuredSecrets({ masterKeys, cookieKeys: undefined }, directory);
    expect(secrets.masterKeys).to.equal(masterKeys);
    expect(secrets.cookieKeys).to.deep.equal((await open()).cookieKeys);
  });
});
