// How the pages of a sign-in look for a tenant, from the upload to what a browser is shown.
import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { policy } from '../../config/policy.js';
import { systemAuthority } from '../../src/kernel/actor.js';
import { authorizeUrl, openSignIn } from '../http/requests.js';
import { browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { pngOf, webp } from '../support/pictures.js';
import { openPortal } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';

type Branding = NonNullable<Parameters<RunningApp['app']['administration']['changeSettings']>[2]['branding']>;

const by = systemAuthority('command');
const png = pngOf(120, 40);
const logo = { data: png.toString('base64'), alt: 'The globe of Globex' };
const branding = { displayName: 'Globex Worldwide', logo, primaryColor: '#003366', primaryColorDark: '#99ccff' };

describe('the look of a tenant', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  async function brand(slug: string, settings: Branding): Promise<string> {
    const { id } = await running.app.administration.getTenant(slug);
    await running.app.administration.changeSettings(by, { tenantId: id }, { branding: settings });
    return id;
  }

  const logoOn = ({ html }: Page): string | undefined => /<img class="logo" src="([^"]+)"/.exec(html)?.[1];
  const styleOn = ({ html }: Page): string | undefined => /<style nonce="[^"]+">([^<]*)<\/style>/.exec(html)?.[1];
  const storedLogos = async (): Promise<number> => running.database.collection('logos').countDocuments({});

  it('of the owner of an app stands on every page of its sign-in', async () => {
    await brand('globex', { ...branding, supportUri: 'https://help.globex.example' });
    const { visitor, page } = await openSignIn(issuer, { client_id: 'globex-app' });
    expect(page.html).to.contain('<span class="name">Globex Worldwide</span>').and.contain('alt="The globe of Globex"');
    expect(page.html).to.contain('Help from Globex Worldwide');
    expect(styleOn(page)).to.contain('--button:#003366').and.contain('--button:#99ccff');
    const refused = await visitor.submit(page, { login: consultant.email, password: 'a wrong password' });
    expect([refused.status, logoOn(refused)]).to.deep.equal([422, logoOn(page)]);
    await running.app.administration.changeSettings(
      by,
      { tenantId: (await running.app.administration.getTenant('globex')).id },
      { policies: { terms: { version: '1', uri: 'https://globex.example/terms' } } },
    );
    const terms = await visitor.submit(refused, { login: consultant.email, password: consultant.password });
    expect(terms.html).to.contain('Terms of Globex Worldwide');
    expect(logoOn(terms)).to.equal(logoOn(page));
  });

  it('is told by its nonce alone: the policy of the page allows no other style, and no other place for pictures', async () => {
    await brand('globex', branding);
    const { page } = await openSignIn(issuer, { client_id: 'globex-app' });
    const nonce = /<style nonce="([^"]+)">/.exec(page.html)?.[1] ?? '';
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).to.contain(`style-src 'self' 'nonce-${nonce}';`).and.contain("img-src 'self' data:");
    expect(page.html).not.to.match(/\sstyle="/);
    const plain = await openSignIn(issuer);
    expect(plain.page.headers.get('content-security-policy')).to.contain("style-src 'self';");
  });

  it('keeps its picture with us, under a name made of its bytes, and no page can be made of it', async () => {
    await brand('globex', branding);
    const path = logoOn((await openSignIn(issuer, { client_id: 'globex-app' })).page) ?? '';
    expect(path).to.equal(`/logos/${createHash('sha256').update(png).digest('hex')}`);
    const answer = await fetch(issuer + path);
    expect(Buffer.from(await answer.arrayBuffer())).to.deep.equal(png);
    expect(Object.fromEntries(answer.headers)).to.include({
      ...{ 'content-type': 'image/png', 'x-content-type-options': 'nosniff' },
      ...{ 'cache-control': 'public, max-age=31536000, immutable' },
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
    for (const other of [path.slice(0, -1), `${path}0`, path.replace(/.$/, 'x'), '/logos/__proto__'])
      expect((await fetch(issuer + other)).status, other).to.equal(404);
  });

  it('that an app asks for is shown where the tenant has chosen one, and else nobody is told that there is a tenant', async () => {
    const lifetimes = { ...policy.lifetimes, decisionCacheSeconds: 0 };
    running = await startApp({ seed: seedWithTwoTenants, policy: { ...policy, lifetimes } });
    issuer = running.issuer;
    const asked = async (tenant: string): Promise<Page> => (await openSignIn(issuer, { tenant })).page;
    const masked = ({ html }: Page): string =>
      html.replace(/value="[^"]{30,}"|data-options="[^"]*"|nonce="[^"]*"|\/sign-in\/[\w-]+/g, '');
    const nobody = masked(await asked('nobody'));
    expect(masked(await asked('globex'))).to.equal(nobody);
    const id = await brand('globex', { supportUri: 'https://help.globex.example' });
    for (const name of ['globex', id]) expect(masked(await asked(name)), 'a link to help is no look').to.equal(nobody);
    await brand('globex', { primaryColor: '#003366' });
    for (const name of ['globex', id])
      expect(styleOn((await openSignIn(issuer, { tenant: name })).page), name).to.contain('#003366');
    await running.app.administration.changeStatus(by, id, 'suspended');
    expect(masked(await asked('globex')), 'of a tenant that is not active').to.equal(nobody);
  });

  it('that a person has picked stands on the pages after the picker, and not in the portal', async () => {
    await brand('globex', branding);
    const url = authorizeUrl(issuer, { client_id: 'third-party', prompt: 'consent' });
    const { browser: visitor, page } = await signIn(issuer, url, consultant);
    expect(logoOn(page)).to.equal(undefined);
    const consent = await visitor.submit(page, { tenant: 'globex' });
    expect(consent.html).to.contain('id="consent-accept"');
    expect(logoOn(consent)).to.match(/^\/logos\//);
    const portal = await openPortal(issuer, { person: consultant });
    expect([logoOn(portal.page), styleOn(portal.page)]).to.deep.equal([undefined, undefined]);
  });

  it('is refused with a pointer and what was measured where nobody could read it', async () => {
    const { id: tenantId } = await running.app.administration.getTenant('globex');
    const change = (settings: object) =>
      running.app.administration.changeSettings(by, { tenantId }, { branding: settings }).then(
        () => null,
        (error: { status: number; fields: { pointer: string; detail: string }[] }) => [
          error.status,
          error.fields[0]?.pointer,
          error.fields[0]?.detail,
        ],
      );
    const light = await change({ primaryColor: '#ffcc00' });
    expect(light?.slice(0, 2)).to.deep.equal([400, '/branding/primaryColor']);
    expect(light?.[2]).to.match(/contrast of 1\.\d\d:1/);
    expect((await change({ primaryColorDark: '#003366' }))?.slice(0, 2)).to.deep.equal([
      400,
      '/branding/primaryColorDark',
    ]);
    for (const [wrong, pointer] of [
      [{ primaryColor: 'red' }, '/branding/primaryColor'],
      [{ primaryColor: '#003366;}body{display:none' }, '/branding/primaryColor'],
      [{ displayName: 'a\u202eb' }, '/branding/displayName'],
      [{ logo: { data: '<svg/>', alt: 'x' } }, '/branding/logo/data'],
      [{ logo: { data: Buffer.from('<svg onload="alert(1)"/>').toString('base64'), alt: 'x' } }, '/branding/logo/data'],
      [{ logo: { data: pngOf(2000, 10).toString('base64'), alt: 'x' } }, '/branding/logo/data'],
      [{ logo: { ...logo, alt: '' } }, '/branding/logo/alt'],
      [{ logo: { ...logo, type: 'text/html' } }, '/branding/logo/type'],
      [{ logo: 'https://evil.example/logo.png' }, '/branding/logo'],
    ] as const)
      expect((await change(wrong))?.slice(0, 2), JSON.stringify(wrong)).to.deep.equal([400, pointer]);
    expect(await storedLogos()).to.equal(0);
  });

  it('is dropped with its picture by who changes it, unless somebody else shows the same', async () => {
    await brand('globex', { logo });
    await brand('acme', { logo: { ...logo, alt: 'Ours too' } });
    expect(await storedLogos()).to.equal(1);
    await brand('globex', { logo: { data: webp.toString('base64'), alt: 'Globex' } });
    expect(await storedLogos()).to.equal(2);
    await brand('acme', { logo: null });
    expect(await storedLogos()).to.equal(1);
    await brand('globex', { displayName: 'Globex' });
    expect(await storedLogos(), 'what is not named stays').to.equal(1);
    await brand('globex', { logo: null });
    expect(await storedLogos()).to.equal(0);
  });

  it('comes with a template and a seed as any other setting does', async () => {
    const settings = {
      policies: {
        ...{ ipAllowlist: [], mfa: 'optional' as const, password: { minimumLength: null } },
        ...{ session: { idleSeconds: null, absoluteSeconds: null }, requiredProfile: [], terms: null },
      },
      ...{ features: [], limits: { members: null, serviceAccounts: null } },
      branding: { ...branding, supportUri: null },
    };
    const { administration, seeding } = running.app;
    await administration.publishTemplate(by, { key: 'branded', name: 'Branded', type: 'team', settings, roles: [] });
    const { id: ownerId } = await administration.getUserByEmail(ada.email);
    const draft = { slug: 'initech', name: 'Initech', type: 'team' as const, ownerId, template: { key: 'branded' } };
    const { branding: stamped } = await administration.createTenant(by, draft);
    expect(stamped).to.deep.include({ displayName: 'Globex Worldwide', primaryColor: '#003366' });
    const seed = {
      tenants: [{ slug: 'globex', name: 'Globex', type: 'team' as const, branding: { logo, primaryColor: '#003366' } }],
    };
    expect(await seeding.applySeed(seed)).to.deep.equal({ created: 0, updated: 1, unchanged: 0 });
    expect(await seeding.applySeed(seed), 'twice changes nothing').to.deep.equal({
      created: 0,
      updated: 0,
      unchanged: 1,
    });
    const seeded = (await administration.getTenant('globex')).branding;
    expect(seeded.logo?.digest).to.equal(stamped.logo?.digest);
    await seeding.applySeed({ tenants: [{ slug: 'globex', name: 'Globex', type: 'team' }] });
    expect((await administration.getTenant('globex')).branding, 'what a seed leaves out stays').to.deep.equal(seeded);
    await brand('globex', { logo: null });
    expect(await storedLogos(), 'the template still shows it').to.equal(1);
  });

  it('is written to nobody else: a page asks its own server alone', async () => {
    await brand('globex', branding);
    const visitor = browser(issuer);
    const { html } = await visitor.get(authorizeUrl(issuer, { client_id: 'globex-app' }));
    const asked = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
    for (const address of asked) expect(address).to.match(/^\//);
  });
});
