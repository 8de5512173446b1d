import type { Browser, Page } from '../support/browser.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { changeLink, recoveryLink, signUpLink, undoLink, verifyLink, type LinkPath } from '../support/mail-links.js';
import type { RunningApp } from '../support/start-app.js';

export const newcomer = 'grace@example.com';
export const unproven = { email: 'not-yet@example.com', password: 'somebody new has this one' };
export const mover = { email: 'mover@example.com', password: 'somebody moves with this' };
export const returner = { email: 'returner@example.com', password: 'somebody returns with it' };
export const password = 'nine lives of a black cat';

export const seed = {
  ...contractSeed,
  users: [
    ...(contractSeed.users ?? []),
    unproven,
    { ...mover, emailVerified: true },
    { ...returner, emailVerified: true },
  ],
};

/** What the form of each kind of link takes, and how one is come by. */
export const kinds: Record<
  LinkPath,
  { members: Record<string, string>; open(running: RunningApp, visitor: Browser): Promise<string> }
> = {
  recover: { members: { password }, open: (running, visitor) => recoveryLink(running, visitor, ada.email) },
  'sign-up': {
    members: { name: 'Grace Hopper', password },
    open: (running, visitor) => signUpLink(running, visitor, newcomer),
  },
  'verify-email': {
    members: { confirm: 'yes' },
    open: (running, visitor) => verifyLink(running, visitor, unproven.email),
  },
  'change-email': {
    members: { confirm: 'yes' },
    open: (running, visitor) => changeLink(running, visitor, { from: mover.email, to: 'moved@example.com' }),
  },
  'undo-email-change': {
    members: { password },
    open: (running, visitor) => undoLink(running, visitor, { from: returner.email, to: 'gone@example.com' }),
  },
};
export const paths = Object.keys(kinds) as LinkPath[];

export const csrfOf = ({ html }: Page): string => /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';

export function post(visitor: Browser, path: string, members: Record<string, string>): Promise<Page> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return visitor.request(path, { method: 'POST', headers, body: new URLSearchParams(members) });
}
