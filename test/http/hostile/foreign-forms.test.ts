import { expect } from 'chai';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants } from '../../support/two-tenants.js';
import { endpoints, openStage, type Endpoint, type EndpointRequest, type Stage } from '../endpoints.js';
import { ask, form, manyTries } from './ask.js';
import { expectSoundAnswer } from './sound.js';

/** The forms that people are shown; whatever else is posted comes from programs or providers, without cookies. */
const forms = endpoints.filter(
  ({ method, path, kind }) =>
    method === 'POST' &&
    kind === 'page' &&
    !/^\/(oauth2\/(authorize|logout)|connections\/callback\/:connectionId)$/.test(path),
);

describe('every form that people are shown', function () {
  this.timeout(120_000);
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage(await startApp({ seed: seedWithTwoTenants, policy: manyTries }));
  });
  afterEach(closeApps);

  const secretOf = ({ parameters }: EndpointRequest): 'csrf' | 'xsrf' => ('csrf' in parameters ? 'csrf' : 'xsrf');

  async function expectRefused(endpoint: Endpoint, request: EndpointRequest, why: string): Promise<void> {
    const all = `${endpoint.path} ${why}`;
    const answer = await ask(stage, endpoint, request);
    // whoever is not signed in any more does so, and is shown the page as it is then
    if (endpoint.path.startsWith('/account/') && request.headers['Cookie'] === '' && answer.status === 303) {
      expect(answer.location, all).to.match(/^\/oauth2\/authorize\?client_id=gatehouse-account&/);
      return;
    }
    expect(answer.status, `${all} ${answer.text}`).to.be.oneOf([400, 403, 415]);
    expect(answer.location, all).to.equal(null);
    expectSoundAnswer(answer, endpoint, stage.issuer, all);
  }

  /** The library shows the page for a code anew, with another token, when it has refused one. */
  const stillGood = async (endpoint: Endpoint, sent: EndpointRequest[]): Promise<EndpointRequest[]> =>
    endpoint.path === '/device' ? [await endpoint.request(stage)] : sent;

  it('there are some', () => {
    expect(forms.length).to.be.greaterThan(5);
  });

  it('sec-030 is refused from another place, and is still good at home', async () => {
    for (const endpoint of forms) {
      const right = await endpoint.request(stage);
      for (const foreign of [
        { Origin: 'https://evil.example' },
        { Origin: 'null' },
        { Origin: `${stage.issuer}.evil.example` },
        { Origin: stage.issuer.replace('http:', 'https:') },
        { Origin: 'http://localhost:3001' },
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
        { 'Sec-Fetch-Site': 'evil' },
        { Origin: stage.issuer, 'Sec-Fetch-Site': 'cross-site' },
        { 'Content-Type': 'text/plain' },
        { 'Content-Type': 'application/json' },
        { 'Content-Type': 'multipart/form-data; boundary=x' },
        { 'Content-Type': `${form}; charset=utf-16` },
        { Cookie: '' },
      ]) {
        const headers = { ...right.headers, ...foreign };
        await expectRefused(endpoint, { ...right, headers }, JSON.stringify(foreign));
      }
      for (const each of await stillGood(endpoint, [right])) {
        const headers = { ...each.headers, Origin: stage.issuer, 'Sec-Fetch-Site': 'same-origin' };
        const home = await ask(stage, endpoint, { ...each, headers });
        expect(home.status, `${endpoint.path} ${home.text}`).to.be.oneOf([200, 303]);
      }
    }
  });

  it('sec-030 is refused without its token, with that of another browser, and with a changed one', async () => {
    for (const endpoint of forms) {
      const right = await endpoint.request(stage);
      const other = await endpoint.request(stage);
      const secret = secretOf(right);
      const token = right.parameters[secret] ?? '';
      const { [secret]: _token, ...without } = right.parameters;
      await expectRefused(endpoint, { ...right, parameters: without }, 'without');
      for (const wrong of [
        '',
        'x',
        other.parameters[secret] ?? '',
        token.slice(0, -1),
        `${token}x`,
        token.toUpperCase(),
        ` ${token}`,
      ]) {
        await expectRefused(endpoint, { ...right, parameters: { ...right.parameters, [secret]: wrong } }, wrong);
      }
      await expectRefused(endpoint, { ...right, headers: other.headers }, 'the cookies of another');
      for (const each of await stillGood(endpoint, [right, other])) {
        const answer = await ask(stage, endpoint, each);
        expect(answer.status, `${endpoint.path} ${answer.text}`).to.be.oneOf([200, 303]);
      }
    }
  });
});
