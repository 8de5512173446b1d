import type catalogue from '../../locales/en.json';

type Catalogue = typeof catalogue;

/** Names of all texts below this part of a catalogue, as `page.text`. */
type KeysOf<Part> = {
  [Name in keyof Part & string]: Part[Name] extends string ? Name : `${Name}.${KeysOf<Part[Name]>}`;
}[keyof Part & string];

/** Names one text of the catalogues (`locales`). */
export type MessageKey = KeysOf<Catalogue>;
/** Letters that we send. */
export type LetterName = Exclude<keyof Catalogue['letters'], 'button'>;

/** What stands in the places of a text; a message is put there in the same language. */
export type MessageValues = Readonly<Record<string, string | number | Message>>;

/** Something to be said to a person, in no language yet. */
export interface Message {
  key: MessageKey;
  values?: MessageValues;
}

/** A refusal (`AppError`): its own message, else what stands under `errors` and its code, else its English words. */
interface Refusal {
  code: string;
  message: string;
  said?: Message | undefined;
  retryAfterSeconds?: number | undefined;
}

/** What a page or a letter can say. */
export type Said = MessageKey | Message | Refusal;
