/// <reference lib="dom" />
import { expect } from 'chai';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { seriousFindings } from './axe.js';
import { requireTool } from './tools.js';

/** How a page is looked at. */
export interface Look {
  name: string;
  colorScheme: 'light' | 'dark';
  /** Of whoever looks: what the browser asks for. */
  language: 'en' | 'de';
  viewport: { width: number; height: number };
}

const wide = { width: 1280, height: 800 };
const narrow = { width: 360, height: 740 };

export const desktop: Look = { name: 'light', colorScheme: 'light', language: 'en', viewport: wide };
/** German has the longer words, and so the phone in the one scheme, and the desktop in the other. */
export const looks: readonly Look[] = [
  desktop,
  { name: 'dark', colorScheme: 'dark', language: 'de', viewport: wide },
  { name: 'phone', colorScheme: 'light', language: 'de', viewport: narrow },
  { name: 'phone-dark', colorScheme: 'dark', language: 'en', viewport: narrow },
];

/** A person with a browser of their own (cookies and all); no script runs in it unless asked for. */
export interface Visitor {
  page: Page;
  /** Everything that the browser had to say against the pages so far: console errors and refused content. */
  complaints: string[];
  /**
   * Holds the present page to what every page keeps, by axe too where it is wide (how wide it is changes nothing there),
   * and takes its picture into the folder below.
   */
  inspect(name: string): Promise<void>;
}

interface VisitOptions {
  javaScriptEnabled?: boolean;
  /** For servers with certificates that a test has made. */
  ignoreHTTPSErrors?: boolean;
}

const folder = join(tmpdir(), `gatehouse-pages-${process.getuid?.() ?? 0}`);

const launchArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** Gives a suite a Chromium, or skips the suite where there is none. */
export function useChromium(): { visit(look?: Look, options?: VisitOptions): Promise<Visitor> } {
  let browser: Browser | undefined;
  const contexts: BrowserContext[] = [];

  before('a Chromium', async function () {
    this.timeout(60_000);
    const executablePath = requireTool('chromium');
    if (executablePath === undefined) return this.skip();
    await mkdir(folder, { recursive: true });
    browser = await chromium.launch({ executablePath, args: launchArguments });
  });
  afterEach('its visitors leave', async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  after('it closes', async () => browser?.close());

  return {
    async visit(look = desktop, { javaScriptEnabled = false, ignoreHTTPSErrors = false } = {}) {
      if (!browser) throw new Error('visitors come while a test runs');
      const { colorScheme, viewport, language: locale } = look;
      const setting = { colorScheme, viewport, locale, javaScriptEnabled, ignoreHTTPSErrors };
      const context = await browser.newContext(setting);
      contexts.push(context);
      if (viewport !== wide) return newVisitor(context, look);
      const examining = await browser.newContext({ ...setting, javaScriptEnabled: true });
      contexts.push(examining);
      return newVisitor(context, look, await examining.newPage());
    },
  };
}

/** `examining`: where axe runs, which takes script. */
async function newVisitor(context: BrowserContext, look: Look, examining?: Page): Promise<Visitor> {
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  // violations of the Content Security Policy are reported here even where the console keeps quiet
  const devTools = await context.newCDPSession(page);
  devTools.on('Audits.issueAdded', ({ issue }) => {
    const violation = issue.details.contentSecurityPolicyIssueDetails;
    if (violation) complaints.push(`CSP: ${violation.violatedDirective} at ${page.url()}`);
  });
  await devTools.send('Audits.enable');

  return {
    page,
    complaints,
    async inspect(name) {
      await page.screenshot({ path: join(folder, `${name}.${look.name}.png`), fullPage: true });
      const { title, headings, width, room } = await page.evaluate(() => ({
        title: document.title,
        headings: document.querySelectorAll('h1').length,
        width: document.documentElement.scrollWidth,
        room: document.documentElement.clientWidth,
      }));
      expect(title, `${name} has a title`).not.to.equal('');
      expect(headings, `${name} has one heading of the first rank`).to.equal(1);
      expect(width, `${name} is no wider than the window`).to.be.at.most(room);
      if (examining) expect(await seriousFindingsIn(page, examining), name).to.deep.equal([]);
    },
  };
}

/** The page as it stands, opened once more at its own address, so that it has its style. */
async function seriousFindingsIn(page: Page, examining: Page): Promise<string[]> {
  const body = await page.content();
  const url = page.url();
  if (url === 'about:blank') await examining.setContent(body);
  else {
    await examining.route(url, (route) => route.fulfill({ body, contentType: 'text/html; charset=utf-8' }));
    await examining.goto(url);
    await examining.unroute(url);
  }
  return seriousFindings(examining);
}

/** What Chromium writes to the console for a page or file that came with this status. */
export function loadedWith(status: number, phrase: string): string {
  return `Failed to load resource: the server responded with a status of ${status} (${phrase})`;
}
