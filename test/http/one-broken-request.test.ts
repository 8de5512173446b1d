import { expect } from 'chai';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { signIn } from '../support/relying-party.js';
import { authorizeUrl, send, tokensOf } from './requests.js';

describe('F27 an error that nobody expected', () => {
  let running: RunningApp;

  beforeEach(async () => {
    running = await startApp();
  });
  afterEach(closeApps);

  it('is a 500 with the id of its line in the log, says nothing else, and leaves the others alone', async () => {
    const { issuer, database, logLines } = running;
    const { browser: broken } = await signIn(issuer, authorizeUrl(issuer));
    await database.collection('oidc_sessions').updateMany({}, { $set: { payload: 'not what was sealed' } });
    const { browser: sound } = await signIn(issuer, authorizeUrl(issuer));
    logLines.length = 0;

    const silent = authorizeUrl(issuer, { prompt: 'none' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? broken : sound).request(silent)),
    );
    for (const [index, { status, html, headers }] of answers.entries()) {
      if (index % 2 === 1) {
        expect(headers.get('location')).to.contain('code=');
        continue;
      }
      const requestId = headers.get('x-request-id') ?? '';
      expect(status, html).to.equal(500);
      expect(html)
        .to.contain(requestId)
        .and.not.to.match(/JWE|Error:|node_modules|\.ts/);
      expect(logLines.filter((line) => line.includes(requestId) && line.includes('"level":50'))).to.have.length(1);
    }
    expect((await send(`${issuer}/health/live`)).status).to.equal(200);
    expect(await tokensOf(issuer)).to.have.property('access_token');
  });
});
