/** A browser without script: keeps cookies by path, follows redirects inside one origin, reads and posts forms. */
export interface Page {
  status: number;
  url: string;
  html: string;
  headers: Headers;
}

interface Cookie {
  name: string;
  value: string;
  path: string;
}

export interface Browser {
  /** Follows redirects until they leave the origin (then `url` is the foreign address and `status` the redirect's). */
  get(url: string): Promise<Page>;
  /** Posts the only form of the page that has these members (or the form with this action suffix). */
  submit(page: Page, members: Record<string, string>, actionSuffix?: string): Promise<Page>;
  request(url: string, init?: RequestInit): Promise<Page>;
  /** What it would send as `Cookie` to this address. */
  cookieHeader(url: string): string;
  cookies: Map<string, Cookie>;
}

/** `send` is another way to the server than its address. */
export function browser(origin: string, send: typeof fetch = fetch): Browser {
  const cookies = new Map<string, Cookie>();

  function cookieHeader(address: string): string {
    const url = new URL(address, origin);
    return [...cookies.values()]
      .filter(({ path }) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  function keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ');
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const path = attributes.find((attribute) => attribute.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
      const key = `${path} ${name}`;
      const expires = attributes.find((attribute) => attribute.toLowerCase().startsWith('expires='))?.slice(8);
      if (value === '' || (expires !== undefined && new Date(expires).getTime() < Date.now())) cookies.delete(key);
      else cookies.set(key, { name, value, path });
    }
  }

  async function request(address: string, init: RequestInit = {}): Promise<Page> {
    const url = new URL(address, origin);
    const headers = new Headers({ Accept: 'text/html', Cookie: cookieHeader(address) });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    const response = await send(url, { ...init, headers, redirect: 'manual' });
    keep(response);
    return { status: response.status, url: url.href, html: await response.text(), headers: response.headers };
  }

  async function follow(page: Page): Promise<Page> {
    let current = page;
    for (let hops = 0; hops < 20 && current.status >= 300 && current.status < 400; hops++) {
      const target = new URL(current.headers.get('location') ?? '', current.url);
      if (target.origin !== origin) return { ...current, url: target.href };
      current = await request(target.href);
    }
    return current;
  }

  return {
    cookies,
    cookieHeader,
    request,
    get: async (url) => follow(await request(url)),
    async submit(page, members, actionSuffix) {
      const form = formsOf(page.html).find(
        ({ action, names }) =>
          (actionSuffix === undefined || action.endsWith(actionSuffix)) &&
          Object.keys(members).every((name) => names.includes(name)),
      );
      if (!form) throw new Error(`no form with ${Object.keys(members).join(', ')} on:\n${page.html}`);
      const url = new URL(form.action, page.url).href;
      return follow(
        await request(url, {
          method: 'POST',
          headers: {
            'Content-Type': 'application/x-www-form-urlencoded',
            Origin: origin,
            'Sec-Fetch-Site': 'same-origin',
          },
          body: new URLSearchParams({ ...form.hidden, ...members }),
        }),
      );
    },
  };
}

interface Form {
  action: string;
  names: string[];
  hidden: Record<string, string>;
}

function formsOf(html: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', content = '']) => {
    const fields = [...content.matchAll(/<(?:input|button)\b([^>]*)>/g)].map(([, text = '']) => attributesOf(text));
    const hidden = fields.filter((field) => field['type'] === 'hidden');
    return {
      action: attributesOf(attributes)['action'] ?? '',
      names: fields.map((field) => field['name'] ?? ''),
      hidden: Object.fromEntries(hidden.map((field) => [field['name'] ?? '', field['value'] ?? ''])),
    };
  });
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescape(value)]),
  );
}

function unescape(text: string): string {
  return text
    .replace(/&#34;|&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}
