// Providers that are wrong in one thing each: nobody is signed in, made or linked by it, and no other server is reached.
import { expect } from 'chai';
import { browser, type Page } from '../support/browser.js';
import { ada, redirectUri } from '../support/contract-seed.js';
import { mutationsOf } from '../support/mutated-jws.js';
import { requireTool } from '../support/tools.js';
import type { UpstreamProvider } from '../support/upstream/oidc-provider.js';
import { addressRows } from './upstream/address-rows.js';
import { discoveryRows, keyRows, userinfoRows } from './upstream/document-rows.js';
import { oauth2Rows } from './upstream/oauth2-rows.js';
import type { Row } from './upstream/row.js';
import { bringBack, goAway, openUpstreamStage, signInAt, type UpstreamStage } from './upstream/stage.js';
import { idTokenRows, tokenRows } from './upstream/token-rows.js';

const documents: Readonly<Record<string, readonly Row[]>> = {
  'sec-006 a provider whose ID token is wrong': idTokenRows,
  'a provider whose token endpoint is wrong': tokenRows,
  'sec-068 a provider whose document is wrong': discoveryRows,
  'a provider whose keys are wrong': keyRows,
  'sec-003 a provider whose userinfo is wrong': userinfoRows,
  'a provider whose address is wrong': addressRows,
};

/** At the app, with a code of ours. */
const isBack = /^http:\/\/localhost:3001\/callback\?code=/;

describe('upstream providers that are wrong', function () {
  this.timeout(60_000);
  let stage: UpstreamStage;
  let person: UpstreamProvider['person'];
  before(async function () {
    if (requireTool('openssl') === undefined) return this.skip();
    stage = await openUpstreamStage();
    person = stage.provider.person;
  });
  after(() => stage?.close());
  afterEach(() => {
    for (const provider of [stage.provider, stage.stranger])
      Object.assign(provider, { mutation: {}, person: { ...person } });
    stage.oauth2.instead = {};
  });

  /** A page that says what happened and leads back, and nobody who is signed in. */
  function expectRefused(page: Page, why = ''): void {
    const isDenied = page.html.includes('The sign-in there was not finished');
    expect(page.status, `${why} ${page.url} ${page.html.slice(0, 400)}`)
      .to.be.within(isDenied ? 200 : 400, 503)
      .and.not.equal(500);
    expect(page.url.startsWith(redirectUri), why).to.equal(false);
    expect(page.html, why).to.match(/href="\/sign-in\/[\w-]+"|Go back/);
    expect(page.html, why).to.not.contain('<script>alert');
  }

  async function expectNothing(work: () => Promise<Page>, why = ''): Promise<void> {
    const before = await stage.accounts();
    const logged = stage.running.logLines.length;
    expectRefused(await work(), why);
    expect(await stage.accounts(), why).to.equal(before);
    expect(await stage.canary.hits(), why).to.equal(0);
    const failures = stage.running.logLines.slice(logged).filter((line) => line.includes('request failed'));
    expect(failures, why).to.deep.equal([]);
  }

  it('one that is right in all signs a new person in', async () => {
    const before = await stage.accounts();
    const page = await signInAt(stage, stage.provider, await stage.connect(stage.provider));
    expect(page.url).to.match(isBack);
    expect(await stage.accounts()).to.not.equal(before);
    stage.provider.person = { ...person, sub: 'upstream-form', email: 'form@corp.example' };
    const byForm = await stage.connect(stage.provider, { changes: { responseMode: 'form_post' } });
    expect((await signInAt(stage, stage.provider, byForm)).url).to.match(isBack);
    const { oauth2 } = stage;
    const ofCode = { agree: (url: string) => ({ ...oauth2.agree(url), isForm: false }) };
    oauth2.emails = [{ email: 'code@corp.example', primary: true, verified: true }];
    expect((await signInAt(stage, ofCode, await stage.connect(oauth2))).url).to.match(isBack);
  });

  for (const [group, rows] of Object.entries(documents)) {
    describe(group, () => {
      for (const [title, wrong] of rows) {
        it(`${title}: refused`, async () => {
          const { provider } = stage;
          provider.person = { ...person, sub: `upstream-${title}`, email: `new-${rows.length}@corp.example` };
          provider.mutation = wrong({ provider, canaryPort: stage.canary.port });
          const connectionId = await stage.connect(provider);
          await expectNothing(() => signInAt(stage, provider, connectionId));
        });
      }
    });
  }

  describe('a provider of OAuth 2.0 that is wrong', () => {
    for (const [title, wrong] of oauth2Rows) {
      it(`${title}: refused`, async () => {
        const { oauth2 } = stage;
        Object.assign(oauth2, { user: { id: 42, login: 'new', name: 'New', email: null } });
        oauth2.emails = [{ email: 'another-new@corp.example', primary: true, verified: true }];
        wrong(oauth2, stage.canary.port);
        const ofCode = { agree: (url: string) => ({ ...oauth2.agree(url), isForm: false }) };
        const connectionId = await stage.connect(oauth2);
        await expectNothing(() => signInAt(stage, ofCode, connectionId));
      });
    }
  });

  it('sec-006 no way to change a signed ID token is overlooked', async () => {
    const { provider } = stage;
    provider.person = { ...person, sub: 'upstream-changed', email: 'changed@corp.example' };
    const connectionId = await stage.connect(provider);
    let count = 1;
    for (let index = 0; index < count; index++) {
      let why = '';
      provider.mutation = {
        async idToken(token, { publicKey, signAsStranger }) {
          const keys = { publicKey, signAsStranger, strangerKey: publicKey };
          const changed = (await mutationsOf(token, keys as never)).filter(({ respelt }) => !respelt);
          count = changed.length;
          why = changed[index]?.why ?? '';
          return changed[index]?.token;
        },
      };
      await expectNothing(() => signInAt(stage, provider, connectionId), why);
    }
    expect(count).to.be.greaterThan(80);
  });

  describe('what the browser brings back', () => {
    /** What is wrong with the answer, and whether it leads to the page of a sign-in at all. */
    const answers: Readonly<
      Record<string, (right: Record<string, string>) => Record<string, string> | [string, string][]>
    > = {
      'sec-008 without state': ({ state: _state, ...others }) => others,
      'sec-008 with an empty state': (right) => ({ ...right, state: '' }),
      'sec-008 with a state that is made up': (right) => ({ ...right, state: `${right['state']?.slice(0, -4)}AAAA` }),
      'sec-008 with a state that is cut': (right) => ({ ...right, state: right['state']!.split('.')[0]! }),
      'sec-008 with a state that is an operator': (right) => ({ ...right, state: '{"$ne":null}' }),
      'sec-008 with two states': (right) => [...Object.entries(right), ['state', right['state'] ?? '']],
      'sec-008 with a very long state': (right) => ({ ...right, state: 'x'.repeat(3000) }),
      'sec-010 without the issuer that the provider always names': ({ iss: _iss, ...others }) => others,
      'sec-010 with the issuer of somebody else': (right) => ({ ...right, iss: 'https://evil.example' }),
      'sec-010 with its issuer with a slash': (right) => ({ ...right, iss: `${right['iss']}/` }),
      'sec-010 with two issuers': (right) => [...Object.entries(right), ['iss', 'https://evil.example']],
      'without a code': ({ code: _code, ...others }) => others,
      'with an empty code': (right) => ({ ...right, code: '' }),
      'with a code that is made up': (right) => ({ ...right, code: 'made-up' }),
      'with two codes': (right) => [...Object.entries(right), ['code', 'another']],
      'with an error': ({ code: _code, ...right }) => ({ ...right, error: 'access_denied' }),
      'with an error that is markup': ({ code: _code, ...right }) => ({
        ...right,
        ...{ error: '<script>alert(1)</script>', error_description: '<script>alert(2)</script>' },
      }),
      'with an error of the provider': ({ code: _code, ...right }) => ({ ...right, error: 'server_error' }),
      'with an error beside the code': (right) => ({ ...right, error: 'access_denied' }),
    };

    for (const [title, change] of Object.entries(answers)) {
      it(`${title}: refused`, async () => {
        const { provider } = stage;
        provider.person = { ...person, sub: 'upstream-answer', email: 'answer@corp.example' };
        const { visitor, page } = await goAway(stage, await stage.connect(provider));
        const { redirectUri, parameters } = provider.agree(page.url);
        const query = new URLSearchParams(change(parameters)).toString();
        await expectNothing(() => visitor.get(`${redirectUri}?${query}`));
      });
    }

    it('sec-008 is taken once, of twenty at the same moment, and not again', async () => {
      const { visitor, page } = await goAway(stage, await stage.connect(stage.provider));
      const answer = stage.provider.agree(page.url);
      const pages = await Promise.all(Array.from({ length: 20 }, () => bringBack(visitor, answer)));
      expect(pages.filter(({ url }) => isBack.test(url))).to.have.length.at.most(1);
      expect(stage.provider.host.asked.filter((path) => path === '/token').length).to.be.greaterThan(0);
      await expectNothing(() => bringBack(visitor, answer));
    });

    it('sec-010 counts in the browser alone that was sent away', async () => {
      const { provider } = stage;
      provider.person = { ...person, sub: 'upstream-browser', email: 'browser@corp.example' };
      const connectionId = await stage.connect(provider);
      const victim = browser(stage.running.issuer);
      const { page } = await goAway(stage, connectionId);
      await expectNothing(() => bringBack(victim, provider.agree(page.url)), 'without any cookie');
      const own = await goAway(stage, connectionId, victim);
      await expectNothing(() => bringBack(victim, provider.agree(page.url)), 'amid a sign-in of its own');
      expect((await bringBack(victim, provider.agree(own.page.url))).url).to.match(isBack);
    });

    it('sec-008 is for the sign-in and the connection for which it was begun', async () => {
      const { provider, stranger } = stage;
      for (const each of [provider, stranger])
        each.person = { ...person, sub: 'upstream-mixed', email: 'mixed@corp.example' };
      const first = await stage.connect(provider);
      const second = await stage.connect(stranger, { keepOthers: true });
      const [here, there] = [await goAway(stage, first), await goAway(stage, second)];
      const [ofHere, ofThere] = [provider.agree(here.page.url), stranger.agree(there.page.url)];
      const mixed = { ...ofThere, parameters: { ...ofThere.parameters, code: ofHere.parameters['code'] ?? '' } };
      await expectNothing(() => bringBack(there.visitor, mixed), 'the code of another provider');
      const swapped = { ...ofHere, parameters: { ...ofHere.parameters, state: ofThere.parameters['state'] ?? '' } };
      await expectNothing(() => bringBack(here.visitor, swapped), 'the state of another sign-in');
    });
  });

  it('sec-001 whoever comes with an address that somebody here has opens nothing of theirs', async () => {
    const { provider } = stage;
    for (const authoritative of [true, false]) {
      provider.person = { ...person, sub: `upstream-ada-${authoritative}`, email: ada.email };
      const connectionId = await stage.connect(provider, { changes: { authoritative } });
      const before = await stage.accounts();
      const page = await signInAt(stage, provider, connectionId);
      expect(page.url).to.not.match(isBack);
      expect(await stage.accounts()).to.equal(before);
    }
  });

  it('sec-011 names at the provider that are ids here open nothing', async () => {
    const { provider, running } = stage;
    const [admin] = await running.database.collection<{ _id: string }>('users').find().limit(1).toArray();
    for (const sub of [admin!._id, ada.email, 'platform', 'admin']) {
      provider.person = { sub, email: undefined, preferred_username: admin!._id };
      const connectionId = await stage.connect(provider);
      await expectNothing(() => signInAt(stage, provider, connectionId), sub);
    }
  });
});
