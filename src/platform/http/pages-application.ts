import Router from '@koa/router';
import Keygrip from 'keygrip';
import Koa, { type Middleware } from 'koa';
import type { Logger } from '../log/logger.js';
import { answerErrors, type AnswerError, type ListenerOptions } from './listener.js';
import { keepCookiesAtHome } from './security-headers.js';

export interface Route {
  /** `:name` stands for a part that varies. */
  path: string;
  methods: readonly string[];
  /** May be posted to, and is sent on as GET. */
  postable?: true;
}

export interface PagesOptions {
  cookieKeys: readonly string[];
  log: Logger;
  answerError: AnswerError;
  /** Before the routers. */
  first: Middleware;
  routers: readonly Router[];
}

/** Everything that is not the protocol's: pages, the management API, health; and the answers to what was refused. */
export function pagesApplication(options: PagesOptions): { handle: ListenerOptions['pages']; routes: Route[] } {
  const { log } = options;
  const koa = new Koa();
  koa.on('error', (error) => log.debug({ err: error as Error }, 'connection failed')); // a browser that went away
  koa.proxy = true; // the headers it then believes are written by the edge
  koa.keys = new Keygrip([...options.cookieKeys], 'sha256');
  koa.use(keepCookiesAtHome);
  koa.use(answerErrors(log, options.answerError));
  koa.use(options.first);
  const router = new Router();
  for (const layer of options.routers.flatMap(({ stack }) => stack)) {
    // what is no route would stand before the routes of all the others
    if (layer.methods.length === 0) throw new Error(`${String(layer.path)} is middleware of a router`);
    router.stack.push(layer); // one look at all of them for a request, not ten
  }
  koa.use(router.routes());
  koa.use(router.allowedMethods());
  return { handle: koa.callback(), routes: router.stack.map(({ path, methods }) => ({ path: String(path), methods })) };
}
