import { expect } from 'chai';
import mongoose from 'mongoose';
import { setTimeout as delay } from 'node:timers/promises';
import { authorizeUrl, post, refreshing, type Answer } from '../http/requests.js';
import { webSecret } from './contract-seed.js';
import { percentile, type Kind, type LoadResult, type Outcome } from './load.js';

const mostShown = 10;

export function timesOf(outcomes: readonly Outcome[], kind: Kind): number[] {
  return outcomes.filter((outcome) => outcome.kind === kind).map(({ startedAt, endedAt }) => endedAt - startedAt);
}

export function reportLoad(name: string, outcomes: readonly Outcome[]): void {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort();
  const byKind = kinds.map((kind) => {
    const times = timesOf(outcomes, kind);
    const [middle, high] = [0.5, 0.99].map((share) => percentile(times, share).toFixed(0));
    return `${times.length} ${kind} (p50 ${middle} ms, p99 ${high} ms)`;
  });
  const failures = outcomes.filter(({ firstFailure }) => firstFailure);
  const lost = failures.filter((outcome) => outcome.lost);
  console.log(`      ${name}: ${byKind.join(', ')}; ${failures.length} failed first, ${lost.length} lost`);
  for (const { kind, firstFailure, lost: reason } of [...lost, ...failures].slice(0, mostShown))
    console.log(`        ${kind}: ${firstFailure?.slice(0, 200)} → ${reason?.slice(0, 200) ?? 'ok'}`);
}

/**
 * Every code and refresh token that was used up gave at most one refresh token. Codes are deleted a minute after they
 * were made, so this holds for a run that is shorter.
 */
export async function expectNothingIssuedTwice(databaseUri: string): Promise<void> {
  const usedUp = new Map<string, number>();
  const issued = new Map<string, number>();
  const count = (counted: Map<string, number>, grantId: string) =>
    counted.set(grantId, (counted.get(grantId) ?? 0) + 1);
  const { codes, tokens } = await readIssued(databaseUri);
  for (const { grantId, consumed } of [...codes, ...tokens]) if (consumed !== undefined) count(usedUp, grantId);
  for (const { grantId } of tokens) count(issued, grantId);
  expect(issued.size).to.be.greaterThan(0);
  for (const [grantId, times] of issued) expect(times, grantId).to.be.at.most(usedUp.get(grantId) ?? 0);
}

/** Where no answer was lost: there are as many refresh tokens as answers that held one, of all the time. */
export async function expectIssuedAsAnswered(databaseUri: string, { outcomes }: LoadResult): Promise<void> {
  const { tokens } = await readIssued(databaseUri);
  expect(tokens).to.have.length(outcomes.filter(({ kind }) => kind !== 'service').length);
}

interface Issued {
  grantId: string;
  consumed?: number;
}

async function readIssued(databaseUri: string): Promise<{ codes: Issued[]; tokens: Issued[] }> {
  const connection = await mongoose.createConnection(databaseUri).asPromise();
  try {
    const read = (name: string) => connection.db!.collection<Issued>(name).find().toArray();
    return { codes: await read('oidc_authorization_codes'), tokens: await read('oidc_refresh_tokens') };
  } finally {
    await connection.close();
  }
}

/** A fast machine asks more often in a second than one client may; who is told to come back does so when told to. */
async function whenAdmitted(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 429) return answer;
    await delay(Number(answer.headers.get('retry-after')) * 1000);
  }
}

/** The newest refresh token of each works, and so does the session of each browser. */
export async function expectEverybodyIsSignedIn(issuer: string, { people }: LoadResult): Promise<void> {
  expect(people).not.to.have.length(0);
  for (const { visitor, tokens } of people) {
    const refreshed = await whenAdmitted(() => post(issuer, 'token', refreshing(tokens), ['web', webSecret]));
    expect(refreshed.status, refreshed.text).to.equal(200);
    const silent = await visitor.get(authorizeUrl(issuer, { prompt: 'none' }));
    expect(silent.url).to.contain('code=');
  }
}
