import { expect } from 'chai';
import { textRecordsBy } from '../../../src/platform/dns/text-records.js';
import { startNameServer, type NameServer } from '../../support/name-server.js';

describe('text records', () => {
  let server: NameServer;
  beforeEach(async () => {
    server = await startNameServer({
      'one.example': { TXT: ['a value'] },
      'several.example': { TXT: ['first', `${'x'.repeat(255)}${'y'.repeat(45)}`, ''] },
      'none.example': { TXT: [] },
      'unknown.example': { TXT: 'no such name' },
      'broken.example': { TXT: null },
    });
  });
  afterEach(() => server.close());

  const lookup = (name: string): Promise<readonly string[]> => textRecordsBy([server.address])(name);

  it('are each one text, of however many parts', async () => {
    expect(await lookup('one.example')).to.deep.equal(['a value']);
    const [first, long = '', empty] = await lookup('several.example');
    expect([first, long.length, empty]).to.deep.equal(['first', 300, '']);
  });

  it('may be none, of a name that is there or is not', async () => {
    expect(await lookup('none.example')).to.deep.equal([]);
    expect(await lookup('unknown.example')).to.deep.equal([]);
  });

  it('that nobody can tell are not taken for none, and nobody waits for long', async function () {
    this.timeout(10_000);
    const outcome = (name: string): Promise<string> => lookup(name).then(String, () => 'thrown');
    expect(await outcome('broken.example')).to.equal('thrown');
    const before = performance.now();
    expect(await outcome('silent.example')).to.equal('thrown');
    expect(performance.now() - before).to.be.lessThan(6000);
  });
});
