import { expect } from 'chai';
import type { mongo } from 'mongoose';
import { policy } from '../../config/policy.js';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { authorizeUrl, post, send, tokensOf, type Answer } from './requests.js';

const atOnce = 3;
const slowMs = 1000;

describe('F14 more requests at once than a process takes', () => {
  let running: RunningApp;

  beforeEach(async () => {
    running = await startApp({
      policy: { ...policy, limits: { ...policy.limits, requestsInFlight: atOnce } },
      monitorCommands: true,
    });
  });
  afterEach(async () => {
    await failPoint('off');
    await closeApps();
  });

  const service = (): Promise<Answer> =>
    post(running.issuer, 'token', { grant_type: 'client_credentials', resource: projectsApi }, ['acme-ci', ciKey]);

  /** Of MongoDB and of the embedded database: reads take their time. */
  function failPoint(mode: 'alwaysOn' | 'off'): Promise<unknown> {
    return running.database.connection
      .getClient()
      .db('admin')
      .command({
        configureFailPoint: 'failCommand',
        mode,
        ...(mode === 'off' ? {} : { data: { failCommands: ['find'], blockConnection: true, blockTimeMS: slowMs } }),
      });
  }

  /** Resolves when the app has asked the database for so much more. */
  function reads(count: number): Promise<void> {
    return new Promise((resolve) => {
      running.database.connection.getClient().on('commandStarted', ({ commandName }: mongo.CommandStartedEvent) => {
        if (commandName === 'find' && --count === 0) resolve();
      });
    });
  }

  it('are told to come back, each in its own form; probes and public documents are answered, and those that were in are served', async () => {
    const { issuer, logLines } = running;
    await send(`${issuer}/oauth2/jwks`);
    const tokens: string[] = [];
    while (tokens.length < atOnce) tokens.push((await tokensOf(issuer)).access_token);
    await failPoint('alwaysOn');
    const allAreIn = reads(atOnce);
    const served = tokens.map((token) =>
      send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${token}` } }),
    );
    await allAreIn;

    const token = await service();
    expect(token.status).to.equal(503);
    expect(token.headers.get('retry-after')).to.match(/^\d+$/);
    expect(token.json).to.include({ error: 'temporarily_unavailable' });
    const page = await send(authorizeUrl(issuer), { headers: { Accept: 'text/html' } });
    expect(page.status).to.equal(503);
    expect(page.text).to.contain('The service is busy');
    for (const path of ['/health/live', '/oauth2/jwks']) expect((await send(issuer + path)).status, path).to.equal(200);
    expect((await send(`${issuer}/health/ready`)).status).to.be.oneOf([200, 503]); // it asks the database
    expect(logLines.filter((line) => line.includes('too many requests at once'))).to.have.length(1);
    expect(logLines.filter((line) => line.includes('"level":50'))).to.deep.equal([]);

    await failPoint('off');
    for (const answer of await Promise.all(served)) expect(answer.status, answer.text).to.equal(200);
    expect((await service()).status).to.equal(200);
  });
});
