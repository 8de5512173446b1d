import { expect } from 'chai';
import { ada, ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { atRate, sendAndVanish, watchPool, type RawRequest } from '../support/disconnects.js';
import { eventually } from '../support/eventually.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { authorizeUrl, basic, codeOf, openSignIn, redeem, tokensOf, verifier, type TokenSet } from './requests.js';
import { redirectUri } from '../support/contract-seed.js';

const perSecond = 200;
const requests = 400;

describe('F26 clients that go away in the middle of a request, 200 a second', function () {
  this.timeout(60_000);
  let running: RunningApp;

  beforeEach(async () => {
    running = await startApp();
  });
  afterEach(closeApps);

  const web = { Authorization: basic('web', webSecret) };
  const pathOf = (url: string): string => url.slice(running.issuer.length);

  async function signInForm(): Promise<RawRequest> {
    const { visitor, page, uid, csrf } = await openSignIn(running.issuer);
    return {
      method: 'POST',
      path: `/sign-in/${uid}/login`,
      headers: { Cookie: visitor.cookieHeader(page.url) },
      form: { csrf, login: ada.email, password: ada.password },
    };
  }

  const redeeming = (code: string): RawRequest => ({
    method: 'POST',
    path: '/oauth2/token',
    headers: web,
    form: { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
  });

  const refresh = ({ refresh_token }: TokenSet): RawRequest => ({
    method: 'POST',
    path: '/oauth2/token',
    headers: web,
    form: { grant_type: 'refresh_token', refresh_token },
  });

  it('leave no connection in use, no half of the work, and no error behind', async () => {
    const { issuer, logLines, database } = running;
    const pool = watchPool(running);
    const once: RawRequest[] = [];
    for (let index = 0; index < 5; index++) {
      once.push(await signInForm(), redeeming(await codeOf(issuer)), refresh(await tokensOf(issuer)));
    }
    const often: RawRequest[] = [
      { method: 'GET', path: pathOf(authorizeUrl(issuer)) },
      { method: 'GET', path: '/health/ready' },
      {
        method: 'POST',
        path: '/oauth2/token',
        headers: { Authorization: basic('acme-ci', ciKey) },
        form: { grant_type: 'client_credentials', resource: projectsApi },
      },
    ];
    await atRate(perSecond, requests, (index) => sendAndVanish(running, once.shift() ?? often[index % often.length]!));

    await eventually(() => expect(pool.inUse()).to.equal(0), 5000);
    expect(logLines.filter((line) => /"level":[56]0/.test(line))).to.deep.equal([]);
    // what was begun has been finished: whatever was used up has given its successor
    const rows = async (name: string) => database.collection(name).find().toArray();
    const [codes, tokens] = [await rows('oidc_authorization_codes'), await rows('oidc_refresh_tokens')];
    expect(codes).to.have.length(10);
    const used = [...codes, ...tokens].filter((row) => row['consumed'] !== undefined);
    expect(tokens).to.have.length(used.length);
    expect((await redeem(issuer, await codeOf(issuer))).status).to.equal(200);
  });
});
