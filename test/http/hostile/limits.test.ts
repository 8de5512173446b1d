import { expect } from 'chai';
import { policy } from '../../../config/policy.js';
import { ada } from '../../support/contract-seed.js';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants } from '../../support/two-tenants.js';
import { endpoints, openStage, type Endpoint, type EndpointRequest, type Stage } from '../endpoints.js';
import { openSignIn, submitByHand, type Answer } from '../requests.js';
import { ask, form, manyTries } from './ask.js';
import { sendBytes } from './raw.js';
import { expectSound, expectSoundAnswer } from './sound.js';

const { limits } = policy;

describe('what is too much', function () {
  this.timeout(120_000);
  let stage: Stage;
  let rights: Map<Endpoint, EndpointRequest>;
  beforeEach(async () => {
    stage = await openStage(await startApp({ seed: seedWithTwoTenants, policy: manyTries }));
    rights = new Map();
    for (const endpoint of endpoints) rights.set(endpoint, await endpoint.request(stage));
  });
  afterEach(async () => {
    // none of it was done, and none of it did harm: the very requests that were spoilt are granted now
    for (const [endpoint, right] of rights) {
      const answer = await ask(stage, endpoint, right);
      expect(answer.status, `${endpoint.method} ${endpoint.path} ${answer.text}`).to.be.oneOf([200, 201, 204, 303]);
      expect(answer.location ?? '', endpoint.path).not.to.contain('error=');
    }
    await closeApps();
  });

  const encoded = ({ parameters }: EndpointRequest): string => new URLSearchParams(parameters).toString();
  const posts = (): [Endpoint, EndpointRequest][] => [...rights].filter(([{ method }]) => method === 'POST');

  async function expectRefused(answer: Answer, endpoint: Endpoint, status: number, why: string): Promise<void> {
    const all = `${endpoint.method} ${endpoint.path} ${why}`;
    expect(answer.status, `${all} ${answer.text}`).to.equal(status);
    expectSoundAnswer(answer, endpoint, stage.issuer, all);
  }

  it('sec-051 a body of more than 56 KiB is 413, whatever its length is said to be', async () => {
    const host = new URL(stage.issuer).host;
    for (const [endpoint, right] of posts()) {
      const room = limits.bodyBytes - encoded(right).length - '&x='.length;
      const over = `${encoded(right)}&x=${'x'.repeat(room + 1)}`;
      await expectRefused(await ask(stage, endpoint, right, over), endpoint, 413, 'a byte too long');
      const chunk = `${(60_000).toString(16)}\r\n${'x'.repeat(60_000)}\r\n0\r\n\r\n`;
      const lines = [
        `POST ${right.path} HTTP/1.1`,
        `Host: ${host}`,
        `Content-Type: ${form}`,
        'Connection: close',
      ].concat(
        Object.entries(right.headers).map(([name, value]) => `${name}: ${value}`),
        'Transfer-Encoding: chunked',
      );
      const chunked = await sendBytes(stage.running.port, `${lines.join('\r\n')}\r\n\r\n${chunk}`);
      expect([chunked.status, chunked.count], `${endpoint.path} chunked`).to.deep.equal([413, 1]);
      expectSound(chunked, endpoint.path);
    }
  });

  it('sec-051 a million bytes in any parameter are refused unread', async () => {
    for (const [endpoint, right] of posts()) {
      for (const name of Object.keys(right.parameters)) {
        const sent = `${encoded(right)}&${name}=${'x'.repeat(1024 * 1024)}`;
        await expectRefused(await ask(stage, endpoint, right, sent), endpoint, 413, name);
      }
    }
  });

  it('sec-051 more than 100 parameters are 400, in a query and in a form', async () => {
    for (const [endpoint, right] of rights) {
      const room = limits.parameters - Object.keys(right.parameters).length;
      const tooMany = `${encoded(right)}${'&x=1'.repeat(room + 1)}`.replace(/^&/, '');
      await expectRefused(await ask(stage, endpoint, right, tooMany), endpoint, 400, 'in its place');
      const path = `${right.path}?${'&'.repeat(limits.parameters)}`;
      await expectRefused(await ask(stage, endpoint, { ...right, path }, ''), endpoint, 400, 'in the query');
    }
  });

  it('sec-051 an address of more than 8 KiB is 414, and one that fills the headers 431', async () => {
    for (const [endpoint, right] of rights) {
      for (const [length, status] of [
        [limits.urlBytes + 1, 414],
        [limits.headerBytes + 1, 431],
      ] as const) {
        const path = `${right.path}?x=`.padEnd(length, 'x');
        const answer = await ask(stage, endpoint, { ...right, path }, '');
        expect(answer.status, `${endpoint.path} ${length}`).to.equal(status);
        expectSound(answer, endpoint.path);
      }
    }
  });

  it('sec-051 a scope, a state, a nonce or any other value beyond its bound is 400', async () => {
    const { other, ...byName } = limits.valueBytes;
    for (const [endpoint, right] of posts()) {
      for (const [name, bound] of [
        ...Object.entries(byName),
        ...Object.keys(right.parameters).map((name) => [name, other] as const),
      ]) {
        const bytes = Object.hasOwn(byName, name) ? byName[name as keyof typeof byName] : bound;
        const value = 'é'.repeat(Math.floor(bytes / 2)).padEnd(bytes / 2 + 1, 'x');
        const sent = `${encoded(right)}&${new URLSearchParams({ [name]: value }).toString()}`;
        await expectRefused(
          await ask(stage, endpoint, right, sent),
          endpoint,
          sent.length > limits.bodyBytes ? 413 : 400,
          name,
        );
      }
    }
    for (const [endpoint, right] of rights) {
      if (endpoint.method === 'POST') continue;
      for (const [name, bound] of Object.entries(byName)) {
        const path = `${right.path}?${name}=${'x'.repeat(bound + 1)}`;
        await expectRefused(await ask(stage, endpoint, { ...right, path }, ''), endpoint, 400, name);
      }
    }
  });

  it('sec-051 headers of more than 16 KiB, in one piece or in many, are 431', async () => {
    const host = new URL(stage.issuer).host;
    for (const header of [
      `X-Long: ${'x'.repeat(limits.headerBytes)}`,
      `Cookie: ${'a=b; '.repeat(4000)}`,
      `Authorization: Bearer ${'x'.repeat(limits.headerBytes)}`,
      Array.from({ length: limits.headers + 1 }, () => 'a:').join('\r\n'),
    ]) {
      const answer = await sendBytes(
        stage.running.port,
        `GET / HTTP/1.1\r\nHost: ${host}\r\n${header}\r\nConnection: close\r\n\r\n`,
      );
      expect([answer.status, answer.count], header.slice(0, 30)).to.deep.equal([431, 1]);
      expectSound(answer, header.slice(0, 30));
    }
  });

  it('sec-051 a password of more than 128 characters is not hashed', async () => {
    // a hash that cannot be read: whoever looks at it fails
    await stage.running.database.collection('passwords').updateMany({}, { $set: { hash: 'unreadable' } });
    for (const [length, status] of [
      [128, 500],
      [129, 422],
      [500, 422],
      [512, 422],
    ] as const) {
      const open = await openSignIn(stage.issuer);
      const answer = await submitByHand(open, 'login', { login: ada.email, password: '\u{1f511}'.repeat(length) });
      expect(answer.status, String(length)).to.equal(status);
    }
    rights.clear();
  });
});
