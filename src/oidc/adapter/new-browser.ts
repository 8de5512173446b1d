import { readerOf, type Language } from '../../kernel/languages.js';
import type { Clock } from '../../kernel/time.js';
import { nameOfSoftware } from '../../kernel/user-agent.js';
import type { Outbox } from '../../platform/mail/outbox.js';
import type { Tx } from '../../platform/mongo/transactions.js';
import type { User } from '../../users/index.js';
import { deviceOf, type Sender } from './session-device.js';

export interface NewBrowserDeps {
  issuer: string;
  now: Clock;
  queueMail: Outbox['queueMail'];
}

/** A mail about a sign-in in a browser that the account does not know, which is sent if that goes through. */
export async function tellOfNewBrowser(
  { issuer, now, queueMail }: NewBrowserDeps,
  tx: Tx,
  { email, profile }: Pick<User, 'email' | 'profile'>,
  { language, sender }: { language: Language; sender: Sender },
): Promise<void> {
  const { address, ...software } = deviceOf(sender);
  const about = { signedInAt: now(), address, browser: nameOfSoftware(software) };
  const values = { ...about, email, recoverUrl: `${issuer}/recover` };
  const letter = {
    name: 'new_browser',
    reader: readerOf(profile, language),
    values,
    path: '/account/sessions',
  } as const;
  await queueMail(tx, { to: email, ...letter });
}
