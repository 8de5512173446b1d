import { expect } from 'chai';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from 'koa';
import { openCatalogues } from '../../../src/platform/i18n/catalogues.js';
import { openPages } from '../../../src/platform/http/pages.js';

const views = fileURLToPath(new URL('../../../views', import.meta.url));
const catalogues = openCatalogues(fileURLToPath(new URL('../../../locales', import.meta.url)));

describe('pages', () => {
  it('need nothing from the disk once they are open: a build beside a running server takes none away', () => {
    const folder = mkdtempSync(join(tmpdir(), 'views-'));
    cpSync(views, folder, { recursive: true });
    const pages = openPages(folder, catalogues);
    rmSync(folder, { recursive: true });
    const headers = new Map<string, string>();
    const ctx = {
      ...{ res: { getHeader: () => 'request-1' }, query: {}, state: {}, vary: () => undefined },
      acceptsLanguages: () => 'de',
      response: { get: (name: string) => headers.get(name) ?? '' },
      set: (name: string, value: string) => headers.set(name, value),
    };
    pages.render(
      ctx as unknown as Context,
      { view: 'sign-in/front', title: 'front.title' },
      { issuer: 'x', discoveryUrl: 'y' },
    );
    expect((ctx as unknown as { body: string }).body).to.contain('<h1>Anmeldedienst</h1>');
    expect(headers.get('Content-Language')).to.equal('de');
    expect(headers.get('Content-Security-Policy')).to.contain("script-src 'nonce-");
  });
});
