import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request, type OutgoingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Authority } from './authority.js';

export interface TlsFront {
  close(): Promise<void>;
}

export interface TlsFrontOptions {
  host: Authority['host'];
  port: number;
  target: number;
  header: string;
  /** How it writes a certificate into the header. */
  write(certificate: X509Certificate): string;
}

const open = new Set<TlsFront>();

/** A proxy that ends TLS, asks for a certificate, verifies none, and writes it into a header over whatever is there. */
export async function startTlsFront({ host, port, target, header, write }: TlsFrontOptions): Promise<TlsFront> {
  const server = createServer({ ...host, requestCert: true, rejectUnauthorized: false }, (req, res) => {
    const certificate = (req.socket as TLSSocket).getPeerX509Certificate();
    const headers: OutgoingHttpHeaders = { ...req.headers, 'x-forwarded-for': req.socket.remoteAddress };
    delete headers[header];
    if (certificate) headers[header] = write(certificate);
    const { method, url: path } = req;
    const sent = request({ host: '127.0.0.1', port: target, method, path, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(res);
    });
    req.pipe(sent);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const front: TlsFront = {
    async close() {
      if (!open.delete(front)) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  open.add(front);
  return front;
}

export async function closeTlsFronts(): Promise<void> {
  for (const front of open) await front.close();
}
