import { common } from './account-pages.js';

/** The pages to which links in mails lead, and those where they are asked for, as `pages` has them. */
export const mailPages = {
  'sign-in/address': {
    ...common,
    ...{ action: '/recover', csrf: 'token', title: 'Set a new password', lede: 'recover.lede', button: 'address.send' },
    ...{ login: 'ada@example.com', error: null, from: 'the-sign-in', backUrl: '/sign-in/1' },
  },
  'sign-in/mail-sent': {
    ...common,
    ...{
      action: '/recover',
      csrf: 'token',
      title: 'Look into your mail',
      login: 'ada@example.com',
      from: 'the-sign-in',
    },
  },
  'sign-in/new-password': {
    ...common,
    ...{ action: '/recover/1', csrf: 'token', title: 'Set a new password', email: 'ada@example.com' },
    ...{ minimumLength: 15, error: null },
  },
  'sign-in/new-account': {
    ...common,
    ...{ action: '/sign-up/1', csrf: 'token', title: 'Create your account', email: 'ada@example.com' },
    ...{ name: 'Ada Lovelace', minimumLength: 15, error: null },
  },
  'sign-in/confirm-email': {
    ...common,
    ...{
      action: '/verify-email/1',
      csrf: 'token',
      title: 'Confirm your e-mail address',
      button: 'confirm_email.submit',
    },
    ...{ email: 'ada@example.com', isAsked: true },
  },
  'sign-in/done': { ...common, title: 'Your password is changed', text: 'recover.done' },
};

export const optionalOfMail: Record<keyof typeof mailPages, string[]> = {
  'sign-in/address': ['error', 'from', 'backUrl'],
  'sign-in/mail-sent': ['from'],
  'sign-in/new-password': ['error'],
  'sign-in/new-account': ['error'],
  'sign-in/confirm-email': [],
  'sign-in/done': [],
};
