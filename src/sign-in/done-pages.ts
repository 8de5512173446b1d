import type { MessageKey } from '../kernel/message.js';

export type Done = 'recover' | 'sign-up';

/** What is told at the end of each flow to who has no sign-in to go back to; under its path. */
export const donePages: Readonly<Record<string, { title: MessageKey; text: MessageKey }>> = {
  '/recover/done': { title: 'recover.done_title', text: 'recover.done' },
  '/sign-up/done': { title: 'sign_up.done_title', text: 'sign_up.done' },
  '/verify-email/done': { title: 'confirm_email.done_title', text: 'confirm_email.done' },
  '/change-email/done': { title: 'change_email.done_title', text: 'change_email.done' },
  '/undo-email-change/done': { title: 'undo_email.done_title', text: 'undo_email.done' },
};
