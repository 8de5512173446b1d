import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/**
 * A fetch that trusts this certificate and no other, follows nothing, sends these headers as they are, and shows the
 * certificate of this client.
 */
export function fetchTrusting(certificate: string, client?: { key: string; cert: string }): typeof fetch {
  return async (input, init = {}) => {
    const asked = new Request(input, init);
    const headers = Object.fromEntries(asked.headers);
    const body = await asked.text();
    const servername = new URL(asked.url).hostname; // whatever the Host header says
    const options = { method: asked.method, headers, ca: certificate, servername, agent: false, ...client };
    const sent = request(asked.url, options);
    sent.end(body === '' ? undefined : body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const content = await text(answer);
    const pairs = answer.rawHeaders.flatMap((name, index, all): [string, string][] =>
      index % 2 === 0 ? [[name, all[index + 1] ?? '']] : [],
    );
    return new Response(content === '' ? null : content, { status: answer.statusCode ?? 0, headers: pairs });
  };
}
