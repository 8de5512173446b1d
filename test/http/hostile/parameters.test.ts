import { expect } from 'chai';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants } from '../../support/two-tenants.js';
import { endpoints, openStage, type Endpoint, type EndpointRequest, type Stage } from '../endpoints.js';
import type { Answer } from '../requests.js';
import { ask, manyTries } from './ask.js';
import { expectSoundAnswer } from './sound.js';

const encode = encodeURIComponent;

/** Written as they travel, so that what no encoder would write is there too. */
const values: readonly (readonly [what: string, encoded: string])[] = [
  ['nothing', ''],
  ['an operator', encode('{"$ne":null}')],
  ['code of the database', encode('{"$where":"sleep(5000)"}')],
  ['a list', encode('["a","b"]')],
  ['the prototype', '__proto__'],
  ['a member of it', 'constructor.prototype'],
  ['a number', '-1e309'],
  ['control characters', '%00%01%08%0B%1B%5B31m%7F%C2%85%E2%80%A8'],
  ['line breaks', `x${encode('\r\nSet-Cookie: evil=1\r\n\r\n<script>alert(1)</script>')}`],
  ['text that turns round', `%E2%80%AE${encode('moc.live')}%E2%80%AC%EF%BB%BF`],
  ['bytes that are no text', '..%C0%AF..%C0%AFetc%ED%A0%80%F0%9F%92%FF%FE%F4%90%80%80'],
  ['percent signs that encode nothing', '%%zz%u0041%'],
  ['a path', '..%2F..%2F..%2Fetc%2Fpasswd%00.txt'],
  ['markup', encode(`' or 1=1 -- "><script>alert(1)</script><img src=x onerror=alert(1)>'`)],
  ['a template', encode('<%= 7*191 %>${7*191}{{7*191}}#{7*191}')],
  ['a script', 'JaVaScRiPt%3Aalert(1)'],
  ['another place', encode('https://evil.example/?x=//evil.example\\@')],
];

/** Names that some parsers would read as the parameter. */
const strangeNames = (name: string): string[] => [
  ...[
    `${name}[$ne]`,
    `${name}[]`,
    `${name}[0]`,
    `${name}.$gt`,
    `__proto__[${name}]`,
    `constructor[prototype][${name}]`,
  ],
  ...[name.toUpperCase(), ` ${name}`, `${name}\0`, `${name};`],
];

/** Parameters that may hold any text; what they name is looked up, shown escaped, or not read. */
const free = ['login_hint', 'ui_locales', 'acr_values', 'state', 'nonce', 'logout_hint', 'token_type_hint', 'cancel'];
/** Parameters that a request may do without. */
const optional = [...free, 'prompt', 'max_age', 'tenant', 'resource', 'response_mode', 'scope', 'logout'].concat([
  'id_token_hint',
  'post_logout_redirect_uri',
  'requested_token_type',
  'audience',
]);
/** May be named more than once (RFC 8707, RFC 8693). */
const repeated = ['resource', 'audience'];

function isFree(name: string, { method, path }: Endpoint): boolean {
  // what a person is called, and a new password, is what they write
  if (/\/sign-up(\/:token)?$/.test(path) && (name === 'name' || name === 'password')) return true;
  if (/^\/(recover|undo-email-change)\/:token$/.test(path) && name === 'password') return true;
  // of a person's own, and what comes back from our own sign-in is not read
  if (/^\/(account|sign-in\/:uid)\/profile$/.test(path) && name.endsWith('name')) return true;
  if (/^\/account\/(tenants\/create|factors\/rename)$/.test(path) && name === 'name') return true;
  if (path === '/account/password' && name === 'new_password') return true;
  if (path === '/account/return') return true;
  // what a provider answers is sent on, and of an error it is told that there was one
  if (path === '/connections/callback/:connectionId' && name === 'code') return true;
  if (/\/(?:connection|identities\/return)$/.test(path) && name === 'error') return true;
  // every name is answered alike
  if (path === '/recover' && name === 'login') return true;
  return free.includes(name) || path === '/oauth2/revoke' || (path === '/device' && method === 'GET');
}

/** A client that proves itself by the header names itself there too. */
function isOptional(name: string, endpoint: Endpoint, { headers }: EndpointRequest): boolean {
  if (name === 'client_id' && ('Authorization' in headers || endpoint.path.startsWith('/oauth2/logout'))) return true;
  if (endpoint.path === '/account/profile' && ['locale', 'zoneinfo'].includes(name)) return true;
  return optional.includes(name) || isFree(name, endpoint);
}

const encoded = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString();
const without = (parameters: Record<string, string>, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters).filter(([other]) => other !== name));

/** Whether what was asked for was done. */
function isGranted({ status, location, text }: Answer): boolean {
  if (status === 303) return !/[?&#]error=/.test(location ?? '');
  return status < 400 && text !== '{"active":false}';
}

interface Variant {
  why: string;
  sent: string;
  mayBeGranted: boolean;
}

describe('every parameter of every endpoint', function () {
  this.timeout(300_000);
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage(await startApp({ seed: seedWithTwoTenants, policy: manyTries }));
  });
  afterEach(closeApps);

  /** Asks every endpoint with each of these in place of its parameters; what was granted is used up and made anew. */
  async function askAll(variantsOf: (endpoint: Endpoint, right: EndpointRequest) => Variant[]): Promise<void> {
    // a posted request is sent on as GET, which has a row of its own
    const read = endpoints.filter(
      ({ method, path }) => method === 'GET' || !/^\/oauth2\/(authorize|logout)$/.test(path),
    );
    for (const endpoint of read) {
      let right = await endpoint.request(stage);
      for (const { why, sent, mayBeGranted } of variantsOf(endpoint, right)) {
        const all = `${endpoint.method} ${endpoint.path} ${why}`;
        const answer = await ask(stage, endpoint, right, sent);
        expectSoundAnswer(answer, endpoint, stage.issuer, all);
        const granted = isGranted(answer);
        if (!mayBeGranted) expect(granted, `${all} ${answer.status} ${answer.location} ${answer.text}`).to.be.false;
        if (granted) right = await endpoint.request(stage);
      }
      const healthy = await ask(stage, endpoint, await endpoint.request(stage));
      expect(isGranted(healthy), `${endpoint.path} afterwards ${healthy.text}`).to.be.true;
    }
  }

  it('sec-075 sec-034 that is of the wrong kind is refused, or taken as plain text', () =>
    askAll((endpoint, right) =>
      Object.keys(right.parameters).flatMap((name) =>
        values.map(([what, value]) => ({
          why: `${name} as ${what}`,
          sent: `${encoded(without(right.parameters, name))}&${encode(name)}=${value}`,
          mayBeGranted: isFree(name, endpoint) || (value === '' && isOptional(name, endpoint, right)),
        })),
      ),
    ));

  it('sec-075 sec-079 is read under its name alone, and once', () =>
    askAll((endpoint, right) =>
      Object.entries(right.parameters).flatMap(([name, value]) => {
        const others = encoded(without(right.parameters, name));
        const strange = strangeNames(name).map((like) => `${encode(like)}=${encode(value)}`);
        const twice = `${encoded(right.parameters)}&${encode(name)}=`;
        return [
          {
            why: `names like ${name}`,
            sent: [others, ...strange].join('&'),
            mayBeGranted: isOptional(name, endpoint, right),
          },
          {
            why: `${name} twice`,
            sent: twice + encode(value),
            mayBeGranted: repeated.includes(name) || !isRead(name, endpoint),
          },
          { why: `${name} and another`, sent: `${twice}evil`, mayBeGranted: !isRead(name, endpoint) },
        ];
      }),
    ));

  it('sec-079 leaves the process as it was', async () => {
    await askAll((_endpoint, right) => {
      const sent = `${encoded(right.parameters)}&__proto__[admin]=1&constructor[prototype][admin]=1&settings[view options][outputFunctionName]=x;process.exit(1);x&settings[view options][client]=1&cache=&filename=x`;
      return [{ why: 'polluted', sent, mayBeGranted: true }];
    });
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
    expect(({} as Record<string, unknown>)['admin']).to.equal(undefined);
  });
});

/** A page that shows what was typed reads the first of several; the library does not read these at all. */
function isRead(name: string, { path }: Endpoint): boolean {
  return !(path === '/oauth2/logout' && ['ui_locales', 'logout_hint'].includes(name)) && path !== '/device';
}
