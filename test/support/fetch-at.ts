import { request } from 'node:http';

/**
 * `fetch` that goes to this port of this machine, whatever the address says, with the address's host in `Host`: one of
 * several processes of one issuer, or an https issuer behind a proxy. `fetch` itself lets nobody write that header.
 */
export function fetchAt(port: number): typeof fetch {
  return async (input, init = {}) => {
    const { url, method, headers, body } = new Request(input, init);
    const text = body ? await new Response(body).text() : '';
    const { host, pathname, search } = new URL(url);
    return new Promise((resolve, reject) => {
      // a connection of its own: one that is kept would go on with whichever process it was made to
      const options = { host: '127.0.0.1', port, method, path: pathname + search, agent: false };
      const sent = request({ ...options, headers: { ...Object.fromEntries(headers), host } }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const pairs = answer.rawHeaders.flatMap((name, index) =>
            index % 2 === 0 ? [[name, answer.rawHeaders[index + 1] ?? ''] as [string, string]] : [],
          );
          const { statusCode: status = 0 } = answer;
          const content = status === 204 || status === 304 ? null : Buffer.concat(chunks);
          resolve(new Response(content, { status, headers: pairs }));
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  };
}
