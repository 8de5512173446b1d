// People bring their passwords from another system, without anybody knowing them.
import { expect } from 'chai';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { authorizeUrl } from '../http/requests.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { operator, outcomeOf } from '../support/administered.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const short = 'tr0ub4dor'; // what other systems took is taken over as it is
const salt = Buffer.from('a salt of sixteen');
const plain = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

const hashes: Record<string, () => Promise<string>> = {
  bcrypt: () => bcrypt(short, 8),
  scrypt: async () => `$scrypt$ln=13,r=8,p=1$${plain(salt)}$${plain(scryptSync(short, salt, 32, { N: 8192 }))}`,
  PBKDF2: async () => `$pbkdf2-sha256$i=9000$${plain(salt)}$${plain(pbkdf2Sync(short, salt, 9000, 32, 'sha256'))}`,
};

describe('passwords of another system', function () {
  this.timeout(30_000);
  let running: RunningApp;
  beforeEach(async () => {
    running = await startApp();
  });
  afterEach(closeApps);

  const opens = async (email: string, password = short): Promise<boolean> =>
    new URL(
      (await signIn(running.issuer, authorizeUrl(running.issuer), { email, password })).page.url,
    ).searchParams.has('code');

  async function storedHash(email: string): Promise<string> {
    const { id } = await running.app.administration.getUserByEmail(email);
    const found = await running.database.collection<{ _id: string; hash: string }>('passwords').findOne({ _id: id });
    return found?.hash ?? '';
  }

  const member = { emailVerified: true, memberships: [{ tenant: 'acme', roles: ['editor'] }] };

  for (const [kind, make] of Object.entries(hashes)) {
    it(`${kind}: a seed brings it, the first sign-in makes it argon2id, and the seed changes nothing again`, async () => {
      const email = 'moved@example.com';
      const seed = { users: [{ ...member, email, passwordHash: await make() }] };
      await running.app.seeding.applySeed(seed);
      expect(await opens(email, 'a wrong password')).to.equal(false);
      expect(await storedHash(email)).not.to.match(/^\$argon2id/);
      expect(await opens(email)).to.equal(true);
      expect(await storedHash(email)).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      const { created, updated } = await running.app.seeding.applySeed(seed);
      expect([created, updated]).to.deep.equal([0, 0]);
      expect(await opens(email)).to.equal(true);
    });
  }

  it('another hash in the seed is another password', async () => {
    const email = 'moved@example.com';
    await running.app.seeding.applySeed({ users: [{ ...member, email, passwordHash: await bcrypt(short, 8) }] });
    expect(await opens(email)).to.equal(true);
    await running.app.seeding.applySeed({ users: [{ ...member, email, passwordHash: await bcrypt('another', 8) }] });
    expect([await opens(email), await opens(email, 'another')]).to.deep.equal([false, true]);
  });

  it('the management API takes it in the place of a password', async () => {
    const { createUser } = running.app.administration;
    const passwordHash = await bcrypt(short, 8);
    const email = 'brought@example.com';
    await createUser(operator, { email, emailVerified: true, passwordHash });
    await running.app.seeding.applySeed({ users: [{ ...member, email, passwordHash }] });
    expect(await opens(email)).to.equal(true);
    const refused = [{ passwordHash: 'plain' }, { passwordHash: `$2b$15$${'a'.repeat(53)}` }];
    for (const wrong of [...refused, { passwordHash, password: ada.password }])
      expect(await outcomeOf(createUser(operator, { email: 'x@example.com', ...wrong }))).to.equal(
        '400 password.unacceptable',
      );
  });

  it('a seed with one that cannot be taken is refused with its line', async () => {
    const users = [...(contractSeed.users ?? []), { email: 'x@example.com', passwordHash: 'md5:5f4dcc3b5aa765d6' }];
    const refused = await running.app.seeding.applySeed({ users }).then(String, String);
    expect(refused).to.contain('is no argon2id, bcrypt, scrypt or PBKDF2 hash');
  });
});
