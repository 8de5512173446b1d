// An invitation as it happens: asked for by the API, carried by a mail server, answered in a browser by somebody new.
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiOf, roleSeed } from '../management/api.js';
import { useChromium } from '../support/chromium.js';
import { eventually } from '../support/eventually.js';
import { startMailServer, type MailServer } from '../support/mail-server.js';
import { killServerProcesses, startServerProcess } from '../support/server-process.js';

const newcomer = { email: 'newcomer@example.com', name: 'New Comer', password: 'a password of the newcomer' };

describe('an invitation by mail', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let folder: string;
  let mailServer: MailServer | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  });
  afterEach(async () => {
    killServerProcesses();
    await mailServer?.close();
    rmSync(folder, { recursive: true });
  });

  it('goes from the API through a mail server to a member who signs in', async () => {
    mailServer = await startMailServer();
    const seed = join(folder, 'seed.json');
    // the tenant of the operators is there already
    const tenants = roleSeed.tenants?.filter(({ slug }) => slug !== 'platform');
    writeFileSync(seed, JSON.stringify({ ...roleSeed, tenants }));
    const { issuer } = await startServerProcess({
      ...{ DATA_DIR: folder, SEED_FILE: seed, MAIL_FROM: 'Gatehouse <no-reply@id.example.com>' },
      SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`,
    });
    const owner = await apiOf({ issuer }, 'acme-owner');
    const me = await owner.call('GET', '/tenants');
    const [{ id } = { id: '' }] = me.json['items'] as { id: string }[];
    const body = { email: newcomer.email, roles: ['editor'] };
    expect((await owner.call('POST', `/tenants/${id}/invitations`, { body })).status).to.equal(201);
    await eventually(() => expect(mailServer?.mails).to.have.length(1));
    const [mail] = mailServer.mails;
    expect(mail?.from?.text).to.equal('"Gatehouse" <no-reply@id.example.com>');
    const link = /http\S+\/invitations\/[\w-]{43}/.exec(mail?.text ?? '')?.[0] ?? '';
    expect(link.startsWith(`${issuer}/`)).to.equal(true);

    const { page, complaints } = await visit();
    await page.goto(link);
    await page.fill('#name', newcomer.name);
    await page.fill('#password', newcomer.password);
    await page.click('#submit');
    await page.click('#invitation-accept');
    await page.waitForURL(`${issuer}/invitations/joined**`);
    const members = await owner.call('GET', `/tenants/${id}/members?limit=100`);
    const member = (members.json['items'] as { email: string; roles: string[] }[]).find(
      ({ email }) => email === newcomer.email,
    );
    expect(member?.roles).to.deep.equal(['editor']);
    expect(complaints).to.deep.equal([]);
  });
});
