import { simpleParser, type ParsedMail } from 'mailparser';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { smtpTransport, type MailTransport } from '../../src/platform/mail/transports.js';
import type { SmtpServer } from '../../src/kernel/smtp-server.js';

/** As the configuration is: nobody writes into it. */
export const sender = {
  from: Object.freeze({ name: 'Gatehouse', address: 'no-reply@id.example.com' }),
  host: 'id.example.com',
};

export interface MailServer {
  port: number;
  mails: ParsedMail[];
  /** For each mail whether it came through TLS. */
  encrypted: boolean[];
  close(): Promise<void>;
}

/** A real SMTP server on this machine; without TLS and passwords unless told otherwise. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ParsedMail[] = [];
  const encrypted: boolean[] = [];
  const server = new SMTPServer({
    ...{ disabledCommands: ['STARTTLS', 'AUTH'], authOptional: true, logger: false, closeTimeout: 100 },
    ...options,
    onData: (stream, session, done) =>
      void simpleParser(stream).then((mail) => {
        mails.push(mail);
        encrypted.push(session.secure);
        done();
      }, done),
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { port: (server.server.address() as AddressInfo).port, mails, encrypted, close };
}

export function mailTo(
  { port }: { port: number },
  server: Partial<SmtpServer> = {},
  extraAuthorities: string[] = [],
): MailTransport {
  const plain = { host: '127.0.0.1', port, implicitTls: false, requireTls: false, auth: null };
  return smtpTransport({ ...plain, ...server }, sender, { connections: 10, extraAuthorities });
}
