/**
 * Asks one server process for a token of a service again and again, in a process of its own, until it is told to stop;
 * then gives the times in ms. Arguments: issuer, port of the process.
 */
import { request } from 'node:http';
import { basic } from '../http/requests.js';
import { ciKey, projectsApi } from '../support/contract-seed.js';

const everyMs = 20;
const [issuer = '', port = ''] = process.argv.slice(2);
const times: number[] = [];
let stopped = false;
process.on('message', () => (stopped = true));

const form = new URLSearchParams({ grant_type: 'client_credentials', resource: projectsApi }).toString();
const headers = {
  Host: new URL(issuer).host,
  Authorization: basic('acme-ci', ciKey),
  'Content-Type': 'application/x-www-form-urlencoded',
};

function ask(): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/oauth2/token', method: 'POST', headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`token: ${answer.statusCode}`));
      answer.resume().on('end', () => resolve(performance.now() - startedAt));
    });
    sent.on('error', reject);
    sent.end(form);
  });
}

await ask();
process.send?.('ready');
while (!stopped) {
  times.push(await ask());
  await new Promise((resolve) => setTimeout(resolve, everyMs));
}
process.send?.(times);
process.disconnect();
