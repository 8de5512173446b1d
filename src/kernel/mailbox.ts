import { parseEmail } from './email.js';

/** Who a mail comes from: an address, and the name that is shown beside it. */
export interface Mailbox {
  name: string;
  address: string;
}

const longestName = 64;
const written = /^(?:"?(?<name>[^"<>\\]*?)"?\s*<(?<within>[^<>]+)>|(?<alone>[^<>"]+))$/u;
const unfit = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** `Name <address>` or an address alone; null for everything that is not exactly one of these. */
export function parseMailbox(input: string): Mailbox | null {
  const { name = '', within, alone } = written.exec(input.trim())?.groups ?? {};
  const address = parseEmail(within ?? alone ?? '');
  if (address === null || unfit.test(name) || Array.from(name).length > longestName) return null;
  return { name: name.trim(), address };
}
