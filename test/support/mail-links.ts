import type { Browser, Page } from './browser.js';
import type { RunningApp } from './start-app.js';

/** Kinds of links, by how their path begins. */
export type LinkPath = 'recover' | 'sign-up' | 'verify-email' | 'change-email' | 'undo-email-change';

/** The path of the link in the last mail to this address; null when there is none. */
export async function linkIn(running: RunningApp, to: string, path: LinkPath): Promise<string | null> {
  await running.deliverMail();
  const link = new RegExp(`/${path}/[\\w-]{43}`);
  const mails = running.mailbox.filter((mail) => mail.to === to && link.test(mail.text));
  return link.exec(mails.at(-1)?.text ?? '')?.[0] ?? null;
}

/** Subjects of all mails to this address so far. */
export async function subjectsTo(running: RunningApp, to: string): Promise<string[]> {
  await running.deliverMail();
  return running.mailbox.filter((mail) => mail.to === to).map(({ subject }) => subject);
}

export async function askForRecovery(visitor: Browser, login: string, start = '/recover'): Promise<Page> {
  return visitor.submit(await visitor.get(start), { login });
}

export async function askForAccount(visitor: Browser, login: string, start = '/sign-up'): Promise<Page> {
  return visitor.submit(await visitor.get(start), { login });
}

export async function recoveryLink(running: RunningApp, visitor: Browser, login: string): Promise<string> {
  await askForRecovery(visitor, login);
  return present(await linkIn(running, login, 'recover'));
}

export async function signUpLink(running: RunningApp, visitor: Browser, login: string): Promise<string> {
  await askForAccount(visitor, login);
  return present(await linkIn(running, login, 'sign-up'));
}

export async function userIdOf({ app }: RunningApp, email: string): Promise<string> {
  return (await app.administration.getUserByEmail(email)).id;
}

/** The name that the server gave this browser; a page must have been opened. */
export function browserIdOf(visitor: Browser): string {
  return [...visitor.cookies.values()].find(({ name }) => name.endsWith('browser'))?.value ?? '';
}

/** The link to the new address, asked for in this browser by a person who has just proven who they are. */
export async function changeLink(
  running: RunningApp,
  visitor: Browser,
  { from, to, provenAt = new Date() }: { from: string; to: string; provenAt?: Date },
): Promise<string> {
  await visitor.get('/recover'); // any page with a form names the browser
  const asked = { userId: await userIdOf(running, from), browserId: browserIdOf(visitor), email: to, provenAt };
  const outcome = await running.app.accounts.startEmailChange(asked);
  if (outcome !== 'sent') throw new Error(outcome);
  return present(await linkIn(running, to, 'change-email'));
}

/** The link back to the former address, after the change was proven. */
export async function undoLink(
  running: RunningApp,
  visitor: Browser,
  change: { from: string; to: string; provenAt?: Date },
): Promise<string> {
  const link = await changeLink(running, visitor, change);
  await visitor.submit(await visitor.get(link), { confirm: 'yes' });
  return present(await linkIn(running, change.from, 'undo-email-change'));
}

export async function verifyLink(running: RunningApp, visitor: Browser, email: string): Promise<string> {
  await visitor.get('/recover');
  const asked = { userId: await userIdOf(running, email), browserId: browserIdOf(visitor) };
  if (!(await running.app.accounts.requestEmailVerification(asked))) throw new Error('nothing was sent');
  return present(await linkIn(running, email, 'verify-email'));
}

function present(link: string | null): string {
  if (link === null) throw new Error('no link was sent');
  return link;
}
