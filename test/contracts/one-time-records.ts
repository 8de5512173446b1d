import { keyedHash } from '../../src/platform/crypto/keyed-hash.js';
import { openSealing } from '../../src/platform/crypto/sealing.js';
import { oneTimeRecords, type OneTimeRecords } from '../../src/platform/mongo/one-time-records.js';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';

/** The same records over another connection: whoever has the key works on the same rows. */
export async function openRecords(
  uri: string,
  key: Buffer,
  now: () => Date = () => new Date(),
): Promise<{ records: OneTimeRecords; database: Database }> {
  const database = await openDatabase(uri);
  const sealing = await openSealing([{ kid: 'test', bytes: key }]);
  const records = oneTimeRecords('one_time_test', { database, hash: keyedHash(key, 'test'), sealing, now });
  return { records, database };
}
