/**
 * Links in mails that do one thing once: for what, for whom, until when, and how often mails may be asked for. Owns the
 * collections `action_links` (the token as a keyed hash, what it was made for sealed) and `action_mail_counts`. It does
 * not decide what a link does (accounts) and sends nothing. To look at a link changes nothing: mail scanners do it too.
 */
import { randomSecret } from '../kernel/secret.js';
import { secondsAfter, type Clock } from '../kernel/time.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createActionLinkStore } from './action-link-store.js';
import type { ActionLink, LinkPurpose } from './action-link.js';
import { createMailCountStore } from './mail-count-store.js';

export type { ActionLink, LinkPurpose } from './action-link.js';

export interface LinkRules {
  lifetimeSeconds: Readonly<Record<LinkPurpose, number>>;
  /** Of a link to a new password for an operator. */
  operatorResetSeconds: number;
  /** Mails that may be asked for to one address, of each purpose: whoever asks for one uses up no other. */
  toAddressAnHour: number;
}

export interface ActionLinksModule {
  /** The token is given this once. `ofOperator`: it is good for less time. */
  createLink(
    tx: Tx,
    link: Pick<ActionLink, 'purpose' | 'userId' | 'data'> & { ofOperator?: boolean },
  ): Promise<{ token: string; expiresAt: Date }>;
  /** What the link was made for, while it is good; changes nothing. */
  findLink(purpose: LinkPurpose, token: string): Promise<ActionLink | null>;
  /** Those of a person that are good, oldest first. */
  listLinksOf(tx: Tx, userId: string, purpose: LinkPurpose): Promise<ActionLink[]>;
  /** Uses it up in the transaction of what it opens. Null: it is over, or was another one's. */
  takeLink(tx: Tx, purpose: LinkPurpose, token: string): Promise<ActionLink | null>;
  /** Of these purposes, or of all: of a person who is deleted too. */
  forgetLinksOf(tx: Tx, userId: string, purposes?: readonly LinkPurpose[]): Promise<void>;
  /**
   * Those by which whoever asked gets into the account, or makes it theirs. The way back to a former address is none of
   * them: it is meant for when others have the account.
   */
  forgetWaysIn(tx: Tx, userId: string): Promise<void>;
  /** Those of a purpose that were made after this one. */
  forgetLaterLinks(tx: Tx, link: ActionLink): Promise<void>;
  /** Counts a mail of this purpose that somebody asks for, to an address of whoever or of nobody. False: not within this hour. */
  countMail(purpose: LinkPurpose, address: string): Promise<boolean>;
  ensureIndexes(): Promise<void>;
}

const waysIn: readonly LinkPurpose[] = ['reset_password', 'verify_email', 'change_email'];

export function actionLinksModule(deps: {
  database: Database;
  keyRing: KeyRing;
  now: Clock;
  rules: LinkRules;
}): ActionLinksModule {
  const { database, now, rules } = deps;
  const hash = deps.keyRing.hashFor('action-link');
  const store = createActionLinkStore({ database, sealing: deps.keyRing.sealing, hash, now });
  const counts = createMailCountStore({ database, hash, now });
  return {
    async createLink(tx, { ofOperator = false, ...link }) {
      const token = randomSecret();
      const createdAt = now();
      const usual = rules.lifetimeSeconds[link.purpose];
      const expiresAt = secondsAfter(createdAt, ofOperator ? Math.min(usual, rules.operatorResetSeconds) : usual);
      await store.insert(tx, { ...link, createdAt, expiresAt }, token);
      return { token, expiresAt };
    },
    findLink: store.find,
    listLinksOf: store.listOf,
    takeLink: store.take,
    forgetLinksOf: (tx, userId, purposes) => store.removeOf(tx, userId, purposes ? { purposes } : {}),
    forgetWaysIn: (tx, userId) => store.removeOf(tx, userId, { purposes: waysIn }),
    async forgetLaterLinks(tx, { userId, purpose, createdAt }) {
      if (userId !== null) await store.removeOf(tx, userId, { purposes: [purpose], madeAfter: createdAt });
    },
    countMail: (purpose, address) => counts.count({ purpose, address }, rules.toAddressAnHour),
    async ensureIndexes() {
      await store.ensureIndexes();
      await counts.ensureIndexes();
    },
  };
}
