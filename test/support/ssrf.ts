import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { freePort } from './server-process.js';

/** Listens on 127.0.0.1 and ::1 where nobody has any business; any connection at all is a hit. */
export interface Canary {
  port: number;
  /** How often it was hit so far; also by what is still waiting at its door. */
  hits(): Promise<number>;
  close(): Promise<void>;
}

const addresses = ['127.0.0.1', '::1'];

export async function startCanary(): Promise<Canary> {
  const port = await freePort();
  let connections = 0;
  const servers = addresses.map((address) =>
    createServer((socket) => {
      connections++;
      socket.on('error', () => undefined).destroy();
    }).listen(port, address),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return {
    port,
    async hits() {
      // whoever came before is let in before
      for (const address of addresses) {
        const own = connect(port, address).on('error', () => undefined);
        await new Promise((resolve) => own.on('close', resolve));
        connections--;
      }
      return connections;
    },
    async close() {
      for (const server of servers) server.close();
    },
  };
}

/** What a hostile name server says; the keys are names as URLs write them. */
const hostileNames: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1.nip.example.com': ['127.0.0.1'],
  '127.0.0.1.nip.example.com.': ['127.0.0.1'],
  '7f000001.nip.example.com': ['127.0.0.1'],
  'localhost.localdomain': ['127.0.0.1'],
  'any.nip.example.com': ['0.0.0.0'],
  'six.nip.example.com': ['::1'],
  'mapped.nip.example.com': ['::ffff:127.0.0.1'],
  'compatible.nip.example.com': ['::127.0.0.1'],
  'translated.nip.example.com': ['64:ff9b::7f00:1'],
  'zoned.nip.example.com': ['fe80::1%lo'],
  'metadata.nip.example.com': ['169.254.169.254'],
  'first-public.nip.example.com': ['93.184.215.14', '127.0.0.1'],
  'first-private.nip.example.com': ['127.0.0.1', '93.184.215.14'],
  'public-and-six.nip.example.com': ['93.184.215.14', '::1'],
  'none.nip.example.com': [],
  'no-address.nip.example.com': ['localhost'],
  'xn--ls8h.nip.example.com': ['127.0.0.1'],
};

/** For `resolveHost`: these names, and no others. */
export async function resolveHostile(hostname: string): Promise<readonly string[]> {
  const addresses = hostileNames[hostname];
  if (!addresses) throw new Error(`${hostname} is not there`);
  return addresses;
}

const hosts: readonly string[] = [
  // 127.0.0.1 in all the ways in which inet_aton and URL parsers read it
  ...['127.0.0.1', '127.1', '127.0.1', '127.0.0.1.', '2130706433', '0x7f000001', '0x7F.0x0.0x0.0x1', '0x7f.1'],
  ...['0177.0.0.1', '017700000001', '0177.0x0.0.1', '00000177.0.0.01', '%31%32%37.0.0.1', '127%2E0.0.1'],
  ...['１２７.０.０.１', '①②⑦.⓪.⓪.①', '127。0。0。1', '127｡0｡0｡1', '127.0.0.2', '127.255.255.254'],
  ...['0.0.0.0', '0', '0x0', '00.00.00.00', '0.0.0.1', '4294967295', '4294967297'],
  // IPv6, and IPv4 within it
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', '[::0.0.0.1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
  ...['[0:0:0:0:0:FFFF:127.0.0.1]', '[::ffff:0:127.0.0.1]', '[::127.0.0.1]', '[::7f00:1]', '[64:ff9b::127.0.0.1]'],
  ...['[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001:0:7f00:1::]', '[fe80::1]', '[fe80::1%25lo]', '[fe80::1%lo]'],
  ...['[::1%25lo]', '[::1%lo]', '[fec0::1]', '[fc00::1]', '[fd00:ec2::254]', '[ff02::1]', '[100::1]', '[v1.fe80]'],
  // other networks that are not for everybody
  ...['10.0.0.1', '172.16.0.1', '192.168.0.1', '100.64.0.1', '169.254.169.254', '0xA9FEA9FE', '198.18.0.1'],
  ...['192.0.2.1', '192.88.99.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
  // names
  ...[
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'a.localhost.',
    'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
    'local%68ost',
    'loc\u00adalhost',
  ],
  ...['ip6-localhost', 'intranet', 'printer.local', 'metadata.google.internal', 'router.home.arpa', '*', '.', '..'],
  ...Object.keys(hostileNames),
];

/** Where a URL parser, or whoever reads the text, may see another host, another scheme, or none. */
const otherRoads = (port: number): readonly string[] => [
  `https://keys.example.com@127.0.0.1:${port}/`,
  `https://keys.example.com:443@127.0.0.1:${port}/`,
  `https://keys.example.com%2f@127.0.0.1:${port}/`,
  `https://@127.0.0.1:${port}/`,
  `https://127.0.0.1:${port}\\@keys.example.com/`,
  `https://127.0.0.1:${port}#@keys.example.com/`,
  `https://127.0.0.1:${port}?@keys.example.com/`,
  `https://keys.example.com#@127.0.0.1:${port}/`,
  `https:127.0.0.1:${port}/`,
  `https:/127.0.0.1:${port}/`,
  `https:\\\\127.0.0.1:${port}\\`,
  `https:///127.0.0.1:${port}/`,
  `//127.0.0.1:${port}/`,
  `127.0.0.1:${port}`,
  `https://127.0.0.1\t:${port}/`,
  `https://127.0.0.1:${port}/\r\nHost: keys.example.com`,
  ` https://127.0.0.1:${port}/`,
  `https://127.0.0.1:${port}/..;/keys`,
  ...['http', 'HTTP', 'ftp', 'ftps', 'gopher', 'ws', 'wss', 'ldap', 'dict', 'tcp'].map(
    (scheme) => `${scheme}://127.0.0.1:${port}/`,
  ),
  ...[`file:///etc/passwd`, `file://127.0.0.1/etc/passwd`, `file://localhost:${port}/`, 'unix:/run/docker.sock'],
  ...['data:application/json,{"keys":[]}', 'javascript:1', 'about:blank', `blob:https://127.0.0.1:${port}/x`],
  ...[`jar:https://127.0.0.1:${port}/!/x`, `view-source:https://127.0.0.1:${port}/`, 'https://', 'https:', '', '/keys'],
];

/** Addresses that lead to this port of this machine, or to some other place where nobody may send us; each is refused. */
export function ssrfUris(port: number): readonly string[] {
  return [...hosts.map((host) => `https://${host}:${port}/`), ...otherRoads(port)];
}
