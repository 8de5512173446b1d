import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ejs, { type TemplateFunction } from 'ejs';
import type { Context } from 'koa';
import { requestIdOf } from './problem.js';
import { allowFormTarget, allowPage } from './security-headers.js';

export interface Page {
  view: string;
  title: string;
  /** Where the flow of this page's forms ends, when that is outside: the redirect URI of the client. */
  formTarget?: string | undefined;
}

export interface Pages {
  /** Renders `views/<view>.ejs`; `locals` is a view model, never an entity and never request data. */
  render(ctx: Context, page: Page, locals: Record<string, unknown>): void;
  styleUrl: string;
  style: Buffer;
}

/**
 * Reads and compiles every template once; a broken one stops the start. Includes are served from these too and not from
 * the disk, so that a build beside a running server takes no page away from it.
 */
export function openPages(viewsDirectory: string): Pages {
  const style = readFileSync(join(viewsDirectory, 'layout', 'style.css'));
  const styleUrl = `/assets/style-${createHash('sha256').update(style).digest('hex').slice(0, 16)}.css`;
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
    styleUrl,
    style,
    render(ctx, { view, title, formTarget }, locals) {
      const template = templates.get(view);
      if (!template) throw new Error(`no template named ${view}`);
      // a null prototype: no option of the template engine can be reached through inherited or polluted members
      const values = Object.create(null) as Record<string, unknown>;
      Object.assign(values, locals, { title, lang: 'en', styleUrl, requestId: requestIdOf(ctx) });
      allowPage(ctx);
      allowFormTarget(ctx, formTarget);
      ctx.type = 'html';
      ctx.body = template(values);
    },
  };
}
