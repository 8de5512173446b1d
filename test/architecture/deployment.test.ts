// Dockerfile, docker-compose.yml and nginx.conf: linted, and held against the settings and the policy.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { validate } from 'dockerfile-utils';
import { loadConfig } from '../../config/index.js';
import { policy } from '../../config/policy.js';
import { settings } from '../../config/settings.js';
import { compose, dockerfile, nginxConf, nginxValue, readDeployment, serviceOf } from '../support/deployment.js';
import { requireTool } from '../support/tools.js';
import { makeTrialSecrets } from '../support/trial-secrets.js';
import { nodeFlags } from '../support/server-process.js';
import { finish, repository } from './planted-tree.js';

const services = Object.entries(compose.services);
const stages = dockerfile.split(/^(?=FROM )/m).slice(1);
const lastStage = stages.at(-1) ?? '';

describe('the Dockerfile', () => {
  it('has nothing that its linter would mend', () => {
    expect(validate(dockerfile)).to.deep.equal([]);
    expect(validate('FROM node\nENTRYPINT ["node"]\n')).not.to.deep.equal([]);
  });

  it('builds on images of a named version', () => {
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1] ?? '');
    expect(images).to.have.length(3);
    for (const image of images) expect(image).to.match(/^node:\d+-[a-z]+-slim$/);
  });

  it('copies what is there and what .dockerignore lets through', () => {
    const taken = readDeployment('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? '').split(' '),
    );
    expect(copied).to.include.members(['package.json', 'package-lock.json', 'src', 'views', 'locales', 'config']);
    for (const path of copied) {
      expect(existsSync(join(repository, path)), path).to.equal(true);
      expect(taken, path).to.satisfy(() => taken.includes(`!${path}`) || taken.includes(`!${path}/`));
    }
    expect(readDeployment('.dockerignore')).to.match(/^\*$/m);
  });

  it('ends with an image without development packages, run by nobody special', () => {
    expect(dockerfile).to.contain('RUN npm ci --omit=dev');
    expect(lastStage)
      .to.match(/^USER node$/m)
      .and.to.match(/^STOPSIGNAL SIGTERM$/m);
    expect(lastStage).to.contain(
      `CMD ${JSON.stringify(['node', ...nodeFlags, 'dist/src/main.js']).replaceAll(',', ', ')}`,
    );
    expect(JSON.parse(readDeployment('package.json'))).to.have.nested.property(
      'scripts.start',
      `npm run -s build && node ${nodeFlags.join(' ')} dist/src/main.js`,
    );
    expect(lastStage).not.to.contain('COPY --from=build /app/node_modules');
  });

  it('its health check passes when the server is ready, and fails when it is not or not there', async () => {
    const command = JSON.parse(/HEALTHCHECK[\s\S]*?CMD (\[.*\])/.exec(lastStage)?.[1] ?? '') as string[];
    let ready = true;
    const server = createServer((req, res) => res.writeHead(req.url === '/health/ready' && ready ? 200 : 503).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const PORT = String((server.address() as AddressInfo).port);
    const check = async (): Promise<number | null> => {
      const [program = '', ...args] = command;
      return (await finish(program, args, repository, { PATH: process.env['PATH'], PORT })).status;
    };
    expect(await check()).to.equal(0);
    ready = false;
    expect(await check()).to.equal(1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await check()).to.equal(1);
  }).timeout(60_000);
});

describe('docker-compose.yml', () => {
  it('has nothing that its linter would mend', () => {
    const lint = ['node_modules/dclint/bin/dclint.cjs', '--max-warnings', '0', 'docker-compose.yml'];
    const { status, stdout, stderr } = spawnSync(process.execPath, lint, { cwd: repository, encoding: 'utf8' });
    expect(status, stdout + stderr).to.equal(0);
  }).timeout(60_000);

  it('gives no service a root user, a capability, new privileges or a file system to write to', () => {
    expect(services.map(([name]) => name)).to.have.members(['gatehouse', 'mongodb', 'mongodb-init', 'nginx', 'redis']);
    for (const [name, service] of services) {
      expect(service.user, name)
        .to.be.a('string')
        .and.not.match(/^(root|0)\b/);
      expect(service, name).to.deep.include({ read_only: true, cap_drop: ['ALL'] });
      expect(service.security_opt, name).to.deep.equal(['no-new-privileges:true']);
    }
  });

  it('publishes nginx alone, on this machine', () => {
    expect(services.filter(([, service]) => service.ports).map(([name]) => name)).to.deep.equal(['nginx']);
    for (const port of serviceOf('nginx').ports ?? []) expect(port).to.match(/^127\.0\.0\.1:/);
  });

  it('keeps MongoDB and Redis on a network that leads nowhere and that only the server shares', () => {
    expect(compose.networks['data']).to.deep.equal({ internal: true });
    const onData = services.filter(([, { networks }]) => networks?.includes('data')).map(([name]) => name);
    expect(onData).to.have.members(['gatehouse', 'mongodb', 'mongodb-init', 'redis']);
    for (const name of ['mongodb', 'mongodb-init', 'redis']) expect(serviceOf(name).networks).to.deep.equal(['data']);
  });

  it('waits for a replica set, for Redis, and for a server that is ready', () => {
    expect(serviceOf('gatehouse').depends_on).to.deep.equal({
      'mongodb-init': { condition: 'service_completed_successfully' },
      redis: { condition: 'service_healthy' },
    });
    expect(serviceOf('nginx').depends_on).to.deep.equal({ gatehouse: { condition: 'service_healthy' } });
    for (const [name, service] of services) {
      const isChecked = name === 'mongodb-init' || name === 'gatehouse'; // by its end; by the Dockerfile
      expect(service.healthcheck !== undefined || isChecked, name).to.equal(true);
    }
  });

  it('bounds Redis and lets it forget nothing', () => {
    expect(serviceOf('redis').command?.join(' ')).to.match(/--maxmemory \d+mb --maxmemory-policy noeviction/);
  });

  it('gives the server longer to stop than it takes to drain', () => {
    const { noticeMs, drainMs } = policy.shutdown;
    expect(Number.parseInt(serviceOf('gatehouse').stop_grace_period ?? '') * 1000).to.be.above(
      noticeMs + drainMs + 3000,
    );
  });

  it('sets names that are settings, and gives secrets by file', () => {
    const environment = serviceOf('gatehouse').environment ?? {};
    for (const name of Object.keys(environment)) expect(settings).to.have.property(name.replace(/_FILE$/, ''));
    for (const [name, value] of Object.entries(environment)) {
      if (!name.endsWith('_FILE')) continue;
      expect(serviceOf('gatehouse').secrets).to.include(value.replace('/run/secrets/', ''));
    }
    expect(Object.keys(environment)).to.include.members([
      'MASTER_KEYS_FILE',
      'COOKIE_KEYS_FILE',
      'ADMIN_PASSWORD_FILE',
    ]);
  });
});

describe('deploy/make-trial-secrets.sh', () => {
  let folder: string;
  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-deploy-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('makes every file that docker-compose.yml reads, once, and the server takes them', () => {
    const made = makeTrialSecrets(folder);
    expect(Object.keys(made)).to.have.members(Object.keys(compose.secrets));
    expect(makeTrialSecrets(folder)).to.deep.equal(made);
    for (const [name, { file }] of Object.entries(compose.secrets)) expect(file).to.equal(`deploy/secrets/${name}`);
    const environment = Object.entries(serviceOf('gatehouse').environment ?? {}).map(([name, value]) => [
      name,
      value.replace('/run/secrets', join(folder, 'secrets')),
    ]);
    const config = loadConfig(Object.fromEntries(environment) as Record<string, string>);
    expect(config).to.deep.include({ issuer: 'https://localhost' });
    expect(config.http.trustedProxies).to.equal(1);
    expect(config.firstStart.adminPassword).to.equal(made['admin_password']);
  });
});

describe('deploy/nginx.conf', () => {
  const kibibytes = (value: string): number => Number(/^(\d+)k$/.exec(value)?.[1]) * 1024;
  const milliseconds = (value: string): number => Number(/^(\d+)s$/.exec(value)?.[1]) * 1000;

  it('has the limits of the policy', () => {
    const { bodyBytes, urlBytes, headerBytes, headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs } = policy.limits;
    expect(kibibytes(nginxValue('client_max_body_size'))).to.equal(bodyBytes);
    expect(kibibytes(nginxValue('client_body_buffer_size')), 'never on a disk').to.be.at.least(bodyBytes);
    const [count = '', size = ''] = nginxValue('large_client_header_buffers').split(' ');
    expect(kibibytes(size)).to.equal(urlBytes);
    expect(Number(count) * kibibytes(size)).to.equal(headerBytes);
    expect(milliseconds(nginxValue('client_header_timeout'))).to.equal(headersTimeoutMs);
    expect(milliseconds(nginxValue('client_body_timeout'))).to.equal(requestTimeoutMs);
    const ofUpstream = /upstream gatehouse \{[\s\S]*?keepalive_timeout (\S+);/.exec(nginxConf)?.[1] ?? '';
    expect(milliseconds(ofUpstream), 'ends before the server does').to.be.below(keepAliveTimeoutMs);
  });

  it('reads the secrets and reaches the server that docker-compose.yml gives it', () => {
    const { secrets = [], ports = [] } = serviceOf('nginx');
    const read = [...nginxConf.matchAll(/\/run\/secrets\/(\w+)/g)].map((match) => match[1]);
    expect(read).to.have.members(secrets);
    const listened = [...nginxConf.matchAll(/listen (\d+)/g)].map((match) => match[1]);
    expect(ports.map((port) => port.split(':').at(-1))).to.have.members(listened);
    expect(nginxConf).to.contain('server gatehouse:3000;');
    const issuer = serviceOf('gatehouse').environment?.['ISSUER'];
    expect(nginxConf).to.contain(`return 308 ${issuer}$request_uri;`);
  });

  it('leaves the headers of answers to the server, and writes no line that may hold a code', () => {
    expect(nginxConf).not.to.contain('add_header');
    expect(nginxValue('access_log')).to.equal('off');
    expect(nginxValue('error_log')).to.match(/ crit$/);
  });
});
