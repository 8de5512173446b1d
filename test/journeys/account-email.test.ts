// The section of the portal in which the address of an account is proven and changed.
import { expect } from 'chai';
import { closeApps } from '../support/start-app.js';
import { csrfOf, openPortal, postForm, type PortalVisit } from '../support/portal.js';
import { consultant } from '../support/two-tenants.js';
import { openGround, solo, type AccountGround } from './account-ground.js';

const place = '/account/email';

describe('the address of an account, at the portal', () => {
  let ground: AccountGround;
  let visit: PortalVisit;
  beforeEach(async () => {
    ground = await openGround();
    visit = await openPortal(ground.issuer, { path: place, person: solo });
  });
  afterEach(closeApps);

  const ask = (email: string) => postForm(visit, place, { csrf: csrfOf(visit.page), email });

  async function lastMail(): Promise<{ to: string; link: string } | undefined> {
    await ground.running.deliverMail();
    const mail = ground.running.mailbox.at(-1);
    return mail && { to: mail.to, link: /http\S+\/change-email\/\S+/.exec(mail.text)?.[0] ?? '' };
  }

  it('sec-026 another one counts once its link was opened in this browser, and the former is told', async () => {
    expect((await ask('new@example.com')).status).to.equal(303);
    const mail = await lastMail();
    expect(mail?.to).to.equal('new@example.com');
    expect(await ground.idOf(solo.email)).to.be.a('string');
    const page = await visit.visitor.get(mail?.link ?? '');
    await visit.visitor.submit(page, { confirm: 'yes' });
    expect(await ground.idOf('new@example.com')).to.be.a('string');
    await ground.running.deliverMail();
    expect(ground.running.mailbox.at(-1)?.to).to.equal(solo.email);
  });

  it('what is no address, the same one, and one too many are refused with words', async () => {
    for (const [email, text] of [
      ['nobody', 'no e-mail address'],
      [solo.email, 'your address already'],
    ] as const) {
      const { status, html } = await ask(email);
      expect(status).to.equal(422);
      expect(html).to.contain(text).and.contain('role="alert"');
    }
    for (let count = 0; count < 5; count++) expect((await ask('new@example.com')).status).to.equal(303);
    expect((await ask('new@example.com')).status).to.equal(429);
  });

  it('sec-050 that of somebody else is answered like any other, and nobody is written to', async () => {
    const { status, url } = await ask('ada@example.com');
    expect(status).to.equal(303);
    expect(url).not.to.contain('error');
    await ground.running.deliverMail();
    expect(ground.running.mailbox.filter(({ to }) => to === 'ada@example.com')).to.have.length(0);
  });

  it('sec-042 it takes a proof of the last ten minutes', async () => {
    ground.later(601);
    const { status, headers } = await ask('new@example.com');
    expect(status).to.equal(303);
    expect(headers.get('location')).to.contain('/oauth2/authorize');
    expect(await lastMail()).to.equal(undefined);
  });

  it('what was typed is there again after the proof, once, and nothing is sent before it is sent again', async () => {
    ground.later(601);
    const { visitor, page } = visit;
    const asked = await visitor.submit(page, { email: 'new@example.com' });
    const back = await visitor.submit(asked, { login: solo.email, password: solo.password });
    expect(back.url).to.equal(ground.issuer + place);
    expect(back.html).to.contain('value="new@example.com"').and.contain('press the button once more');
    expect(await lastMail()).to.equal(undefined);
    expect((await visitor.get(place)).html).not.to.contain('new@example.com');
    await visitor.submit(back, { email: 'new@example.com' });
    expect((await lastMail())?.to).to.equal('new@example.com');
  });

  it('sec-028 what somebody typed waits for nobody else, also in the same browser, and can be read by nobody', async () => {
    ground.later(601);
    const { visitor, page } = visit;
    const asked = await visitor.submit(page, { email: 'new@example.com' });
    const kept = [...visitor.cookies.values()].find(({ name }) => name === 'kept-form')?.value ?? '';
    expect(kept).to.match(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(Buffer.from(kept, 'base64url').toString('latin1')).not.to.contain('new@example.com');
    const leave = await visitor.submit(asked, { login: consultant.email, password: consultant.password });
    const other = leave.html.includes('name="logout"') ? await visitor.submit(leave, { logout: 'yes' }) : leave;
    expect(other.url).to.equal(ground.issuer + place);
    expect(other.html).not.to.contain('new@example.com').and.not.contain('press the button once more');
  });
});
