import { all, by, ofUser, type Commands } from './command.js';

export const users: Commands = {
  list: { takes: [], run: (admin) => all(admin.listUsers, ({ id }) => id) },
  create: { takes: ['EMAIL'], run: (admin, [email], input) => admin.createUser(by, { ...input, email } as never) },
  show: { takes: ['EMAIL'], run: (admin, [email = '']) => admin.getUserByEmail(email) },
  disable: ofUser((admin, id) => admin.changeUserStatus(by, id, 'disabled')),
  enable: ofUser((admin, id) => admin.changeUserStatus(by, id, 'active')),
  'require-password-reset': ofUser((admin, id) => admin.requirePasswordReset(by, id)),
  'set-password': ofUser((admin, id, input) => admin.setUserPassword(by, id, input as never)),
  'end-sessions': ofUser((admin, id) => admin.endUserSessions(by, id)),
  delete: ofUser((admin, id) => admin.deleteUser(by, id)),
};
