import { expect } from 'chai';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from 'koa';
import { openPages } from '../../../src/platform/http/pages.js';

const views = fileURLToPath(new URL('../../../views', import.meta.url));

describe('pages', () => {
  it('need nothing from the disk once they are open: a build beside a running server takes none away', () => {
    const folder = mkdtempSync(join(tmpdir(), 'views-'));
    cpSync(views, folder, { recursive: true });
    const pages = openPages(folder);
    rmSync(folder, { recursive: true });
    const headers = new Map<string, string>();
    const ctx = {
      res: { getHeader: () => 'request-1' },
      response: { get: (name: string) => headers.get(name) ?? '' },
      set: (name: string, value: string) => headers.set(name, value),
    };
    pages.render(
      ctx as unknown as Context,
      { view: 'sign-in/front', title: 'Front' },
      { issuer: 'x', discoveryUrl: 'y' },
    );
    expect((ctx as unknown as { body: string }).body).to.contain('<h1');
    expect(headers.get('Content-Security-Policy')).to.contain("script-src 'nonce-");
  });
});
