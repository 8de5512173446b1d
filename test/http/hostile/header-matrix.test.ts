import { expect } from 'chai';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants } from '../../support/two-tenants.js';
import { endpoints, openStage, type Endpoint, type EndpointRequest, type Stage } from '../endpoints.js';
import { send, type Answer } from '../requests.js';
import { ask } from './ask.js';
import { sendRequest } from './raw.js';
import { cachingOf, expectCommonHeaders, expectSound, type Given } from './sound.js';

const asBrowser = 'text/html,application/xhtml+xml,*/*;q=0.8';

describe('the headers of every answer of every endpoint', function () {
  this.timeout(60_000);
  afterEach(closeApps);

  const openWhole = async (): Promise<Stage> => openStage(await startApp({ seed: seedWithTwoTenants }));

  function asked(stage: Stage, endpoint: Endpoint, right: EndpointRequest, Accept = asBrowser): Promise<Answer> {
    return ask(stage, endpoint, { ...right, headers: { ...right.headers, Accept } });
  }

  /** A page for a browser, whatever else it is for a program. */
  function expectPage({ headers, text }: Given, why: string): void {
    expect(headers.get('content-type'), why).to.equal('text/html; charset=utf-8');
    expect(text, why).to.match(/^<!doctype html>/i);
  }

  it('sec-036 sec-037 of what was asked for rightly, by a browser and by a program', async () => {
    const stage = await openWhole();
    for (const accept of [asBrowser, 'application/json']) {
      for (const endpoint of endpoints) {
        const why = `${endpoint.method} ${endpoint.path} ${accept}`;
        const answer = await asked(stage, endpoint, await endpoint.request(stage), accept);
        expect(answer.status, why).to.be.lessThan(400);
        expectSound(answer, why, cachingOf(endpoint, answer.status));
      }
    }
  });

  it('sec-036 sec-037 of a method, a path and a type of content that it does not have', async () => {
    const { issuer } = await openWhole();
    for (const { path } of endpoints) {
      const real = path.replace(/:\w+/, 'x'.repeat(43));
      for (const Accept of [asBrowser, 'application/json']) {
        for (const method of ['DELETE', 'PUT', 'PATCH', 'PROPFIND']) {
          const answer = await send(issuer + real, { method, headers: { Accept } });
          expect(answer.status, `${method} ${path}`).to.be.oneOf([404, 405]);
          expectSound(answer, `${method} ${path}`);
          if (Accept === asBrowser && !path.startsWith('/api/')) expectPage(answer, `${method} ${path}`);
        }
        for (const beside of [`${real}/x/y`, `${real}x`, `${real}%20`, real.toUpperCase()]) {
          const answer = await send(issuer + beside, { headers: { Accept } });
          expectSound(answer, beside);
        }
        const answer = await send(issuer + real, {
          method: 'POST',
          headers: { Accept, 'Content-Type': 'text/plain' },
          body: 'x',
        });
        // who is not signed in is led to do that first
        if (!(path.startsWith('/account') && answer.status === 303)) expect(answer.status, path).to.be.within(400, 415);
        expectSound(answer, path);
      }
    }
  });

  it('sec-036 sec-037 of HEAD and OPTIONS, which say no more than GET would', async () => {
    const { issuer } = await openWhole();
    for (const { path, kind } of endpoints) {
      const real = path.replace(/:\w+/, 'x'.repeat(43));
      for (const method of ['HEAD', 'OPTIONS']) {
        for (const preflight of [{}, { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' }]) {
          const answer = await send(issuer + real, { method, headers: preflight });
          const why = `${method} ${path} ${JSON.stringify(preflight)}`;
          expect(answer.status, why).to.be.lessThan(500);
          expect(answer.headers.get('access-control-allow-credentials'), why).to.equal(null);
          expectCommonHeaders(
            answer.headers,
            why,
            answer.status < 300 && method !== 'OPTIONS' ? cachingOf({ path, kind }, 200) : {},
          );
          if (method === 'HEAD') expect(answer.text, why).to.equal('');
        }
      }
    }
  });

  it('sec-036 sec-037 of too many requests', async () => {
    const stage = await openStage(await startApp({ seed: seedWithTwoTenants }));
    const rights = new Map<Endpoint, EndpointRequest>();
    for (const endpoint of endpoints) rights.set(endpoint, await endpoint.request(stage));
    const crowded = await startApp({ sharedWith: stage.running, rateLimitFactor: 0.001 });
    const { host } = new URL(stage.issuer);
    const limited: string[] = [];
    for (const [{ method, path }, right] of rights) {
      const encoded = new URLSearchParams(right.parameters).toString();
      const written = method === 'GET' ? { target: `${right.path}?${encoded}` } : { target: right.path, body: encoded };
      for (const accept of [asBrowser, 'application/json']) {
        const headers = Object.entries({ ...right.headers, Accept: accept }).map((header) => header.join(': '));
        const answer = await sendRequest(crowded.port, { host, method, headers, ...written });
        if (answer.status !== 429) continue;
        limited.push(path);
        expectSound(answer, `429 ${path}`);
        expect(answer.headers.get('retry-after'), path).to.match(/^\d+$/);
        if (accept === asBrowser) expectPage(answer, path);
      }
    }
    expect(limited).to.include.members(['/sign-in/:uid/login', '/oauth2/token', '/oauth2/authorize', '/device']);
  });

  it('sec-036 sec-037 sec-077 of a fault of ours: no more than a reference', async () => {
    let broken = false;
    const now = (): Date => {
      if (broken) throw new Error('planted-detail');
      return new Date();
    };
    const stage = await openStage(await startApp({ seed: seedWithTwoTenants, now }));
    const rights = new Map<Endpoint, EndpointRequest>();
    for (const endpoint of endpoints) rights.set(endpoint, await endpoint.request(stage));
    broken = true;
    const faulty: string[] = [];
    for (const [endpoint, right] of rights) {
      for (const accept of [asBrowser, 'application/json']) {
        const why = `${endpoint.method} ${endpoint.path}`;
        const answer = await asked(stage, endpoint, right, accept);
        expect(answer.status, why).to.be.oneOf([200, 204, 303, 400, 401, 500]);
        expectSound(answer, why, { ...cachingOf(endpoint, answer.status), faulty: true });
        expect(answer.text + (answer.location ?? ''), why).not.to.contain('planted-detail');
        if (answer.status === 500) {
          faulty.push(endpoint.path);
          if (accept === asBrowser) expectPage(answer, why);
        }
      }
    }
    expect(new Set(faulty).size, faulty.join()).to.be.greaterThan(10);
    expect(stage.running.logLines.join('')).to.contain('planted-detail');
  });
});
