// The entry of the package for APIs: that it leads to what the build makes, and that the README uses it rightly.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import * as client from 'openid-client';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { freePort } from '../support/server-process.js';
import { repository } from './planted-tree.js';

const source = 'src/verifier/index.ts';
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

describe('the entry for APIs', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'verifier-'))));
  afterEach(() => rm(folder, { recursive: true }));
  afterEach(closeApps);

  it('leads to what the build makes of its source', () => {
    const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, Record<string, string>> };
    expect(exports).to.deep.equal({
      './verifier': { types: './dist/src/verifier/index.d.ts', default: './dist/src/verifier/index.js' },
    });
    expect(existsSync(join(repository, source))).to.equal(true);
    const { compilerOptions } = JSON.parse(read('tsconfig.build.json')) as { compilerOptions: object };
    expect(compilerOptions).to.include({ outDir: 'dist', rootDir: '.', declaration: true });
  });

  it('is used in the README as it works', async () => {
    const { issuer } = await startApp();
    const port = await freePort();
    const example = /<!-- verifier example -->\s*```js\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? '';
    const text = example
      .replace('gatehouse/verifier', pathToFileURL(join(repository, source)).href)
      .replace('http://localhost:3000', issuer)
      .replaceAll('4000', String(port));
    await writeFile(join(folder, 'api.mjs'), text);
    const { api } = (await import(pathToFileURL(join(folder, 'api.mjs')).href)) as { api: Server };
    try {
      if (!api.listening) await once(api, 'listening');
      const { configuration } = await relyingParty(issuer, 'acme-ci', ciKey);
      const call = async (scope: string): Promise<[number, string]> => {
        const { access_token: token } = await client.clientCredentialsGrant(configuration, {
          resource: projectsApi,
          scope,
        });
        const answer = await fetch(`http://localhost:${port}/`, { headers: { Authorization: `Bearer ${token}` } });
        return [answer.status, await answer.text()];
      };
      expect(await call('projects:read')).to.deep.equal([200, 'The projects of acme, for acme-ci']);
      expect(await call('projects:write')).to.deep.equal([403, '']);
    } finally {
      api.close();
      api.closeAllConnections();
    }
  });
});
