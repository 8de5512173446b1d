import type { MessageKey } from '../kernel/message.js';

type DoneKey = Extract<MessageKey, `done.${string}`>;
export type Done = DoneKey extends `done.${infer Name}` ? Name : never;

/** What a page can say about the form that led to it. */
const texts: Record<Done, DoneKey> = {
  proven: 'done.proven',
  'profile-saved': 'done.profile-saved',
  'email-sent': 'done.email-sent',
  'password-changed': 'done.password-changed',
  'factor-added': 'done.factor-added',
  'factor-renamed': 'done.factor-renamed',
  'factor-removed': 'done.factor-removed',
  'browsers-forgotten': 'done.browsers-forgotten',
  'identity-linked': 'done.identity-linked',
  'identity-unlinked': 'done.identity-unlinked',
  'session-ended': 'done.session-ended',
  'others-ended': 'done.others-ended',
  left: 'done.left',
  'team-created': 'done.team-created',
  joined: 'done.joined',
  revoked: 'done.revoked',
  closed: 'done.closed',
};

export function doneText(name: unknown): MessageKey | null {
  return typeof name === 'string' && Object.hasOwn(texts, name) ? texts[name as Done] : null;
}
