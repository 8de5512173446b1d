import { expect } from 'chai';
import type { Answer } from './requests.js';

export const asBrowser = { headers: { Accept: 'text/html' } };

/** An error page: nothing leads away from it. */
export function expectErrorPage(answer: Answer, why: string): void {
  expect(answer.status, why).to.equal(400);
  expect(answer.headers.get('content-type'), why).to.match(/^text\/html/);
  expect(answer.location, why).to.equal(null);
  expect(answer.headers.get('refresh'), why).to.equal(null);
  expect(answer.text, why).not.to.match(/http-equiv="refresh"|<form|evil\.example/i);
}
