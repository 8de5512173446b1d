import { expect } from 'chai';
import { createPasswordHashing } from '../../src/credentials/password-hashing.js';
import { ada } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';

interface StoredPassword {
  _id: string;
  hash: string;
}

describe('passwords', () => {
  afterEach(closeApps);

  it('a hash of former parameters is made stronger at the next sign-in', async () => {
    const { issuer, database } = await startApp();
    const passwords = database.collection<StoredPassword>('passwords');
    const former = await createPasswordHashing(
      { memoryKib: 8192, iterations: 1, parallelism: 1 },
      { waitingHashes: 1, longestWaitMs: 1000 },
    ).hash(ada.password);
    await passwords.updateOne({}, { $set: { hash: former } });
    for (let round = 0; round < 2; round++) {
      const { url } = await (await relyingParty(issuer)).begin();
      expect((await signIn(issuer, url)).page.url).to.contain('code=');
      expect((await passwords.findOne({}))?.hash).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    }
  });

  it('sec-050 an unknown address, a wrong password and a disabled account are told in the same words', async () => {
    const { issuer, database } = await startApp();
    const party = await relyingParty(issuer);
    const answer = async (email: string, password: string): Promise<string> => {
      const { url } = await party.begin();
      const { page } = await signIn(issuer, url, { email, password });
      expect(page.status).to.equal(422);
      // what differs from flow to flow, and the address that was typed
      return page.html
        .replace(/\/sign-in\/[\w-]+/g, '')
        .replace(/value="(\d+\.)?[\w-]{43}"/g, '')
        .replace(/challenge&#34;:&#34;[\w-]{43}|nonce="[^"]+"/g, '')
        .replace(/[\da-f-]{36}/g, '')
        .replaceAll(email, '');
    };
    const wrong = await answer(ada.email, 'not the right password');
    const unknown = await answer('nobody@example.com', 'not the right password');
    const odd = await answer('no address at all', 'not the right password');
    await database.collection('users').updateOne({}, { $set: { status: 'disabled' } });
    const disabled = await answer(ada.email, ada.password);
    expect([unknown, odd, disabled]).to.deep.equal([wrong, wrong, wrong]);
  });
});
