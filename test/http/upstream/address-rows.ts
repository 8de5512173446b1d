import type { Row } from './row.js';

/** As JSON they are all something else than `true` (sec-002). */
const unverified: readonly unknown[] = [
  'true',
  'TRUE',
  'yes',
  '1',
  1,
  [],
  [true],
  {},
  { value: true },
  null,
  false,
  undefined,
  '',
];

/** What is no address, or could be read as another one (sec-009). */
const odd: readonly unknown[] = [
  ...[
    'grace@evil.example@corp.example',
    'grace@corp.example@',
    '@corp.example',
    'grace',
    'grace@corp',
    'grace@corp.example.',
  ],
  ...[
    '"grace@evil.example"@corp.example',
    'grace@corp.example,evil@evil.example',
    'grace@corp.example\nevil@evil.example',
  ],
  ...[
    'grace@corp.example\0',
    'gra\u200bce@corp.example',
    '<grace@corp.example>',
    'grace@[127.0.0.1]',
    'grace@corp.example%00',
  ],
  ...['', null, 1, ['grace@corp.example'], { $ne: null }, `${'x'.repeat(300)}@corp.example`],
];

const show = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60));

export const addressRows: readonly Row[] = [
  ...unverified.map((value): Row => [
    `sec-002 email_verified is ${show(value)}`,
    () => ({
      claims: (right) => ({ ...right, email_verified: value }),
      // where the ID token does not say it, userinfo does
      ...(value === undefined ? { userinfo: (right) => ({ ...right, email_verified: value }) } : {}),
    }),
  ]),
  ...odd.map((value): Row => [
    `sec-009 email is ${show(value)}`,
    () => ({ claims: (right) => ({ ...right, email: value }) }),
  ]),
];
