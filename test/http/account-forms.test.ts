// Every form of the portal, as somebody would send it who should not.
import { expect } from 'chai';
import { csrfOf, openPortal, postForm, type PortalVisit } from '../support/portal.js';
import { ada } from '../support/contract-seed.js';
import { factorsOf } from '../support/factors-of.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';
import { manyTries } from './hostile/ask.js';

const filled = { name: 'Changed', given_name: '', family_name: '', locale: '', zoneinfo: '' };

/** Each form with members that have the right names. */
const forms: readonly (readonly [path: string, members: Record<string, string>])[] = [
  ['/account/profile', filled],
  ['/account/password', { password: ada.password, new_password: 'another long password' }],
  ['/account/email', { email: 'x' }],
  ['/account/email/verify', {}],
  ['/account/factors/app', { factor: 'fac_x', code: '000000' }],
  ['/account/factors/passkey', { response: '{}', ticket: 'x' }],
  ['/account/factors/email', {}],
  ['/account/factors/rename', { factor: 'fac_x', name: 'Mine' }],
  ['/account/factors/remove', { factor: 'fac_x' }],
  ['/account/factors/recovery-codes', {}],
  ['/account/factors/forget-browsers', {}],
  ['/account/sessions/end', { session: 'x' }],
  ['/account/sessions/end-others', {}],
  ['/account/sessions/end-all', {}],
  ['/account/tenants/leave', { tenant: 'ten_x' }],
  ['/account/tenants/create', { name: 'A team', slug: 'a-team' }],
  ['/account/invitations/accept', { invitation: 'inv_x' }],
  ['/account/apps/revoke', { tenant: 'ten_x', client: 'x' }],
  ['/account/identities/link', { connection: 'con_x' }],
  ['/account/identities/unlink', { identity: 'idn_x' }],
  ['/account/data', {}],
  ['/account/delete', { confirmation: ada.email }],
  ['/account/delete/close-tenant', { tenant: 'ten_x' }],
];

describe('every form of the portal', function () {
  this.timeout(60_000);
  let running: RunningApp;
  let own: PortalVisit;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants, policy: manyTries });
    own = await openPortal(running.issuer, { path: '/account/profile' });
  });
  afterEach(closeApps);

  /** What a form can change, but for when the session was last used. */
  async function stored(): Promise<string> {
    const names = [
      'users',
      'passwords',
      'recovery_codes',
      'identities',
      'memberships',
      'tenants',
      'consents',
      'invitations',
      'oidc_grants',
    ];
    const rows = await Promise.all(
      names.map((name) => running.database.collection(name).find({}).sort({ _id: 1 }).toArray()),
    );
    const sessions = await running.database
      .collection('oidc_sessions')
      .find({ endedAt: { $exists: false } })
      .toArray();
    const factors = await running.database
      .collection('factors')
      .find({ expiresAt: { $exists: false } })
      .toArray();
    return JSON.stringify([rows, factors, sessions.map(({ _id }) => String(_id)).sort()]);
  }

  it('the list is whole', () => {
    const posted = running.app.routes
      .filter(({ path, methods }) => path.startsWith('/account') && methods.includes('POST'))
      .map(({ path }) => path);
    expect([...forms.map(([path]) => path), '/account/deletion/:token'].sort()).to.deep.equal(posted.sort());
  });

  it('sec-030 does nothing for who is not signed in, whatever token they bring', async () => {
    const before = await stored();
    for (const [path, members] of forms) {
      for (const csrf of [csrfOf(own.page), 'x', '']) {
        const answer = await fetch(running.issuer + path, {
          ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams({ csrf, ...members }) },
        });
        expect(answer.status, path).to.equal(303);
        expect(answer.headers.get('location'), path).to.match(/^\/oauth2\/authorize\?client_id=gatehouse-account&/);
      }
    }
    expect(await stored()).to.equal(before);
  });

  it('sec-030 does nothing with the token of another session, of the same person too, or of another page', async () => {
    const others = [
      csrfOf((await openPortal(running.issuer, { path: '/account/profile' })).page),
      csrfOf((await openPortal(running.issuer, { path: '/account/profile', person: consultant })).page),
      'x'.repeat(43),
    ];
    const before = await stored();
    for (const [path, members] of forms) {
      for (const csrf of others) expect((await postForm(own, path, { csrf, ...members })).status, path).to.equal(403);
      const foreign = { csrf: csrfOf(own.page), ...members };
      for (const [name, value] of [
        ['Origin', 'https://evil.example'],
        ['Sec-Fetch-Site', 'cross-site'],
      ] as const)
        expect((await postForm(own, path, foreign, { [name]: value })).status, path).to.equal(403);
    }
    expect(await stored()).to.equal(before);
  });

  it('sec-025 takes its own members alone, each once', async () => {
    const forbidden = [
      ...[
        'email',
        'emailVerified',
        'email_verified',
        'phoneVerified',
        'status',
        'roles',
        'tenantId',
        'mfa',
        'mfaEnabled',
      ],
      ...[
        'passwordHash',
        'id',
        '_id',
        'userId',
        'sub',
        'deletion',
        'deletion.dueAt',
        'credentialsChangedAt',
        'profile',
      ],
      ...['profile.name', 'profile[name]', '$set', '__proto__', 'constructor', 'constructor.prototype'],
    ];
    const before = await stored();
    for (const [path, members] of forms) {
      const csrf = csrfOf(own.page);
      for (const name of forbidden) {
        const answer = await postForm(own, path, [...Object.entries({ csrf, ...members }), [name, 'true']]);
        expect(answer.status, `${path} ${name}`).to.equal(400);
      }
      for (const name of Object.keys(members)) {
        const twice = await postForm(own, path, [...Object.entries({ csrf, ...members }), [name, 'again']]);
        expect(twice.status, `${path} ${name} twice`).to.equal(400);
        const { [name]: _missing, ...others } = members;
        expect((await postForm(own, path, { csrf, ...others })).status, `${path} without ${name}`).to.equal(400);
      }
    }
    expect(await stored()).to.equal(before);
  });

  it('answers every odd value with words, and changes nothing', async () => {
    const odd = [
      '',
      ' ',
      '\0',
      '\u202E',
      '\u200B',
      'x'.repeat(10_000),
      '<script>alert(1)</script>',
      '{"$gt":""}',
      '../..',
      '٣',
    ];
    const before = await stored();
    for (const [path, members] of forms) {
      if (path === '/account/profile') continue; // takes text, as the journey shows
      for (const name of Object.keys(members)) {
        for (const value of odd) {
          if ((path.endsWith('/create') && name === 'name') || name === 'new_password') continue; // take text too
          const csrf = csrfOf(own.page);
          const answer = await postForm(own, path, { csrf, ...members, [name]: value });
          expect(answer.status, `${path} ${name}=${value.slice(0, 20)}`).to.be.oneOf([400, 404, 422]);
          expect(answer.html).not.to.contain('<script>alert');
        }
      }
    }
    expect(await stored()).to.equal(before);
  });

  it('sec-012 does nothing with what is somebody else’s, and answers as for what does not exist', async () => {
    const stranger = await openPortal(running.issuer, { person: consultant });
    const sessions = await running.database
      .collection<{ _id: string; accountId: string }>('oidc_sessions')
      .find({})
      .toArray();
    const { id: strangersId } = await running.app.administration.getUserByEmail(consultant.email);
    const foreignSession = sessions.find(({ accountId }) => accountId === strangersId)?._id ?? '';
    const globex = await running.database.collection<{ _id: string }>('tenants').findOne({ slugs: 'globex' });
    const user = await running.app.administration.getUserByEmail(consultant.email);
    const factors = await factorsOf(running, () => new Date());
    const { id: factor } = await factors.allowEmailCodes(user, { provenAt: new Date(), level: 'aal1', amr: ['pwd'] });
    const before = await stored();
    const csrf = csrfOf(own.page);
    for (const [path, members] of [
      ['/account/factors/remove', { factor }],
      ['/account/factors/rename', { factor, name: 'Mine' }],
      ['/account/sessions/end', { session: foreignSession }],
      ['/account/tenants/leave', { tenant: globex?._id ?? '' }],
      ['/account/apps/revoke', { tenant: globex?._id ?? '', client: 'third-party' }],
      ['/account/delete/close-tenant', { tenant: globex?._id ?? '' }],
    ] as const)
      expect((await postForm(own, path, { csrf, ...members })).status, path).to.equal(404);
    expect(await stored()).to.equal(before);
    expect((await stranger.visitor.get('/account')).url).to.equal(`${running.issuer}/account`);
  });
});
