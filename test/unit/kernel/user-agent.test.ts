import { expect } from 'chai';
import { softwareOf } from '../../../src/kernel/user-agent.js';

const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0';

const known: readonly (readonly [userAgent: string, browser: string | null, system: string | null])[] = [
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36`, 'Chrome', 'Windows'],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36 Edg/140.0.0.0`, 'Edge', 'Windows'],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${chrome} Safari/537.36 OPR/120.0.0.0`, 'Opera', 'macOS'],
  [`Mozilla/5.0 (Linux; Android 10; K) ${chrome} Mobile Safari/537.36`, 'Chrome', 'Android'],
  [`Mozilla/5.0 (Linux; Android 10; K) SamsungBrowser/28.0 ${chrome} Safari/537.36`, 'Samsung Internet', 'Android'],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${chrome} Safari/537.36`, 'Chrome', 'ChromeOS'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0', 'Firefox', 'Linux'],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
    ...(['Safari', 'macOS'] as const),
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/130.0 Mobile Safari/605.1.15',
    ...(['Firefox', 'iPad'] as const),
  ],
  ['curl/8.5.0', null, null],
  ['', null, null],
  ['<script>alert(1)</script>', null, null],
];

describe('what a User-Agent field says', () => {
  for (const [userAgent, browser, system] of known) {
    it(`${browser} on ${system}: ${userAgent.slice(0, 40)}`, () => {
      expect(softwareOf(userAgent)).to.deep.equal({ browser, system });
    });
  }

  it('is read in no time, however long it is', () => {
    const before = performance.now();
    for (const unit of ['Version/1.', 'Safari/ Version/', 'Mac OS X ']) softwareOf(unit.repeat(10_000));
    expect(performance.now() - before).to.be.lessThan(50);
  });
});
