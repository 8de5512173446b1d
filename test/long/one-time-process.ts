/** Takes one-time records on demand; a process of its own, so that two of them race for one value. */
import { openRecords } from '../contracts/one-time-records.js';

const [uri = '', key = ''] = process.argv.slice(2);
const { records } = await openRecords(uri, Buffer.from(key, 'base64url'));

process.on('message', ({ value, binding, count }: { value: string; binding: string[]; count: number }) => {
  const takings = Array.from({ length: count }, () => records.take(value, binding));
  void Promise.all(takings).then((texts) => process.send?.(texts));
});
process.send?.('ready');
