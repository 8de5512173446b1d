// Every form that a link in a mail leads to, at every state of its machine.
import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import { browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import {
  askForAccount,
  askForRecovery,
  linkIn,
  recoveryLink,
  subjectsTo,
  type LinkPath,
} from '../support/mail-links.js';
import { race } from '../support/server-pair.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { csrfOf, kinds, newcomer, password, paths, post, seed } from './mail-link-kinds.js';
import { authorizeUrl, sendRaw } from './requests.js';

/** Fifty new passwords at once are hashed one after the other, on whatever machine. */
const patient = { ...policy, passwords: { ...policy.passwords, longestWaitMs: 60_000 } };

describe('links in mails', function () {
  this.timeout(60_000);
  let running: RunningApp;
  beforeEach(async () => {
    running = await startApp({ seed, policy: patient });
  });
  afterEach(closeApps);

  it('sec-022 no form does anything but with a link of its own kind that is good, whatever was shown before', async () => {
    const visitor = browser(running.issuer);
    const nobody = `/${'x'.repeat(43)}`;
    const links = new Map<LinkPath, string>();
    for (const kind of paths) links.set(kind, await kinds[kind].open(running, visitor));
    const stored = async (): Promise<string> =>
      JSON.stringify([
        await running.database.collection('users').find().sort({ _id: 1 }).toArray(),
        await running.database.collection('passwords').find().sort({ _id: 1 }).toArray(),
        await running.database.collection('action_links').find().sort({ _id: 1 }).toArray(),
      ]);
    const before = await stored();
    for (const kind of paths) {
      const own = await visitor.get(links.get(kind) ?? '');
      expect(own.status, `${kind} opens`).to.equal(200);
      const csrf = csrfOf(own);
      for (const other of paths) {
        const token = (links.get(other) ?? '').slice(-43);
        // with no link, with one of nobody, with that of another kind, and with the form of another page
        for (const [path, form] of [
          [`/${kind}/`, csrf],
          [`/${kind}${nobody}`, csrf],
          [`/${kind}/done`, csrf],
          ...(other === kind ? [] : [[`/${kind}/${token}`, csrf]]),
          ...(other === kind ? [] : [[links.get(other) ?? '', csrf]]),
          [links.get(kind) ?? '', ''],
        ] as [string, string][]) {
          const answer = await post(visitor, path, { csrf: form, ...kinds[kind].members });
          expect(answer.status, `${path.slice(0, 30)} of ${other}`).to.be.within(400, 499);
        }
      }
      // the form of its own page, posted from a browser that has not opened it
      expect(
        (await post(browser(running.issuer), links.get(kind) ?? '', { csrf, ...kinds[kind].members })).status,
      ).to.equal(403);
      for (const members of [
        {},
        { password: '' },
        { name: 'X' },
        { confirm: 'no' },
        { ...kinds[kind].members, x: '1' },
      ])
        expect((await post(visitor, links.get(kind) ?? '', { csrf, ...members })).status, kind).to.be.oneOf([400, 422]);
    }
    expect(await stored(), 'nothing was changed or used up').to.equal(before);
    for (const kind of paths) {
      const page = await visitor.get(links.get(kind) ?? '');
      const done = await post(visitor, links.get(kind) ?? '', { csrf: csrfOf(page), ...kinds[kind].members });
      expect(done.status, `${kind} ${done.html}`).to.equal(303);
      const again = await post(visitor, links.get(kind) ?? '', { csrf: csrfOf(page), ...kinds[kind].members });
      expect(again.status, `${kind} again`).to.equal(410);
    }
  });

  it('sec-022 every kind of link with a form has its rows here', () => {
    const routed = running.app.routes.flatMap(({ methods, path }) =>
      methods.includes('POST') && path.endsWith('/:token') ? [path.slice(1, -'/:token'.length)] : [],
    );
    expect(routed).to.have.members([...paths, 'account/deletion']); // of which test/journeys/account-deletion.test.ts is
  });

  it('sec-022 to open a link changes nothing, however often and by whom', async () => {
    const visitor = browser(running.issuer);
    const link = await recoveryLink(running, visitor, ada.email);
    for (const scanner of [browser(running.issuer), browser(running.issuer)])
      for (const method of ['GET', 'HEAD', 'GET'])
        expect((await scanner.request(link, { method })).status).to.equal(200);
    expect((await visitor.submit(await visitor.get(link), { password })).html).to.contain('Your password is changed');
  });

  for (const kind of paths) {
    it(`sec-023 of 50 parallel uses of one ${kind} link, in two processes, one wins`, async () => {
      const second = await startApp({ sharedWith: running, policy: patient });
      const pair = { ...running, ports: [running.port, second.port] } as const;
      const visitor = browser(running.issuer);
      const link = await kinds[kind].open(running, visitor);
      const csrf = csrfOf(await visitor.get(link));
      const tried = Array.from({ length: 50 }, (_, index) => `the password of try ${index} of many`);
      const answers = await race(pair, 50, (index) => ({
        path: link,
        headers: { Cookie: visitor.cookieHeader(link), Accept: 'text/html' },
        form: {
          ...{ csrf, ...kinds[kind].members },
          ...('password' in kinds[kind].members ? { password: tried[index] ?? '' } : {}),
        },
      }));
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 303)).to.have.lengthOf(1);
      expect(statuses.filter((status) => status !== 303 && status !== 410 && status !== 409)).to.deep.equal([]);
      if (kind !== 'recover') return;
      const winner = tried[statuses.indexOf(303)] ?? '';
      const { page } = await signIn(running.issuer, authorizeUrl(running.issuer), { ...ada, password: winner });
      expect(page.url).to.contain('code=');
      const loser = { ...ada, password: tried[(statuses.indexOf(303) + 1) % 50] ?? '' };
      expect((await signIn(running.issuer, authorizeUrl(running.issuer), loser)).page.status).to.equal(422);
    });
  }

  it('sec-021 lead to the issuer, whatever a request says about its host', async () => {
    const { host } = new URL(running.issuer);
    const visitor = browser(running.issuer);
    const page = await visitor.get('/recover');
    const body = new URLSearchParams({ csrf: csrfOf(page), login: ada.email }).toString();
    const variants = [
      [`Host: ${host}`, 'X-Forwarded-Host: evil.example'],
      [`Host: ${host}`, 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 8443'],
      [`Host: ${host}`, 'Forwarded: host=evil.example;proto=https'],
      [`Host: ${host}`, 'X-Original-Host: evil.example', 'X-Host: evil.example'],
      [`Host: ${host.toUpperCase()}`],
      ['Host: evil.example'],
      [`Host: ${host}`, 'Host: evil.example'],
      [`Host: ${host.split(':')[0] ?? ''}:1`],
    ];
    let admitted = 0;
    for (const headers of variants) {
      const lines = [
        ...['POST /recover HTTP/1.1', ...headers, `Cookie: ${visitor.cookieHeader('/recover')}`],
        ...['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`, 'Connection: close'],
      ];
      const { status } = await sendRaw(running.issuer, `${lines.join('\r\n')}\r\n\r\n${body}`);
      expect(status, headers.join()).to.be.oneOf([200, 400, 421]);
      if (status === 200) admitted++;
    }
    await running.deliverMail();
    expect(running.mailbox).to.have.lengthOf(admitted).and.not.be.empty;
    for (const { text, html } of running.mailbox)
      for (const [address] of (text + html).matchAll(/https?:\/\/[^\s"<]+/g))
        expect(address.startsWith(`${running.issuer}/recover/`), address).to.equal(true);
  });

  it('sec-050 says the same of every address, in status, headers and words', async () => {
    const visible = (page: Page, login: string): unknown => {
      const masked = (text: string): string =>
        [login, page.headers.get('x-request-id') ?? '']
          .reduce((left, part) => left.replaceAll(part, '*'), text)
          .replace(/nonce-[\w+/=]+/g, 'nonce-*');
      const headers = [...page.headers].filter(([name]) => name !== 'date');
      return {
        status: page.status,
        headers: headers.map(([name, value]) => [name, masked(value)]),
        html: masked(page.html),
      };
    };
    for (const ask of [askForRecovery, askForAccount]) {
      const visitor = browser(running.issuer);
      await visitor.get('/recover');
      const known = await ask(visitor, ada.email);
      const unknown = await ask(visitor, 'ade@example.com');
      expect(visible(known, ada.email)).to.deep.equal(visible(unknown, 'ade@example.com'));
    }
  });

  it('sec-050 does the same work for every address: as many commands to the database', async () => {
    // whether any domain leads anywhere is asked now and then, for whoever comes first
    const lifetimes = { ...policy.lifetimes, decisionCacheSeconds: 60 };
    const counted = await startApp({ seed, monitorCommands: true, policy: { ...policy, lifetimes } });
    const commands: string[] = [];
    counted.database.connection.getClient().on('commandStarted', ({ commandName }) => void commands.push(commandName));
    const visitor = browser(counted.issuer);
    const csrf = csrfOf(await visitor.get('/recover'));
    const commandsOf = async (login: string): Promise<string[]> => {
      commands.length = 0;
      await post(visitor, '/recover', { csrf, login });
      return commands
        .filter((name) => /^(find|insert|update|delete|findAndModify|commitTransaction)$/.test(name))
        .sort();
    };
    await commandsOf('the-first@example.com');
    const known = await commandsOf(ada.email);
    expect(await commandsOf('ade@example.com')).to.deep.equal(known);
    for (let count = 0; count < 5; count++) await commandsOf(ada.email);
    const refused = await commandsOf(ada.email);
    for (let count = 0; count < 5; count++) await commandsOf('ade@example.com');
    expect(await commandsOf('ade@example.com'), 'one too many').to.deep.equal(refused);
  });

  it('sec-049 sends five mails an hour to one address for each purpose, and answers the sixth as the others', async () => {
    for (let count = 0; count < 6; count++) await askForAccount(browser(running.issuer), ada.email);
    // whoever asks for accounts in the name of somebody keeps them from no new password
    for (let count = 0; count < 5; count++) await askForRecovery(browser(running.issuer), ada.email);
    const sixth = await askForRecovery(browser(running.issuer), 'ADA@example.com');
    expect([sixth.status, sixth.html.includes('Look into your mail')]).to.deep.equal([200, true]);
    const subjects = await subjectsTo(running, ada.email);
    expect(subjects).to.have.lengthOf(10);
    expect(subjects.filter((subject) => subject === 'You have an account')).to.have.lengthOf(5);
  });

  it('sec-049 lets no more through when they are asked for at once, in two processes', async () => {
    const second = await startApp({ sharedWith: running, policy: patient });
    const pair = { ...running, ports: [running.port, second.port] } as const;
    const visitor = browser(running.issuer);
    const csrf = csrfOf(await visitor.get('/recover'));
    const headers = { Cookie: visitor.cookieHeader('/recover') };
    const answers = await race(pair, 30, () => ({ path: '/recover', headers, form: { csrf, login: ada.email } }));
    expect(answers.map(({ status }) => status).filter((status) => status !== 200)).to.deep.equal([]);
    expect(await subjectsTo(running, ada.email)).to.have.lengthOf(5);
  });

  it('sec-049 takes twenty requests for mail an hour from one address', async () => {
    const limited = await startApp({ seed, rateLimitFactor: 1 });
    const visitor = browser(limited.issuer);
    for (let count = 0; count < 20; count++) {
      const path = count % 2 === 0 ? '/recover' : '/sign-up';
      const csrf = csrfOf(await visitor.get(path));
      expect((await post(visitor, path, { csrf, login: `x${count}@example.com` })).status, String(count)).to.equal(200);
    }
    const refused = await post(visitor, '/recover', { csrf: csrfOf(await visitor.get('/recover')), login: ada.email });
    expect(refused.status).to.equal(429);
    expect(await linkIn(limited, ada.email, 'recover')).to.equal(null);
  });

  it('sec-077 neither tokens nor addresses of links are stored readable', async () => {
    const visitor = browser(running.issuer);
    const links = [];
    for (const kind of paths) links.push(await kinds[kind].open(running, visitor));
    const collections = ['action_links', 'action_mail_counts', 'mail_outbox', 'events'];
    const stored = await Promise.all(collections.map((name) => running.database.collection(name).find().toArray()));
    const text = JSON.stringify(stored);
    for (const secret of [...links.map((link) => link.slice(-43)), ada.email, newcomer, 'moved@example.com'])
      expect(text).not.to.contain(secret);
    expect(running.logLines.join('')).not.to.match(/\/(?:recover|sign-up|verify-email)\/[\w-]{43}/);
  });
});
