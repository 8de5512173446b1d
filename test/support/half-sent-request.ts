import { once } from 'node:events';
import { connect } from 'node:net';

export interface HalfSentRequest {
  /** Once the server has read the head of it (it says so with 100, RFC 9110 §10.1.1). */
  taken: Promise<void>;
  /** Sends the rest; what came back by the end of the connection, '' when it was cut. */
  finish(): Promise<string>;
}

interface WholeRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

const tokenRequest: WholeRequest = {
  method: 'POST',
  path: '/oauth2/token',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: 'grant_type=client_credentials',
};

/** A request that cannot be answered before it is finished: its body is not all there. */
export async function halfSentRequest(issuer: string, whole = tokenRequest): Promise<HalfSentRequest> {
  const { host, hostname, port } = new URL(issuer);
  const socket = connect(Number(port), hostname);
  const { method, path, headers, body } = whole;
  const head = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    'Expect: 100-continue',
  ];
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined); // a cut connection is seen in the answer
  const goOn = 'HTTP/1.1 100 Continue\r\n\r\n';
  const taken = new Promise<void>((resolve) => socket.on('data', () => answer.startsWith(goOn) && resolve()));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
  return {
    taken,
    async finish() {
      if (!socket.destroyed) socket.write(body.slice(5));
      await closed;
      return answer.replace(goOn, '');
    },
  };
}
