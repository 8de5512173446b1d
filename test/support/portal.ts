import { browser, type Browser, type Page } from './browser.js';
import { ada } from './contract-seed.js';

/** Somebody at their own account. */
export interface PortalVisit {
  visitor: Browser;
  /** The page that they came to. */
  page: Page;
}

export interface Person {
  email: string;
  password: string;
}

/** Opens a page of the portal and signs in there; who is signed in already and has to do it again does. */
export async function openPortal(
  issuer: string,
  {
    path = '/account',
    person = ada,
    visitor = browser(issuer),
  }: { path?: string; person?: Person; visitor?: Browser } = {},
): Promise<PortalVisit> {
  const page = await visitor.get(path);
  if (!page.url.includes('/sign-in/')) return { visitor, page };
  return { visitor, page: await visitor.submit(page, { login: person.email, password: person.password }) };
}

export function csrfOf({ html, url }: Page): string {
  const token = /name="csrf" value="([^"]+)"/.exec(html)?.[1];
  if (token === undefined) throw new Error(`no form at ${url}:\n${html}`);
  return token;
}

/** Posts a form of the portal by hand, redirects not followed. */
export function postForm(
  { visitor }: Pick<PortalVisit, 'visitor'>,
  path: string,
  members: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): Promise<Page> {
  return visitor.request(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(members).toString(),
  });
}
