import { expect } from 'chai';
import type { Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { openSignIn, submitByHand, type OpenPage } from './requests.js';

const known = ada.email;
const unknown = 'eve@example.com'; // as long as the other, so that even the length of the page may not differ
const attempt = (page: OpenPage, login: string, password = 'not the right password'): Promise<Page> =>
  submitByHand(page, 'login', { login, password });

/** Everything that a client sees of an answer, but for what is different in every answer. */
function visible(page: OpenPage, answer: Page): unknown {
  const masked = (text: string): string =>
    [page.uid, page.csrf, known, unknown, answer.headers.get('x-request-id') ?? '']
      .reduce((left, part) => left.replaceAll(part, '*'), text)
      .replace(/nonce(-|=")[\w+/=]+/g, 'nonce$1*')
      .replace(/challenge&#34;:&#34;[\w-]+|name="ticket" value="[^"]+"/g, '*');
  const headers = [...answer.headers].filter(([name]) => !['date', 'retry-after'].includes(name));
  return {
    status: answer.status,
    headers: headers.map(([name, value]) => [name, masked(value)]),
    html: masked(answer.html),
  };
}

describe('whether there is an account', function () {
  this.timeout(60_000); // tens of hashes one after the other, each slow by design
  afterEach(closeApps);

  it('sec-050 does not show in the answer to a wrong password, nor in the one that says to wait', async () => {
    const { issuer } = await startApp();
    const pages = [await openSignIn(issuer), await openSignIn(issuer)] as const;
    for (let count = 0; count < 8; count++) {
      const [left, right] = [await attempt(pages[0], known), await attempt(pages[1], unknown)];
      expect(left.status).to.equal(count < 5 ? 422 : 429);
      expect(visible(pages[0], left), `try ${count}`).to.deep.equal(visible(pages[1], right));
      const waits = [left, right].map(({ headers }) => Number(headers.get('retry-after')));
      expect(Math.abs((waits[0] ?? 0) - (waits[1] ?? 0))).to.be.at.most(2);
    }
  });

  it('sec-050 does not show in the answer when the password is right and the account must wait', async () => {
    const { issuer } = await startApp();
    const pages = [await openSignIn(issuer), await openSignIn(issuer)] as const;
    for (let count = 0; count < 5; count++) await Promise.all([attempt(pages[0], known), attempt(pages[1], unknown)]);
    const [left, right] = [
      await attempt(pages[0], known, ada.password),
      await attempt(pages[1], unknown, ada.password),
    ];
    expect(left.status).to.equal(429);
    expect(visible(pages[0], left)).to.deep.equal(visible(pages[1], right));
  });
});
