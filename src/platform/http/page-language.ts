import type { Context } from 'koa';
import { defaultLanguage, languages, lookUpLanguage, type Language } from '../../kernel/languages.js';

const preferred = Symbol('language that is preferred here');
type State = Record<symbol, Language | undefined>;

/**
 * Notes what is known of the language of this exchange beside what the browser says: `ui_locales` of the sign-in under way
 * (OpenID Connect Core §3.1.2.1), or the `locale` of the person. What is noted first counts.
 */
export function preferLanguages(ctx: Context, tags: string | undefined): void {
  const state: State = ctx.state;
  state[preferred] ??= lookUpLanguage(tags) ?? undefined;
}

/** Parameter `ui_locales` of the address, or what was noted; then the browser (RFC 9110 §12.5.4); then English. */
export function languageOf(ctx: Context): Language {
  return askedFor(ctx) ?? ((ctx.acceptsLanguages([...languages]) || defaultLanguage) as Language);
}

/** A path of ours whose page speaks the language that was asked for here, where one was. */
export function inSameLanguage(ctx: Context, path: string): string {
  const language = askedFor(ctx);
  return language ? `${path}${path.includes('?') ? '&' : '?'}ui_locales=${language}` : path;
}

function askedFor({ query, state }: Context): Language | undefined {
  const { ui_locales: asked } = query;
  const noted: State = state;
  return lookUpLanguage(typeof asked === 'string' ? asked : undefined) ?? noted[preferred];
}
