import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport, type SendMailOptions, type TransportOptions } from 'nodemailer';
import { rootCertificates } from 'node:tls';
import type { Mailbox } from '../../kernel/mailbox.js';
import type { SmtpServer } from '../../kernel/smtp-server.js';
import type { Logger } from '../log/logger.js';

/** A mail as it is sent. */
export interface QueuedMail {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** Rejects with what nodemailer says: `code` for which step failed, `responseCode` where the server said why (RFC 5321 §4.2.1). */
export interface MailTransport {
  /** Aborted: the mail server is hung up on, so that what is tried again was not taken meanwhile. */
  send(mail: QueuedMail, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface Sender {
  from: Mailbox;
  /** What makes a Message-ID ours. */
  host: string;
}

const neverFromElsewhere = { disableFileAccess: true, disableUrlAccess: true } as const;

export interface SmtpOptions {
  /** At the same time, at most. */
  connections: number;
  /** PEM, trusted beside the well-known ones. */
  extraAuthorities: readonly string[];
}

export function smtpTransport(
  server: SmtpServer,
  sender: Sender,
  { connections, extraAuthorities }: SmtpOptions,
): MailTransport {
  // where encryption is not demanded it is used if offered, whoever's the certificate is (RFC 7435)
  const tls = { minVersion: 'TLSv1.2', rejectUnauthorized: server.requireTls };
  const ca = extraAuthorities.length === 0 ? {} : { ca: [...rootCertificates, ...extraAuthorities] };
  const transport = createTransport({
    ...{ host: server.host, port: server.port, secure: server.implicitTls, requireTLS: server.requireTls },
    ...(server.auth ? { auth: server.auth } : {}),
    ...{ pool: true, maxConnections: connections, tls: { ...tls, ...ca }, ...neverFromElsewhere },
    ...{ connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 },
  } as TransportOptions);
  return {
    async send(mail, signal) {
      await transport.sendMail({ ...messageOf(mail, sender), signal });
    },
    close: async () => transport.close({ force: true }),
  };
}

/** Where there is no mail server: a file for each mail, which mail programs open; without a folder only a line in the log. */
export function fileTransport(directory: string | null, sender: Sender, log: Logger): MailTransport {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows', ...neverFromElsewhere });
  return {
    async send(mail) {
      if (directory === null) return log.info({ mail: mail.id }, 'mail, which is kept nowhere');
      const { message } = await transport.sendMail(messageOf(mail, sender));
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = join(directory, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.${mail.id}.eml`);
      await writeFile(file, message as Buffer, { mode: 0o600 });
      log.info({ file }, 'mail, written to a file because SMTP_URL is not set');
    },
    close: async () => transport.close(),
  };
}

/** Addresses are given in parts and never as text: nothing in them becomes a second header or a second address. */
export function messageOf({ id, to, subject, text, html }: QueuedMail, { from, host }: Sender): SendMailOptions {
  return {
    // nodemailer writes into the addresses that it is given
    ...{ from: { ...from }, to: { name: '', address: to }, subject, text, html, messageId: `<${id}@${host}>` },
    headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834: no answers from machines
    ...neverFromElsewhere,
  };
}
