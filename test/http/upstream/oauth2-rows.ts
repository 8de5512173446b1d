import { breaking, dripping, html, huge, json, redirectTo } from '../../support/upstream/answers.js';
import type { MailAddress } from '../../support/upstream/oauth2-provider.js';
import { atCanary, type OAuth2Row } from './row.js';

const paths = { token: '/login/oauth/access_token', user: '/user', emails: '/user/emails' } as const;

const emails = (title: string, list: readonly MailAddress[]): OAuth2Row => [
  `its addresses ${title}`,
  (provider) => void (provider.emails = [...list]),
];
const user = (title: string, changes: Record<string, unknown>): OAuth2Row => [
  `its person ${title}`,
  (provider) => void (provider.user = { ...provider.user, ...changes }),
];

/** A provider without ID tokens: a person is what its API says of whom the token is. */
export const oauth2Rows: readonly OAuth2Row[] = [
  emails('are none', []),
  emails('have no first one', [{ email: 'grace@corp.example', primary: false, verified: true }]),
  emails('have a first one that is not verified', [{ email: 'grace@corp.example', primary: true, verified: false }]),
  emails('have one that is verified by a text', [{ email: 'grace@corp.example', primary: true, verified: 'true' }]),
  emails('have one that is first by a text', [{ email: 'grace@corp.example', primary: 'true', verified: true }]),
  emails('have one that is verified by one', [{ email: 'grace@corp.example', primary: true, verified: 1 }]),
  emails('have one that is no text', [{ email: ['grace@corp.example'], primary: true, verified: true }]),
  emails('have one that is no address', [{ email: 'a@b@corp.example', primary: true, verified: true }]),
  emails('have a verified one that is not the first', [
    { email: 'evil@corp.example', primary: true, verified: false },
    { email: 'grace@corp.example', primary: false, verified: true },
  ]),
  user('has no id', { id: undefined }),
  user('has an id that is null', { id: null }),
  user('has an id that is a fraction', { id: 1.5 }),
  user('has an id that is too large a number', { id: 2 ** 60 }),
  user('has an id that is an object', { id: { $ne: null } }),
  user('has an id that is empty', { id: '' }),
  [
    'it does not take the code',
    (provider) => void (provider.instead[paths.token] = json(200, { error: 'bad_verification_code' })),
  ],
  [
    'it answers the code as a form',
    (provider) => void (provider.instead[paths.token] = html(200, 'access_token=x&token_type=bearer')),
  ],
  ...(['token', 'user', 'emails'] as const).flatMap((name): OAuth2Row[] => [
    [`its ${name} is a page`, (provider) => void (provider.instead[paths[name]] = html(200))],
    [`its ${name} is an error`, (provider) => void (provider.instead[paths[name]] = html(500))],
    [`its ${name} is not for us`, (provider) => void (provider.instead[paths[name]] = json(403, { message: 'no' }))],
    [`its ${name} is null`, (provider) => void (provider.instead[paths[name]] = json(200, null))],
    [`its ${name} breaks off`, (provider) => void (provider.instead[paths[name]] = breaking)],
    [`its ${name} has no end`, (provider) => void (provider.instead[paths[name]] = dripping)],
    [`its ${name} has ten megabytes`, (provider) => void (provider.instead[paths[name]] = huge(10))],
    [
      `its ${name} is elsewhere`,
      (provider, port) => void (provider.instead[paths[name]] = redirectTo(atCanary(port)[0]!)),
    ],
  ]),
];
