// Mail as it leaves: by a real mail server, to files, and what happens when nobody takes it.
import { expect } from 'chai';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { simpleParser } from 'mailparser';
import { fileTransport, messageOf, type MailTransport } from '../../src/platform/mail/transports.js';
import { openCatalogues } from '../../src/platform/i18n/catalogues.js';
import { openMailTemplates, type Letter } from '../../src/platform/mail/mail-templates.js';
import { createOutbox, type Outbox, type OutboxRules } from '../../src/platform/mail/outbox.js';
import { createLogger } from '../../src/platform/log/logger.js';
import { openSealing } from '../../src/platform/crypto/sealing.js';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';
import { inTransactionOf, type InTransaction } from '../../src/platform/mongo/transactions.js';
import { policy } from '../../config/policy.js';
import { freshDatabaseUri } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { mailTo, sender, startMailServer, type MailServer } from '../support/mail-server.js';

const invitation = {
  ...{ hasInviter: 'yes', inviterName: 'Ada', tenantName: 'Acme', hasRoles: 'yes', roles: 'Editor' },
  ...{ email: 'x@example.com', expiresAt: new Date('2026-11-27T08:05:00Z') },
};
const letter = {
  ...{ name: 'invitation', reader: { language: 'en' }, path: '/invitations/abc' },
  values: invitation,
} satisfies Letter;

describe('mail', () => {
  const log = createLogger('silent');
  const key = { kid: 'one', bytes: new Uint8Array(32).fill(7) };
  const directory = (name: string): string => new URL(`../../${name}`, import.meta.url).pathname;
  const catalogues = openCatalogues(directory('locales'));
  let databaseUri: string;
  let database: Database;
  let inTransaction: InTransaction;
  let now: Date;
  let closing: (() => Promise<unknown>)[];

  beforeEach(async () => {
    databaseUri = await freshDatabaseUri();
    database = await openDatabase(databaseUri);
    inTransaction = inTransactionOf(database);
    now = new Date();
    closing = [() => database.close()];
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });

  async function outboxWith(
    transport: MailTransport,
    on = database,
    rules: Partial<OutboxRules> = {},
  ): Promise<Outbox> {
    const sealing = await openSealing([key]);
    const render = openMailTemplates(directory('views'), 'https://id.example.com', catalogues);
    const outbox = createOutbox({
      ...{ database: on, sealing, log, render, transport, now: () => now },
      rules: { ...policy.mail, ...rules },
    });
    await outbox.ensureIndexes();
    closing.push(() => outbox.stop());
    return outbox;
  }

  const queue = (outbox: Outbox, to = 'x@example.com', other: Partial<Letter> = {}): Promise<void> =>
    inTransaction((tx) => outbox.queueMail(tx, { to, ...letter, ...other }));

  async function mailServerWith(options?: Parameters<typeof startMailServer>[0]): Promise<MailServer> {
    const started = await startMailServer(options);
    closing.push(started.close);
    return started;
  }

  it('arrives at a mail server as text and as HTML, from us, to one address, with a Message-ID of ours', async () => {
    const mailServer = await mailServerWith();
    const outbox = await outboxWith(mailTo(mailServer));
    await queue(outbox);
    expect(await outbox.deliverDue()).to.equal(1);
    const [mail] = mailServer.mails;
    expect(mail?.subject).to.equal('Ada invites you to Acme');
    expect(mail?.from?.text).to.equal('"Gatehouse" <no-reply@id.example.com>');
    expect(mail?.to).to.have.property('text', 'x@example.com');
    expect(mail?.messageId).to.match(/^<mai_[0-9a-f]{32}@id\.example\.com>$/);
    expect(mail?.headers.get('auto-submitted')).to.equal('auto-generated');
    const shown = /https:\/\/id\.example\.com\/invitations\/abc\?ui_locales=en[\s\S]*27 November 2026 at 08:05 UTC/;
    for (const body of [mail?.text, mail?.html]) expect(body).to.match(shown).and.contain('Acme');
    expect(await database.collection('mail_outbox').countDocuments()).to.equal(0);
  });

  it('is sent by itself once its change went through, and not at all when it did not', async () => {
    const mailServer = await mailServerWith();
    const outbox = await outboxWith(mailTo(mailServer));
    outbox.start();
    await inTransaction(async (tx) => {
      await outbox.queueMail(tx, { to: 'never@example.com', ...letter });
      throw new Error('taken back');
    }).catch(() => undefined);
    await queue(outbox);
    await eventually(() => expect(mailServer.mails).to.have.length(1));
    expect(mailServer.mails[0]?.to).to.have.property('text', 'x@example.com');
  });

  it('waits for a mail server that is away or busy, ever longer, and arrives once it is there', async () => {
    let isBusy = true;
    const busy = Object.assign(new Error('later'), { responseCode: 451 });
    const mailServer = await mailServerWith({ onRcptTo: (_address, _session, done) => done(isBusy ? busy : null) });
    const outbox = await outboxWith(mailTo(mailServer));
    await queue(outbox);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      expect(await outbox.deliverDue()).to.equal(0);
      const stored = await database.collection<{ dueAt: Date }>('mail_outbox').findOne({});
      waits.push((stored?.dueAt.getTime() ?? 0) - now.getTime());
      now = new Date(stored?.dueAt ?? now);
    }
    for (const [index, wait] of waits.entries()) expect(wait).to.be.within(1000 * 2 ** index, 2000 * 2 ** index);
    isBusy = false;
    expect(await outbox.deliverDue()).to.equal(1);
    expect(mailServer.mails).to.have.length(1);
  });

  it('that is refused for good, or not taken for a day, is given up and keeps no other', async () => {
    const refused = Object.assign(new Error('no such user'), { responseCode: 550 });
    const mailServer = await mailServerWith({
      onRcptTo: ({ address }, _session, done) => done(address.startsWith('nobody') ? refused : null),
    });
    const outbox = await outboxWith(mailTo(mailServer));
    await queue(outbox, 'nobody@example.com');
    await queue(outbox, 'somebody@example.com');
    expect(await outbox.deliverDue()).to.equal(1);
    const kept = await database.collection<{ status: string; reason: string }>('mail_outbox').find().toArray();
    expect(kept.map(({ status, reason }) => [status, reason])).to.deep.equal([['failed', '550']]);
    const nowhere = await outboxWith(mailTo({ port: 9 }));
    await queue(nowhere);
    await nowhere.deliverDue();
    now = new Date(now.getTime() + 86_400_001);
    await nowhere.deliverDue();
    expect(await database.collection('mail_outbox').countDocuments({ status: 'failed' })).to.equal(2);
  });

  it('is sent by one of two processes, each of two hundred once', async () => {
    const mailServer = await mailServerWith();
    const other = await openDatabase(databaseUri);
    closing.push(() => other.close());
    const one = await outboxWith(mailTo(mailServer));
    const two = await outboxWith(mailTo(mailServer), other);
    for (let index = 0; index < 200; index++) await queue(one, `p${index}@example.com`);
    const counts = await Promise.all([one.deliverDue(), two.deliverDue()]);
    expect(counts[0] + counts[1]).to.equal(200);
    expect(Math.min(...counts)).to.be.greaterThan(0);
    expect(new Set(mailServer.mails.map(({ messageId }) => messageId)).size).to.equal(200);
    expect(mailServer.mails).to.have.length(200);
  });

  it('whose process died after sending it is sent once more, under the same Message-ID', async () => {
    const ids: (string | undefined)[] = [];
    const dying: MailTransport = {
      async send(mail) {
        ids.push(messageOf(mail, sender).messageId);
        if (ids.length === 1) await new Promise(() => undefined); // never comes back
      },
      close: async () => undefined,
    };
    const first = await outboxWith(dying, database, { stopSeconds: 0 });
    await queue(first);
    void first.deliverDue();
    await eventually(() => expect(ids).to.have.length(1));
    const second = await outboxWith(dying);
    expect(await second.deliverDue()).to.equal(0); // the lease still runs
    now = new Date(now.getTime() + policy.mail.leaseSeconds * 1000 + 1);
    expect(await second.deliverDue()).to.equal(1);
    expect(new Set(ids).size).to.equal(1);
  });

  it('is a file that mail programs open, for its owner alone, where there is no mail server', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gatehouse-mail-'));
    closing.push(() => rm(directory, { recursive: true }));
    const lines: string[] = [];
    const written = new Writable({ write: (line: Buffer, _encoding, done) => done(void lines.push(line.toString())) });
    const outbox = await outboxWith(fileTransport(join(directory, 'mail'), sender, createLogger('info', written)));
    await queue(outbox);
    await outbox.deliverDue();
    const [file = ''] = await readdir(join(directory, 'mail'));
    expect(file).to.match(/\.eml$/);
    const path = join(directory, 'mail', file);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    const mail = await simpleParser(await readFile(path));
    expect(mail.subject).to.equal('Ada invites you to Acme');
    expect(lines.join(''), 'the log says where').to.contain(path);
  });

  it('sec-027 has no header, line or address that a name brought along', async () => {
    const mailServer = await mailServerWith();
    const outbox = await outboxWith(mailTo(mailServer));
    const hostile = [
      'x\r\nBcc: evil@example.com',
      '<a href=//evil.example>',
      '\u202egnp.exe',
      'a\0b',
      'x\u2028Subject: y',
      '=?utf-8?q?=53afe_Bank?=',
      'x'.repeat(5000),
    ];
    for (const tenantName of hostile)
      await queue(outbox, 'x@example.com', { values: { ...invitation, tenantName, inviterName: tenantName } });
    await outbox.deliverDue();
    expect(mailServer.mails).to.have.length(hostile.length);
    for (const mail of mailServer.mails) {
      expect(mail.bcc).to.equal(undefined);
      expect(mail.to).to.have.property('text', 'x@example.com');
      expect(mail.subject).not.to.match(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
      expect(mail.subject).not.to.contain('Safe Bank');
      expect(mail.subject?.length).to.be.at.most(200);
      expect(mail.html).not.to.contain('<a href=//evil');
      for (const body of [String(mail.text), String(mail.html)]) {
        expect(body).not.to.match(/(?![\t\r\n])[\p{Cc}\p{Bidi_Control}\u2028]/u);
        expect(body.length).to.be.below(4000);
      }
    }
  });

  it('sec-021 leads to the configured issuer or is not queued at all', async () => {
    const outbox = await outboxWith(fileTransport(null, sender, log));
    for (const path of [
      ...['https://evil.example/x', '//evil.example/x', 'javascript:alert(1)', '\\\\evil.example'],
      ...['blob:https://id.example.com/x', 'https://a@id.example.com/x', 'https://id.example.com.evil.example/x'],
    ])
      expect(
        await queue(outbox, 'x@example.com', { path }).then(
          () => 'queued',
          () => 'refused',
        ),
      ).to.equal('refused');
  });

  it('says neither address nor content in what is stored', async () => {
    const outbox = await outboxWith(mailTo({ port: 9 }));
    await queue(outbox, 'canary-address@example.com', { values: { ...invitation, tenantName: 'Canary Tenant' } });
    const stored = JSON.stringify(await database.collection('mail_outbox').find().toArray());
    expect(stored).not.to.match(/canary/i);
  });

  it('that hangs in a mail server keeps no other, and is sent again later', async () => {
    const mailServer = await mailServerWith();
    const real = mailTo(mailServer);
    const hanging: MailTransport = {
      send: (mail, signal) => (mail.to === 'slow@example.com' ? new Promise(() => undefined) : real.send(mail, signal)),
      close: real.close,
    };
    const outbox = await outboxWith(hanging, database, { atOnce: 2, sendSeconds: 0.5 });
    outbox.start();
    await queue(outbox, 'slow@example.com');
    for (let index = 0; index < 20; index++) await queue(outbox, `p${index}@example.com`);
    await eventually(() => expect(mailServer.mails).to.have.length(20));
    await eventually(async () => {
      const left = await database.collection<{ attempts: number; dueAt: Date }>('mail_outbox').find().toArray();
      expect(left.map(({ attempts }) => attempts)).to.deep.equal([1]);
      expect(left[0]?.dueAt.getTime()).to.be.below(now.getTime() + policy.mail.leaseSeconds * 1000);
    });
  });

  it('that hangs does not keep the process from ending', async () => {
    const hanging: MailTransport = { send: () => new Promise(() => undefined), close: async () => undefined };
    const outbox = await outboxWith(hanging, database, { stopSeconds: 0.2 });
    outbox.start();
    await queue(outbox);
    await eventually(async () =>
      expect(await database.collection('mail_outbox').countDocuments({ attempts: 1 })).to.equal(1),
    );
    await outbox.stop(); // the time of the test is the limit
  });

  it('is not taken up any more once the end was called, and stays for another process', async () => {
    const mailServer = await mailServerWith();
    const outbox = await outboxWith(mailTo(mailServer), database, { atOnce: 1 });
    for (let index = 0; index < 50; index++) await queue(outbox, `p${index}@example.com`);
    outbox.start();
    await eventually(() => expect(mailServer.mails).not.to.have.length(0));
    await outbox.stop();
    const sent = mailServer.mails.length;
    expect(sent).to.be.below(50);
    expect(await database.collection('mail_outbox').countDocuments({ status: 'queued' })).to.equal(50 - sent);
  });

  it('whose key is not there keeps no other', async () => {
    const mailServer = await mailServerWith();
    const outbox = await outboxWith(mailTo(mailServer));
    await queue(outbox);
    await database.collection('mail_outbox').updateOne({}, { $set: { sealed: 'of another key' } });
    await queue(outbox, 'y@example.com');
    expect(await outbox.deliverDue()).to.equal(1);
    expect(mailServer.mails[0]?.to).to.have.property('text', 'y@example.com');
    expect(await database.collection('mail_outbox').countDocuments({ status: 'queued' })).to.equal(1);
  });

  it('waits while the password for the mail server is wrong', async () => {
    let password = 'new';
    const mailServer = await mailServerWith({
      ...{ disabledCommands: ['STARTTLS'], allowInsecureAuth: true, authOptional: false },
      onAuth: (asked, _session, done) =>
        asked.password === password
          ? done(null, { user: 'gatehouse' })
          : done(Object.assign(new Error('no'), { responseCode: 535 })),
    });
    const outbox = await outboxWith(mailTo(mailServer, { auth: { user: 'gatehouse', pass: 'old' } }));
    await queue(outbox);
    expect(await outbox.deliverDue()).to.equal(0);
    expect(await database.collection('mail_outbox').countDocuments({ status: 'queued' })).to.equal(1);
    password = 'old';
    now = new Date(now.getTime() + 3600_000);
    expect(await outbox.deliverDue()).to.equal(1);
  });
});
