/** A mail server, as `SMTP_URL` names it. */
export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte (smtps). */
  implicitTls: boolean;
  /** Without TLS nothing is sent: neither mail nor password. */
  requireTls: boolean;
  auth: { user: string; pass: string } | null;
}
