import type { Text } from './canaries.js';

export interface RecordedAnswers {
  /** Every answer so far, one text a part: location, set-cookie, all other headers, body (`redirect` for that of a redirect). */
  texts: Text[];
  cookies: Map<string, Set<string>>;
  stop(): void;
}

/** Keeps what comes back by `fetch`, whoever calls it, until it is stopped. */
export function recordAnswers(): RecordedAnswers {
  const original = globalThis.fetch;
  const texts: Text[] = [];
  const cookies = new Map<string, Set<string>>();
  globalThis.fetch = async (input, init) => {
    const response = await original(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
    const keep = (part: string, text: string): void =>
      void texts.push({ name: `${method} ${url.pathname} ${part}`, bytes: Buffer.from(text) });
    for (const [name, value] of response.headers) {
      if (name !== 'location' && name !== 'set-cookie') keep('headers', `${name}: ${value}`);
    }
    keep('location', response.headers.get('location') ?? '');
    for (const line of response.headers.getSetCookie()) {
      keep('set-cookie', line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, (cookies.get(name) ?? new Set()).add(value));
    }
    // what a redirect holds beside its location is the same in words
    const isRedirect = response.status >= 300 && response.status < 400;
    keep(isRedirect ? 'redirect' : 'body', await response.clone().text());
    return response;
  };
  return { texts, cookies, stop: () => void (globalThis.fetch = original) };
}
