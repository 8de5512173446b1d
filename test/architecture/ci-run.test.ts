import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { finish, plantTree, repository, type Finished } from './planted-tree.js';
import { requireTool } from '../support/tools.js';

const watchdog = join(repository, '.ci/watchdog');

/** Bash lines that stand in for a command, by its name. */
type StandIns = Readonly<Record<string, string>>;

const tools: StandIns = { chromium: '', nginx: '', openssl: '', 'redis-server': '' };
const root: StandIns = { id: 'echo 0' };
const person: StandIns = { id: 'echo 1000' };

/** npm whose tests leave these counts; `extra` may make one of its commands fail. */
function npm(counts: string, extra = ''): StandIns {
  return { npm: `args="$*"\n[ "$1" != test ] || echo '${counts}' >"\${args##*summary=}"\n${extra}` };
}

describe('.ci/run', function () {
  this.timeout(30_000);
  let folder: string;

  before(function () {
    if (requireTool('timeout') === undefined) this.skip();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ci-run-'));
    await cp(join(repository, '.ci'), join(folder, '.ci'), { recursive: true });
    await mkdir(join(folder, 'bin'));
    for (const command of ['bash', 'env', 'dirname', 'mktemp', 'rm', 'timeout']) {
      const { output } = await finish('bash', ['-c', `command -v ${command}`], tmpdir());
      await symlink(output.trim(), join(folder, 'bin', command));
    }
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** Runs the script where only the stand-ins can be called; `calls` is what it called, in order. */
  async function run(...standIns: StandIns[]): Promise<Finished & { calls: string[]; lastLine: string | undefined }> {
    const callsFile = join(folder, 'calls');
    for (const [name, script] of Object.entries(Object.assign({}, ...standIns) as StandIns)) {
      const note = name === 'id' ? '' : `echo "${name} $1 CI=$CI" >>'${callsFile}'`;
      await writeFile(join(folder, 'bin', name), `#!/usr/bin/env bash\n${note}\n${script}\n`);
      await chmod(join(folder, 'bin', name), 0o755);
    }
    const finished = await finish(join(folder, '.ci/run'), [], tmpdir(), { PATH: join(folder, 'bin') });
    const calls = (await readFile(callsFile, 'utf8')).trim().split('\n');
    return { ...finished, calls, lastLine: finished.output.trimEnd().split('\n').at(-1) };
  }

  for (const script of ['run', 'watchdog']) {
    it(`${script} is valid bash`, async () => {
      expect(await finish('bash', ['-n', join(repository, '.ci', script)], repository)).to.include({ status: 0 });
    });
  }

  it('installs nothing when the tools are there, and closes with the counts', async () => {
    const { calls, lastLine, status } = await run(tools, root, npm('12 0'));
    expect(calls).to.deep.equal(['npm ci CI=true', 'npm run CI=true', 'npm test CI=true']);
    expect(lastLine).to.equal('12 passed, 0 failed');
    expect(status).to.equal(0);
  });

  it('installs missing tools as root', async () => {
    const { calls, status } = await run(root, npm('12 0'), { 'apt-get': '' });
    expect(calls.slice(0, 2)).to.deep.equal(['apt-get update CI=true', 'apt-get install CI=true']);
    expect(status).to.equal(0);
  });

  it('installs nothing as anybody else', async () => {
    const { calls } = await run(person, npm('12 0'), { 'apt-get': '' });
    expect(calls[0]).to.equal('npm ci CI=true');
  });

  it('fails with failing tests and counts them once', async () => {
    const { lastLine, status } = await run(tools, root, npm('12 3', '[ "$1" != test ]'));
    expect(lastLine).to.equal('12 passed, 3 failed');
    expect(status).to.equal(1);
  });

  it('fails with a failing check, and still runs the tests', async () => {
    const { output, lastLine, status } = await run(tools, root, npm('12 0', '[ "$1" != run ]'));
    expect(output).to.match(/^failed step: check$/m);
    expect(lastLine).to.equal('12 passed, 1 failed');
    expect(status).to.equal(1);
  });

  it('fails when the tests end without saying how', async () => {
    const { lastLine, status } = await run(tools, root, { npm: '[ "$1" != test ]' });
    expect(lastLine).to.equal('0 passed, 1 failed');
    expect(status).to.equal(1);
  });

  it('fails when nothing was tested, whatever the status', async () => {
    const { lastLine, status } = await run(tools, root, { npm: '' });
    expect(lastLine).to.equal('0 passed, 1 failed');
    expect(status).to.equal(1);
  });

  it('ends within 85 minutes even when every step hangs', async () => {
    const script = await readFile(join(repository, '.ci/run'), 'utf8');
    const limits = [...script.matchAll(/\bstep (\d+) /g)].map((match) => Number(match[1]));
    expect(limits).to.have.lengthOf(5);
    const killSeconds = 10;
    expect(limits.reduce((sum, limit) => sum + limit + killSeconds, 0)).to.be.below(85 * 60);
  });

  it('its reporter keeps the counts of a run', async () => {
    const tree = await plantTree(
      {
        'test/two.test.ts': `it('passes', () => undefined);\nit('fails', () => {\n  throw new Error('no');\n});\n`,
      },
      ['test/support/ci-reporter.cjs'],
    );
    const summary = join(folder, 'summary');
    const options = ['--reporter', 'test/support/ci-reporter.cjs', '--reporter-option', `summary=${summary}`];
    const { status, output } = await tree.run('npm', 'test', '--', ...options);
    await tree.remove();
    expect(output).to.contain('1 passing');
    expect(status).to.equal(1);
    expect(await readFile(summary, 'utf8')).to.equal('1 1\n');
  });
});

describe('.ci/watchdog', function () {
  this.timeout(30_000);

  before(function () {
    if (requireTool('timeout') === undefined) this.skip();
  });

  it('ends a command that hangs, and names its step', async () => {
    const { status, output } = await finish(watchdog, ['1', 'the step', 'sleep', '1000'], repository);
    expect(output).to.equal('watchdog: the step did not end within 1 s and was stopped\n');
    expect(status).to.equal(124);
  });

  it('ends what the command started, too', async () => {
    // output ends only when the last process that holds it has ended
    const { status } = await finish(watchdog, ['1', 'the step', 'bash', '-c', 'sleep 1000 & sleep 1000'], repository);
    expect(status).to.equal(124);
  });

  it('ends a command that ignores the polite signal', async () => {
    const stubborn = 'trap "" TERM; while :; do sleep 1; done';
    const { status, output } = await finish(watchdog, ['1', 'the step', 'bash', '-c', stubborn], repository, {
      ...process.env,
      WATCHDOG_GRACE_SECONDS: '1',
    });
    expect(output).to.contain('the step did not end within 1 s');
    expect(status).to.equal(124);
  });

  it('passes on the status of a command that ends, and gives it no input', async () => {
    expect(await finish(watchdog, ['20', 'the step', 'bash', '-c', 'cat; exit 7'], repository)).to.include({
      status: 7,
    });
    expect(await finish(watchdog, ['20', 'the step', 'true'], repository)).to.deep.equal({
      status: 0,
      output: '',
      answer: '',
    });
  });
});
