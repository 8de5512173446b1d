import { expect } from 'chai';
import { providerCalls } from '../../../src/connections/provider-calls.js';

const limits = { failures: 3, openSeconds: 30, atOnce: 2 };

async function outcome(call: Promise<Response>): Promise<string> {
  return call.then(
    ({ status }) => String(status),
    (error: unknown) => (error as Error).message,
  );
}

describe('calls to providers', () => {
  it('F11 leave one alone that has not answered several times, and go on with the others', async () => {
    let asked = 0;
    const calls = providerCalls({
      limits,
      fetch: async (url) => {
        asked++;
        if (url.includes('dead')) throw new Error('no answer');
        return new Response('{}', { status: url.includes('broken') ? 503 : 200 });
      },
    });
    const dead = calls.fetchFor('con_dead');
    for (const _ of [1, 2, 3]) expect(await outcome(dead('https://dead.example'))).to.contain('cannot be reached');
    expect(await outcome(dead('https://dead.example'))).to.contain('left alone');
    expect(asked).to.equal(3);
    const broken = calls.fetchFor('con_broken');
    for (const _ of [1, 2, 3]) expect(await outcome(broken('https://broken.example'))).to.contain('answered 503');
    expect(await outcome(broken('https://broken.example'))).to.contain('left alone');
    expect(await outcome(calls.fetchFor('con_well')('https://well.example'))).to.equal('200');
  });

  it('F11 a token endpoint that fails with somebody’s made-up code is asked for others all the same', async () => {
    let hasNetwork = true;
    const calls = providerCalls({
      limits,
      fetch: async () => {
        if (!hasNetwork) throw new Error('no answer');
        return new Response('{}', { status: 503 });
      },
    });
    const redeem = () => outcome(calls.fetchFor('con_1')('https://a.example/token', { method: 'POST' }));
    for (const _ of [1, 2, 3, 4, 5]) expect(await redeem()).to.contain('answered 503');
    hasNetwork = false;
    for (const _ of [1, 2, 3]) expect(await redeem()).to.contain('cannot be reached');
    expect(await redeem()).to.contain('left alone');
  });

  it('an answer that refuses is an answer', async () => {
    const calls = providerCalls({ limits, fetch: async () => new Response('{}', { status: 400 }) });
    for (const _ of [1, 2, 3, 4, 5])
      expect(await outcome(calls.fetchFor('con_1')('https://a.example'))).to.equal('400');
  });

  it('F11 are so many at once and no more, so that one that hangs holds little', async () => {
    const calls = providerCalls({ limits, fetch: () => new Promise<Response>(() => undefined) });
    const hanging = calls.fetchFor('con_1');
    void hanging('https://a.example');
    void hanging('https://a.example');
    expect(await outcome(hanging('https://a.example'))).to.contain('left alone');
  });
});
