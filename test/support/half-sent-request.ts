import { once } from 'node:events';
import { connect } from 'node:net';

export interface HalfSentRequest {
  /** Sends the rest; what came back by the end of the connection, '' when it was cut. */
  finish(): Promise<string>;
}

/** A token request that cannot be answered before it is finished: its body is not all there. */
export async function halfSentRequest(issuer: string): Promise<HalfSentRequest> {
  const { host, hostname, port } = new URL(issuer);
  const socket = connect(Number(port), hostname);
  const body = 'grant_type=client_credentials';
  const head = [
    'POST /oauth2/token HTTP/1.1',
    `Host: ${host}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined); // a cut connection is seen in the answer
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
  return {
    async finish() {
      if (!socket.destroyed) socket.write(body.slice(5));
      await closed;
      return answer;
    },
  };
}
