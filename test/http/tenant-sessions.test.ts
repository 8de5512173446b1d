// How long a session may be used in a tenant that allows less than the platform.
import { expect } from 'chai';
import { operator } from '../support/administered.js';
import { browser, type Browser } from '../support/browser.js';
import { ada, contractSeed, projectsApi, webSecret } from '../support/contract-seed.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { authorizeUrl, post, redeem, refreshing, type Answer, type TokenSet } from './requests.js';

const scope = 'openid projects:read';

describe('a tenant that allows sessions less than the platform does', () => {
  let running: RunningApp;
  let now: Date;
  let begunAt: number;
  beforeEach(() => {
    now = new Date();
    begunAt = performance.now();
  });
  afterEach(closeApps);

  const later = (seconds: number): void => void (now = new Date(now.getTime() + seconds * 1000));

  /** Acme with this policy, and beside it a tenant that asks for nothing. */
  async function start(session: { idleSeconds: number | null; absoluteSeconds: number | null }): Promise<void> {
    const [acme] = contractSeed.tenants ?? [];
    const [person] = contractSeed.users ?? [];
    running = await startApp({
      seed: {
        ...contractSeed,
        tenants: [
          { ...acme!, policies: { session } },
          { slug: 'lax', name: 'Lax', type: 'team' },
        ],
        users: [{ ...person!, memberships: [...person!.memberships!, { tenant: 'lax', roles: ['owner'] }] }],
      },
      now: () => new Date(now.getTime() + performance.now() - begunAt),
    });
  }

  const ask = (visitor: Browser, tenant: string, changes: Record<string, string> = {}) =>
    visitor.get(authorizeUrl(running.issuer, { scope, resource: projectsApi, tenant, ...changes }));

  async function signedIn(changes: Record<string, string> = {}): Promise<{ visitor: Browser; tokens: TokenSet }> {
    const visitor = browser(running.issuer);
    const url = authorizeUrl(running.issuer, { scope, resource: projectsApi, tenant: 'acme', ...changes });
    const { page } = await signIn(running.issuer, url, ada, visitor);
    const done = page.html.includes('consent-accept') ? await visitor.submit(page, { decision: 'accept' }) : page;
    const { json } = await redeem(running.issuer, new URL(done.url).searchParams.get('code') ?? '');
    return { visitor, tokens: json as unknown as TokenSet };
  }

  const refresh = (tokens: TokenSet): Promise<Answer> =>
    post(running.issuer, 'token', refreshing(tokens), ['web', webSecret]);

  it('lets nobody in by a session that is too old for it, and lets the same one into another tenant', async () => {
    await start({ idleSeconds: null, absoluteSeconds: 600 });
    const { visitor } = await signedIn();
    later(590);
    expect((await ask(visitor, 'acme')).url).to.contain('code=');
    later(20);
    expect((await ask(visitor, 'lax')).url).to.contain('code=');
    expect((await ask(visitor, 'acme', { prompt: 'none' })).url).to.contain('error=login_required');
    const login = await ask(visitor, 'acme');
    expect(login.url).to.contain('/sign-in/');
    expect((await visitor.submit(login, { login: ada.email, password: ada.password })).url).to.contain('code=');
    expect((await ask(visitor, 'acme')).url, 'afterwards').to.contain('code=');
  });

  it('lets nobody in by a session that was idle for longer than it allows', async () => {
    await start({ idleSeconds: 300, absoluteSeconds: null });
    const { visitor } = await signedIn();
    for (let use = 0; use < 3; use++) {
      later(290);
      expect((await ask(visitor, 'acme')).url, `use ${use}`).to.contain('code=');
    }
    later(310);
    expect((await ask(visitor, 'acme', { prompt: 'none' })).url).to.contain('error=login_required');
    expect((await ask(visitor, 'acme')).url).to.contain('/sign-in/');
  });

  it('a picker on the way is no use of the session', async () => {
    await start({ idleSeconds: 300, absoluteSeconds: null });
    const { visitor } = await signedIn();
    later(310);
    const picker = await visitor.get(authorizeUrl(running.issuer, { scope, prompt: 'select_tenant' }));
    const next = await visitor.submit(picker, { tenant: 'acme' });
    expect(next.html).to.contain('id="password"');
  });

  it('refuses a refresh that comes too late, as its policy is then; tokens for offline access have their own time', async () => {
    await start({ idleSeconds: null, absoluteSeconds: 600 });
    const { tokens } = await signedIn();
    const offline = (await signedIn({ scope: `${scope} offline_access`, prompt: 'consent' })).tokens;
    later(590);
    const second = await refresh(tokens);
    expect(second.status, second.text).to.equal(200);
    later(20);
    expect((await refresh(second.json as unknown as TokenSet)).json['error']).to.equal('invalid_grant');
    const ofOffline = await refresh(offline);
    expect(ofOffline.status, ofOffline.text).to.equal(200);
  });

  it('refuses a refresh after too long a pause', async () => {
    await start({ idleSeconds: 300, absoluteSeconds: null });
    const [one, other] = [await signedIn(), await signedIn()];
    later(290);
    const renewed = await refresh(one.tokens);
    expect(renewed.status, renewed.text).to.equal(200);
    later(20);
    expect((await refresh(other.tokens)).json['error']).to.equal('invalid_grant');
  });

  it('a policy that becomes stricter counts for sessions that there are', async () => {
    await start({ idleSeconds: null, absoluteSeconds: null });
    const { visitor, tokens } = await signedIn();
    later(700);
    const stricter = { idleSeconds: null, absoluteSeconds: 600 };
    const tenant = await running.app.administration.getTenant('acme');
    const settings = { policies: { session: stricter } };
    await running.app.administration.changeSettings(operator, { tenantId: tenant.id }, settings);
    expect((await ask(visitor, 'acme', { prompt: 'none' })).url).to.contain('error=login_required');
    expect((await refresh(tokens)).json['error']).to.equal('invalid_grant');
  });
});
