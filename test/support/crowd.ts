export interface Credentials {
  email: string;
  password: string;
}

/** So many that a load of sign-ins stays below what one account may try at the same time. */
export const crowd = Array.from({ length: 100 }, (_, index) => ({
  email: `person-${index}@example.com`,
  emailVerified: true,
  password: 'one password for all of them',
  memberships: [{ tenant: 'acme', roles: ['member'] }],
}));
