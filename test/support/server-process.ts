import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ServerProcess {
  issuer: string;
  pid: number;
  output(): string;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
  exited: Promise<number | string>;
}

const running = new Set<ChildProcess>();

export const nodeFlags = ['--enable-source-maps', '--max-old-space-size=320', '--max-semi-space-size=8'];

/** What `npm start` runs once `npm run build` has made it. */
export const builtServer = [process.execPath, ...nodeFlags, 'dist/src/main.js'];

/** Makes what `builtServer` runs. */
export function buildServer(): void {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', 'build'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout + stderr);
}

/** How the server is started from source; a test may put something in front. */
export const serverCommand: readonly string[] = [process.execPath, '--import', 'tsx', 'src/main.ts'];

/** The real process, from source unless said otherwise, with this environment and nothing else of ours. */
export async function startServerProcess(
  environment: Record<string, string>,
  ready = 'is ready at',
  [program = '', ...programArguments] = serverCommand,
): Promise<ServerProcess> {
  const port = environment['PORT'] ?? String(await freePort());
  const issuer = `http://localhost:${port}`;
  const child = spawn(program, programArguments, {
    cwd: root,
    // tests send much from one address
    env: { PATH: process.env['PATH'], PORT: port, ISSUER: issuer, RATE_LIMIT_FACTOR: '1000', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const exited = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    return (code as number | null) ?? (signal as string);
  });
  await new Promise<void>((resolve) => {
    let isReady = false;
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      isReady ||= output.includes(ready);
      if (isReady) resolve();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    void exited.then(() => resolve());
  });
  return {
    issuer,
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

export function killServerProcesses(): void {
  for (const child of running) child.kill('SIGKILL');
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
