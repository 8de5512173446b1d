import { expect } from 'chai';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants } from '../../support/two-tenants.js';
import { endpoints, openStage, type Endpoint, type EndpointRequest, type Stage } from '../endpoints.js';
import type { Answer } from '../requests.js';
import { ask, manyTries } from './ask.js';
import { expectSoundAnswer } from './sound.js';

const targets: readonly string[] = [
  'https://evil.example/',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  'https:evil.example',
  'https:/evil.example',
  'http:///evil.example',
  '/%2f%2fevil.example',
  '/%5cevil.example',
  '/.//evil.example',
  '/\t/evil.example',
  'https://localhost@evil.example/',
  'https://evil.example#localhost',
  'https://localhost.evil.example/',
  '\u3002evil.example',
  '/x\r\nLocation: https://evil.example/',
  'JaVaScRiPt:location="https://evil.example"',
  'data:text/html,<meta http-equiv=refresh content="0;url=https://evil.example">',
];

/** Names by which one product or another is told where to go afterwards. */
const names: readonly string[] = [
  ...['returnTo', 'return_to', 'returnUrl', 'return', 'next', 'redirect', 'redirect_to', 'redirect_url', 'continue'],
  ...['url', 'uri', 'u', 'rd', 'r', 'target', 'goto', 'go', 'to', 'dest', 'destination', 'back', 'callback', 'forward'],
  ...['success', 'from', 'ref', 'origin', 'out', 'service', 'RelayState', 'TargetResource', 'initiate_login_uri'],
  ...['target_link_uri', 'iss', 'login_url', 'logout_url', 'error_uri'],
];

describe('where an answer leads', function () {
  this.timeout(300_000);
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage(await startApp({ seed: seedWithTwoTenants, policy: manyTries }));
  });
  afterEach(closeApps);

  const isGranted = ({ status, location }: Answer): boolean => status < 400 && !/[?&#]error=/.test(location ?? '');

  /** Asks with this in place of the request, which is made anew when it was used up. */
  async function askAll(
    endpoint: Endpoint,
    variants: Iterable<{ why: string; changed(right: EndpointRequest): EndpointRequest }>,
  ): Promise<Answer[]> {
    let right = await endpoint.request(stage);
    const answers: Answer[] = [];
    for (const { why, changed } of variants) {
      const answer = await ask(stage, endpoint, changed(right));
      const all = `${endpoint.method} ${endpoint.path} ${why}`;
      expectSoundAnswer(answer, endpoint, stage.issuer, all); // every Location is at home or at the registered app
      expect(answer.headers.get('refresh'), all).to.equal(null);
      expect(answer.headers.get('content-location'), all).to.equal(null);
      // a request that is sent on as GET takes all of it along, in its query alone
      const told = answer.location === null ? '' : new URL(answer.location, stage.issuer);
      if (told) expect(told.host + told.pathname, all).not.to.contain('evil');
      expect(answer.text, all).not.to.match(/(href|action|src|url)="?[^"]*evil\.example/i);
      if (isGranted(answer) && endpoint.method === 'POST') right = await endpoint.request(stage);
      answers.push(answer);
    }
    return answers;
  }

  const redirectsIn = (answers: Answer[]): number => answers.filter(({ location }) => location !== null).length;

  it(`sec-033 is never decided by Referer, Origin or one of ${names.length} parameters, on any page`, async () => {
    let redirects = 0;
    for (const endpoint of endpoints) {
      // what a form does is done again for each try: there every name comes once with each of two targets
      const mixtures = endpoint.method === 'GET' ? targets.map((target) => [target]) : [targets, targets.toReversed()];
      const answers = await askAll(
        endpoint,
        mixtures.map((mixture) => ({
          why: JSON.stringify(mixture),
          changed: ({ path, parameters, headers }) => {
            const targetOf = (index: number): string => mixture[index % mixture.length] ?? '';
            const all = Object.fromEntries(names.map((name, index) => [name, targetOf(index)]));
            const query = new URLSearchParams(all).toString();
            // of a form in its query, since some forms refuse what they do not know
            const more = endpoint.method === 'GET' ? { ...all, ...parameters } : parameters;
            const visible = /^[\x21-\x7e]+$/.test(targetOf(0)) ? { Referer: targetOf(0) } : {};
            return {
              path: endpoint.method === 'GET' ? path : `${path}?${query}`,
              parameters: more,
              headers: { ...headers, ...visible },
            };
          },
        })),
      );
      redirects += redirectsIn(answers);
    }
    expect(redirects).to.be.greaterThan(50);
  });

  it('sec-033 nor in a form: what a form does not know is refused or not looked at', async () => {
    const forms = endpoints.filter(({ method }) => method === 'POST');
    const target = (index: number): string => targets[index % targets.length] ?? '';
    for (const endpoint of forms) {
      const together = Object.fromEntries(names.map((name, index) => [name, target(index)]));
      const apart = names.map((name, index) => ({ [name]: target(index) }));
      const variants = [together, ...apart].map((more) => ({
        why: Object.keys(more).join(' '),
        changed: (right: EndpointRequest) => ({ ...right, parameters: { ...right.parameters, ...more } }),
      }));
      // a form that goes on with all of them has looked at none
      const answers = await askAll(endpoint, variants.slice(0, 1));
      if (!answers.every(isGranted)) await askAll(endpoint, variants.slice(1));
    }
  });

  it('sec-033 nor by the ways in which a sign-in ends: cancelled, refused, finished, signed out', async () => {
    for (const path of [
      '/sign-in/:uid/cancel',
      '/sign-in/:uid/consent',
      '/sign-in/:uid/login',
      '/oauth2/logout/confirm',
    ]) {
      const endpoint = endpoints.find((row) => row.path === path);
      if (!endpoint) return expect.fail(path);
      const variants = targets.map((target) => ({
        why: target,
        changed: (right: EndpointRequest) => ({ ...right, path: `${right.path}?next=${encodeURIComponent(target)}` }),
      }));
      expect(redirectsIn(await askAll(endpoint, variants)), path).to.equal(targets.length);
    }
  });
});
