import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../../config/index.js';
import { settings, type Setting } from '../../../config/settings.js';

const root = resolve(import.meta.dirname, '../../..');
const example = readFileSync(resolve(root, '.env.example'), 'utf8');

describe('.env.example', () => {
  it('is what the settings generate', () => {
    const script = resolve(root, 'scripts/generate-env-example.ts');
    const run = spawnSync(process.execPath, ['--import', 'tsx', script, '--check'], { cwd: root, encoding: 'utf8' });
    expect(run.status, run.stderr).to.equal(0);
  });

  it('names every setting once, with its default and nothing secret', () => {
    for (const [name, setting] of Object.entries(settings) as [string, Setting<unknown>][]) {
      const lines = example.split('\n').filter((line) => line.startsWith(`#${name}=`));
      expect(lines, name).to.deep.equal([`#${name}=${setting.fallback ?? ''}`]);
      if (setting.secret) expect(setting.fallback, name).to.equal(undefined);
    }
  });

  it('changes nothing when its lines are made active', () => {
    const pairs = [...example.matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]);
    expect(loadConfig(Object.fromEntries(pairs) as Record<string, string>)).to.deep.equal(loadConfig({}));
  });
});
