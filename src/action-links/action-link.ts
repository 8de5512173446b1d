/** What a link in a mail is for. One of another purpose opens nothing. */
export type LinkPurpose = 'reset_password' | 'verify_email' | 'sign_up' | 'change_email' | 'undo_email_change';

/** A link that somebody was sent, or would have been sent if there was an account. Whoever has its token has read that mailbox. */
export interface ActionLink {
  purpose: LinkPurpose;
  /** Whose account it is about. Null: that of nobody yet, or of nobody at all. */
  userId: string | null;
  /** What it was made for: the address, the sign-in to go back to, the browser that asked. */
  data: Readonly<Record<string, string>>;
  createdAt: Date;
  expiresAt: Date;
}
