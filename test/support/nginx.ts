import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxConf } from './deployment.js';
import { eventually } from './eventually.js';
import { freePort } from './server-process.js';

export interface Nginx {
  /** What `nginx -t` said of the configuration. */
  verdict: string;
  stop(): Promise<void>;
}

export interface NginxOptions {
  /** Where its files go; holds `secrets/` as docker-compose.yml mounts it. */
  folder: string;
  httpsPort: number;
  httpPort: number;
  serverPort: number;
  /** With the line that deploy/nginx.conf has for them as a comment. */
  asksForCertificates?: boolean;
}

/** The nginx of docker-compose.yml on this machine: deploy/nginx.conf with other ports and paths, and nothing else. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { folder, httpsPort, httpPort, serverPort } = options;
  const replaced: [from: string, to: string][] = [
    ['/tmp/', `${folder}/`],
    ['listen 8443 ssl;', `listen 127.0.0.1:${httpsPort} ssl;`],
    ['listen 8080;', `listen 127.0.0.1:${httpPort};`],
    ['server gatehouse:3000;', `server 127.0.0.1:${serverPort};`],
    ['return 308 https://localhost$request_uri;', `return 308 https://localhost:${httpsPort}$request_uri;`],
    ['/run/secrets/', `${join(folder, 'secrets')}/`],
    ...(options.asksForCertificates ? [['# ssl_verify_client', 'ssl_verify_client'] as [string, string]] : []),
  ];
  let text = nginxConf;
  for (const [from, to] of replaced) {
    if (!text.includes(from)) throw new Error(`nginx.conf has no "${from}"`);
    text = text.replaceAll(from, to);
  }
  const path = join(folder, 'nginx.conf');
  writeFileSync(path, text);
  const check = spawnSync('nginx', ['-t', '-c', path], { encoding: 'utf8' });
  if (check.status !== 0) throw new Error(check.stderr);
  const child = spawn('nginx', ['-c', path, '-g', 'daemon off;'], { stdio: 'inherit' });
  await eventually(async () => {
    const socket = connect(httpsPort, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
  });
  return {
    verdict: check.stderr,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

export async function freePorts(): Promise<Pick<NginxOptions, 'httpsPort' | 'httpPort' | 'serverPort'>> {
  return { httpsPort: await freePort(), httpPort: await freePort(), serverPort: await freePort() };
}
