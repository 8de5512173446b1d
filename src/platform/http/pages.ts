import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ejs, { type TemplateFunction } from 'ejs';
import type { Context } from 'koa';
import type { Said } from '../../kernel/message.js';
import type { Catalogues } from '../i18n/catalogues.js';
import { languageOf } from './page-language.js';
import { requestIdOf } from './problem.js';
import { allowFormTarget, allowPage, allowStyle } from './security-headers.js';

export interface Page {
  view: string;
  title: Said;
  /** Where the flow of this page's forms ends, when that is outside: the redirect URI of the client. */
  formTarget?: string | undefined;
  /** Of the tenant for which it is shown; null: of none. */
  look?: Look | null;
}

/** How a page shows whose it is. */
export interface Look {
  name: string;
  logo: { path: string; alt: string; width: number; height: number } | null;
  /** Rules of CSS made of checked values; empty: none. */
  style: string;
}

export interface Pages {
  /**
   * Renders `views/<view>.ejs` in the language of the exchange; `locals` is a view model, never an entity and never request
   * data. A view says what it says by `t` and `pieces` (`Words`).
   */
  render(ctx: Context, page: Page, locals: Record<string, unknown>): void;
  /** The stylesheet, and the one script that pages with passkeys load: path and content. */
  files: readonly { path: string; type: 'css' | 'js'; body: Buffer }[];
}

/**
 * Reads and compiles every template once; a broken one stops the start. Includes are served from these too and not from
 * the disk, so that a build beside a running server takes no page away from it.
 */
export function openPages(viewsDirectory: string, catalogues: Catalogues): Pages {
  const style = fileOf(viewsDirectory, 'style', 'css');
  const script = fileOf(viewsDirectory, 'passkeys', 'js');
  const templates = new Map<string, TemplateFunction>();
  for (const entry of readdirSync(viewsDirectory, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ejs')) continue;
    const filename = join(viewsDirectory, entry);
    const includer = (path: string): { filename: string } => ({ filename: resolve(dirname(filename), `${path}.ejs`) });
    const template = ejs.compile(readFileSync(filename, 'utf8'), { filename, cache: true, includer });
    ejs.cache.set(filename, template);
    templates.set(entry.replaceAll('\\', '/').slice(0, -'.ejs'.length), template);
  }

  return {
    files: [style, script],
    render(ctx, { view, title, formTarget, look = null }, locals) {
      const template = templates.get(view);
      if (!template) throw new Error(`no template named ${view}`);
      // a null prototype: no option of the template engine can be reached through inherited or polluted members
      const values = Object.create(null) as Record<string, unknown>;
      const { language: lang, t, pieces } = catalogues(languageOf(ctx));
      const ofAll = { lang, t, pieces, styleUrl: style.path, scriptUrl: script.path, requestId: requestIdOf(ctx) };
      const nonce = allowPage(ctx);
      if (look && look.style !== '') allowStyle(ctx, nonce);
      Object.assign(values, locals, ofAll, { title: t(title), nonce, look });
      allowFormTarget(ctx, formTarget);
      ctx.set('Content-Language', lang);
      ctx.vary('Accept-Language');
      ctx.type = 'html';
      ctx.body = template(values);
    },
  };
}

/** Under a name made of its content, so that it may be kept for ever. */
function fileOf<Type extends 'css' | 'js'>(viewsDirectory: string, name: string, type: Type) {
  const body = readFileSync(join(viewsDirectory, 'layout', `${name}.${type}`));
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 16);
  return { path: `/assets/${name}-${digest}.${type}`, type, body };
}
