import { setTimeout as delay } from 'node:timers/promises';
import { authorizeUrl, redeem, refreshing, send, type TokenSet } from '../http/requests.js';
import { browser, type Browser, type Page } from './browser.js';
import { ada, ciKey, projectsApi, webSecret } from './contract-seed.js';
import { crowd, type Credentials } from './crowd.js';

/** `silent` is an authorization of somebody who has a session (`prompt=none`), up to its tokens. */
export type Kind = 'login' | 'refresh' | 'silent' | 'service';

export interface Outcome {
  kind: Kind;
  /** By `performance.now()`. */
  startedAt: number;
  endedAt: number;
  /** Why the first try failed. */
  firstFailure?: string;
  /** Why the second one failed, too. */
  lost?: string;
}

/** A person who is signed in somewhere. */
export interface SignedIn {
  visitor: Browser;
  tokens: TokenSet;
}

export interface LoadResult {
  outcomes: Outcome[];
  /** Everybody whose sign-in was answered, with their newest tokens. */
  people: SignedIn[];
  /** Refreshes whose answer was lost, and which then meant a new authorization. */
  renewed: number;
}

export interface Load {
  stop(): Promise<LoadResult>;
}

const answerWithinMs = 10_000;
/** Nobody tries again at the same instant: whatever broke is to have been noticed by then. */
export const retryAfterMs = 250;
const silently = { changes: { prompt: 'none' } };

/** Begins so many of each kind every second, whether or not the earlier ones have ended. Every failure is tried again once. */
export function startLoad(issuer: string, perSecond: Partial<Record<Kind, number>>): Load {
  const result: LoadResult = { outcomes: [], people: [], renewed: 0 };
  const running = new Set<Promise<void>>();
  const idle: SignedIn[] = [];
  let turn = 0;

  async function twice(kind: Kind, attempt: (isRetry: boolean) => Promise<unknown>): Promise<void> {
    const outcome: Outcome = { kind, startedAt: performance.now(), endedAt: 0 };
    try {
      await attempt(false);
    } catch (error) {
      outcome.firstFailure = reasonOf(error);
      await delay(retryAfterMs);
      await attempt(true).catch((reason: unknown) => (outcome.lost = reasonOf(reason)));
    }
    outcome.endedAt = performance.now();
    result.outcomes.push(outcome);
  }

  const begin: Record<Kind, () => Promise<void>> = {
    async login() {
      // every second one comes on new connections, so that all processes have something to do
      const visitor = browser(issuer, fetchFrom(anyAddress(), ++turn % 2 === 0));
      const who = crowd[turn % crowd.length] ?? ada;
      await twice('login', async () => {
        const person = { visitor, tokens: await signInWith(issuer, visitor, { who }) };
        result.people.push(person);
        idle.push(person);
      });
    },
    async refresh() {
      const person = idle.shift();
      if (!person) return;
      await twice('refresh', async (isRetry) => {
        const answer = await sendToken(issuer, refreshing(person.tokens), ['web', webSecret]);
        if (answer.status === 200) person.tokens = answer.json as unknown as TokenSet;
        else if (isRetry && answer.json['error'] === 'invalid_grant') {
          // the token was taken and its answer lost: the app sends the person through again, who is signed in
          person.tokens = await signInWith(issuer, person.visitor, silently);
          result.renewed++;
        } else throw new Error(`refresh: ${answer.status} ${answer.text}`);
      });
      idle.push(person);
    },
    async silent() {
      const person = idle.shift();
      if (!person) return;
      await twice('silent', async () => {
        person.tokens = await signInWith(issuer, person.visitor, silently);
      });
      idle.push(person);
    },
    async service() {
      await twice('service', async () => {
        const form = { grant_type: 'client_credentials', resource: projectsApi };
        const answer = await sendToken(issuer, form, ['acme-ci', ciKey]);
        if (answer.status !== 200) throw new Error(`service: ${answer.status} ${answer.text}`);
      });
    },
  };

  const timers = (Object.entries(perSecond) as [Kind, number][])
    .filter(([, rate]) => rate > 0)
    .map(([kind, rate]) =>
      setInterval(() => {
        const work = begin[kind]();
        running.add(work);
        void work.finally(() => running.delete(work));
      }, 1000 / rate),
    );
  return {
    async stop() {
      timers.forEach(clearInterval);
      await Promise.all(running);
      return result;
    },
  };
}

/** A whole sign-in, or what is left of it for somebody who has a session, up to the tokens. */
export async function signInWith(
  issuer: string,
  visitor: Browser,
  { who = ada, changes = {} }: { who?: Credentials; changes?: Record<string, string> } = {},
): Promise<TokenSet> {
  let page = await visitor.get(authorizeUrl(issuer, changes));
  if (page.html.includes('name="password"'))
    page = await visitor.submit(page, { login: who.email, password: who.password });
  const answer = await redeem(issuer, codeOn(page));
  if (answer.status !== 200) throw new Error(`code: ${answer.status} ${answer.text}`);
  return answer.json as unknown as TokenSet;
}

function codeOn(page: Page): string {
  const code = new URL(page.url).searchParams.get('code');
  if (code === null) throw new Error(`${page.status} ${page.url} ${textOf(page.html)}`);
  return code;
}

function sendToken(
  issuer: string,
  form: Record<string, string>,
  [id, secret]: readonly [string, string],
): ReturnType<typeof send> {
  return send(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      'X-Forwarded-For': anyAddress(),
    },
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(answerWithinMs),
  });
}

/** As somebody behind the trusted proxy does, who does not wait for ever. */
function fetchFrom(address: string, keepsConnections: boolean): typeof fetch {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    headers.set('X-Forwarded-For', address);
    if (!keepsConnections) headers.set('Connection', 'close');
    return fetch(url, { ...init, headers, signal: AbortSignal.timeout(answerWithinMs) });
  };
}

/** Whoever counts by address sees somebody else each time. */
export function anyAddress(): string {
  const part = (): number => 1 + Math.floor(Math.random() * 250);
  return `10.${part()}.${part()}.${part()}`;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function textOf(html: string): string {
  return html
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]+>|\s+/g, ' ')
    .slice(0, 300);
}
