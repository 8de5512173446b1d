import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { requireTool } from '../support/tools.js';

describe('a tool that npm does not bring', () => {
  let folder: string;
  const printed: string[] = [];
  const print = console.log;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tools-'));
    printed.length = 0;
    console.log = (line: string) => printed.push(line);
  });

  afterEach(async () => {
    console.log = print;
    await rm(folder, { recursive: true });
  });

  it('is found on the path', async () => {
    await writeFile(join(folder, 'redis-server'), '');
    await chmod(join(folder, 'redis-server'), 0o755);
    expect(requireTool('redis-server', { PATH: folder, CI: 'true' })).to.equal(join(folder, 'redis-server'));
    expect(printed).to.deep.equal([]);
  });

  it('is missed in one line', () => {
    expect(requireTool('chromium', { PATH: folder })).to.equal(undefined);
    expect(printed).to.deep.equal(['chromium is not installed: the suite that needs it is skipped']);
  });

  it('is a failure to miss with CI=true', () => {
    expect(() => requireTool('chromium', { PATH: folder, CI: 'true' })).to.throw('chromium is not installed');
  });
});
