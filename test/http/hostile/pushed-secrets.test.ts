import { expect } from 'chai';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { browser } from '../../support/browser.js';
import { findCanaries, type Canary } from '../../support/canaries.js';
import { newClientKey } from '../../support/client-keys.js';
import { projectsApi, redirectUri, webSecret } from '../../support/contract-seed.js';
import { recordAnswers, type RecordedAnswers } from '../../support/recorded-answers.js';
import { closeApps, startApp, type RunningApp } from '../../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret } from '../../support/two-tenants.js';
import { challenge, post } from '../requests.js';

const secretive = (name: string): string => `sk_live_${name}.4eC39HqLyjWDarjtT1zdp7dc`;
const atApp = /^(GET|POST) \/(oauth2\/authorize|sign-in)\/[^ ]* (location|redirect)$/;

describe('what an app pushes (PAR) is between it and the server', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let recorded: RecordedAnswers;
  let canaries: Canary[];
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    recorded = recordAnswers();
  });
  afterEach(() => recorded.stop());
  afterEach(closeApps);

  async function push(clientId: string, secret: string, more: Record<string, string> = {}): Promise<string> {
    const { jwk } = await newClientKey('ES256');
    const pushed: Record<string, string> = {
      ...{ client_id: clientId, redirect_uri: redirectUri, response_type: 'code', scope: 'openid email projects:read' },
      ...{ code_challenge: challenge, code_challenge_method: 'S256', resource: projectsApi },
      dpop_jkt: await calculateJwkThumbprint(jwk as JWK),
      ...Object.fromEntries(
        ['state', 'nonce', 'login_hint', 'ui_locales', 'acr_values', 'unheard_of'].map((name) => [
          name,
          secretive(name),
        ]),
      ),
      ...more,
    };
    canaries = [
      ...Object.entries(pushed)
        .filter(([name, value]) => value.length > 15 && name !== 'client_id')
        .map(([name, value]): Canary => ({ name, value, ...(allowed[name] ? { allowed: allowed[name] } : {}) })),
      { name: 'the secret of the client', value: secret },
    ];
    const answer = await post(running.issuer, 'par', pushed, [clientId, secret]);
    expect(answer.status, answer.text).to.equal(201);
    return String(answer.json['request_uri']);
  }
  /** What the person is shown on purpose, and what goes back to the app that sent it. */
  const allowed: Record<string, RegExp> = {
    state: atApp,
    redirect_uri: /(location|redirect|headers)$/, // the policy of a page names where its forms may end
    login_hint: /^GET \/sign-in\/[^ ]* body$/,
    scope: /^GET \/sign-in\/[^ ]* body$/,
    resource: /^GET \/sign-in\/[^ ]* body$/,
  };

  function expectNothingTold(): void {
    const log = { name: 'the log', bytes: Buffer.from(running.logLines.join('')) };
    expect(recorded.texts.length).to.be.greaterThan(5);
    expect(log.bytes.length).to.be.greaterThan(0);
    expect(findCanaries([...recorded.texts, log], canaries)).to.deep.equal([]);
  }

  it('sec-038 it stands in no cookie, address, page or line of the log of a whole sign-in', async () => {
    const request_uri = await push('third-party', thirdPartySecret);
    const visitor = browser(running.issuer);
    const query = new URLSearchParams({ client_id: 'third-party', request_uri }).toString();
    const login = await visitor.get(`/oauth2/authorize?${query}`);
    expect(login.html).to.contain('name="password"');
    const wrong = await visitor.submit(login, { login: consultant.email, password: 'not the right password' });
    expect(wrong.status).to.equal(422);
    const picker = await visitor.submit(wrong, { login: consultant.email, password: consultant.password });
    expect(picker.html).to.contain('name="tenant"');
    const consent = await visitor.submit(picker, { tenant: 'acme' });
    expect(consent.html).to.contain('id="consent-accept"');
    for (const { value } of visitor.cookies.values()) expect(value).to.match(/^[\w.~-]*$/);
    const done = await visitor.submit(consent, { decision: 'accept' });
    expect(done.url).to.contain('code=').and.to.contain(secretive('state'));
    const again = await visitor.get(`/oauth2/authorize?${query}`);
    expect(again.status, 'a request is of use once').to.equal(400);
    expectNothingTold();
  });

  it('sec-038 nor of one that is cancelled, or asked for by another client', async () => {
    const request_uri = await push('web', webSecret);
    const visitor = browser(running.issuer);
    const stolen = new URLSearchParams({ client_id: 'plain', request_uri }).toString();
    expect((await visitor.get(`/oauth2/authorize?${stolen}`)).status).to.equal(400);
    const query = new URLSearchParams({ client_id: 'web', request_uri }).toString();
    const login = await visitor.get(`/oauth2/authorize?${query}`);
    const cancelled = await visitor.submit(login, {}, '/cancel');
    expect(cancelled.url).to.contain('error=access_denied');
    expectNothingTold();
  });

  it('sec-038 nor of one that is refused when it is pushed', async () => {
    for (const more of [{ code_challenge: 'x' }, { response_type: 'token' }, { tenant: 'no tenant' }, { scope: '"' }]) {
      await push('web', webSecret, more).then(
        () => expect.fail('was taken'),
        (error: Error) => expect(error.message).to.contain('400'),
      );
    }
    expectNothingTold();
  });
});
