import Router from '@koa/router';
import { expect } from 'chai';
import { pagesApplication } from '../../../src/platform/http/pages-application.js';
import { createLogger } from '../../../src/platform/log/logger.js';

describe('the application of the pages', () => {
  const withRouter = (router: Router) => () =>
    pagesApplication({
      ...{ cookieKeys: ['k'], log: createLogger('silent'), answerError: () => undefined },
      ...{ first: (_ctx, next) => next(), routers: [router] },
    });

  it('takes routes', () => {
    expect(withRouter(new Router().get('/here', () => undefined))().routes.map(({ path }) => path)).to.eql(['/here']);
  });

  it('refuses a router with middleware of its own, which would stand before the routes of all the others', () => {
    expect(withRouter(new Router().use((_ctx, next) => next()))).to.throw('middleware of a router');
  });
});
