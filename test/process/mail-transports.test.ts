// What goes to a mail server goes encrypted, to the one that it is meant for.
import { expect } from 'chai';
import { makeAuthority, type Authority } from '../support/authority.js';
import { eventually } from '../support/eventually.js';
import { mailTo, startMailServer, type MailServer } from '../support/mail-server.js';
import { requireTool } from '../support/tools.js';

const mail = { id: 'mai_1', to: 'x@example.com', subject: 'One', text: 'two', html: '<p>two</p>' };

describe('a mail server with TLS and a password', () => {
  const auth = { user: 'gatehouse', pass: 'p:@ ä' };
  let authority: Authority;
  let closing: (() => Promise<void>)[];
  before(function () {
    if (!requireTool('openssl')) return this.skip();
    authority = makeAuthority();
  });
  beforeEach(() => (closing = []));
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });

  async function started(options: Parameters<typeof startMailServer>[0]): Promise<MailServer> {
    const server = await startMailServer(options);
    closing.push(server.close);
    return server;
  }

  const secured = (isImplicit = false): Promise<MailServer> =>
    started({
      ...{ ...authority.host, disabledCommands: [], authOptional: false, secure: isImplicit },
      onAuth: ({ username, password }, _session, done) =>
        username === auth.user && password === auth.pass ? done(null, { user: username }) : done(new Error('no')),
    });

  async function send(...to: Parameters<typeof mailTo>): Promise<string> {
    const transport = mailTo(...to);
    closing.push(transport.close);
    return transport.send(mail, new AbortController().signal).then(
      () => 'sent',
      (error: { code?: string }) => error.code ?? 'failed',
    );
  }

  for (const implicitTls of [false, true])
    it(`takes mail by ${implicitTls ? 'TLS from the first byte' : 'STARTTLS'}`, async () => {
      const server = await secured(implicitTls);
      const outcome = await send(server, { implicitTls, requireTls: true, auth }, [authority.certificate]);
      expect(outcome).to.equal('sent');
      expect(server.encrypted).to.deep.equal([true]);
      expect(server.mails[0]?.text).to.contain('two');
    });

  it('that nobody vouches for, or that has no TLS, gets neither mail nor password', async () => {
    const server = await secured();
    expect(await send(server, { requireTls: true, auth })).not.to.equal('sent');
    let isAsked = false;
    const plain = await started({
      ...{ disabledCommands: ['STARTTLS'], allowInsecureAuth: true },
      onAuth: (_auth, _session, done) => {
        isAsked = true;
        done(null, { user: 'x' });
      },
    });
    expect(await send(plain, { requireTls: true, auth }, [authority.certificate])).not.to.equal('sent');
    expect([...server.mails, ...plain.mails]).to.have.length(0);
    expect(isAsked).to.equal(false);
  });

  it('that dawdles is hung up on once it is given up, so that it does not take the mail after all', async () => {
    let goOn: (() => void) | undefined;
    const server = await started({
      onMailFrom: (_address, _session, done) => {
        if (goOn) return done(null);
        goOn = () => done(null);
      },
    });
    const transport = mailTo(server);
    closing.push(transport.close);
    const over = new AbortController();
    const sent = transport.send(mail, over.signal).then(
      () => 'sent',
      () => 'given up',
    );
    await eventually(() => expect(goOn).to.be.a('function'));
    over.abort();
    expect(await sent).to.equal('given up');
    goOn?.();
    expect(await send(server)).to.equal('sent');
    expect(server.mails).to.have.length(1);
  });

  it('is spoken to encrypted where that is offered and not demanded, whoever its certificate is of', async () => {
    const server = await secured();
    expect(await send(server, { requireTls: false, auth })).to.equal('sent');
    expect(server.encrypted).to.deep.equal([true]);
  });
});
