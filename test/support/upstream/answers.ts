import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Parameters } from './codes.js';

/** Ways in which an endpoint may answer instead of its own, for a test to put in its place. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RequestListener {
  return bytes(status, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers });
}

export function html(status: number, body = '<h1>It works!</h1>'): RequestListener {
  return bytes(status, body, { 'Content-Type': 'text/html' });
}

export function bytes(
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
): RequestListener {
  return (_req, res) => void res.writeHead(status, headers).end(body);
}

export function redirectTo(location: string, status = 302): RequestListener {
  return bytes(status, '', { Location: location });
}

/** Takes the request and says nothing. */
export const hanging: RequestListener = () => undefined;

/** Begins an answer and gives a byte of it now and then, for as long as somebody listens. */
export const dripping: RequestListener = (_req, res) => {
  res.writeHead(200, { 'Content-Type': 'application/json' }).write('{');
  const timer = setInterval(() => res.write(' '), 100);
  res.on('close', () => clearInterval(timer));
};

/** Ends the connection in the middle of the answer. */
export const breaking: RequestListener = (_req, res) => {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }).write('{"', () => res.destroy());
};

export function huge(megabytes: number): RequestListener {
  return bytes(200, `{"x":"${'x'.repeat(megabytes * 1_000_000)}"}`, { 'Content-Type': 'application/json' });
}

export async function formOf(req: IncomingMessage): Promise<Parameters> {
  return Object.fromEntries(new URLSearchParams(await text(req)));
}

export function send(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

/** RFC 6749 appendix B: a blank is a plus. */
function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', '%20'));
}

/** Client id and secret, by `client_secret_basic` or in the form (RFC 6749 §2.3.1). */
export function clientOf(
  req: IncomingMessage,
  form: Parameters,
): { id: string | undefined; secret: string | undefined } {
  const basic = /^Basic (.+)$/.exec(req.headers.authorization ?? '')?.[1];
  if (basic === undefined) return { id: form['client_id'], secret: form['client_secret'] };
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':').map(decoded);
  return { id, secret };
}
