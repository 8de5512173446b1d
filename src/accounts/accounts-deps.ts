import type { ActionLinksModule } from '../action-links/index.js';
import type { AdministrationModule } from '../administration/index.js';
import type { Connection, ConnectionsModule, UpstreamPerson } from '../connections/index.js';
import type { CredentialsModule, FactorsModule } from '../credentials/index.js';
import type { HomeRealms } from '../domains/index.js';
import type { EventDraft, RecordEvent } from '../events/index.js';
import type { IdentitiesModule } from '../identities/index.js';
import type { Actor } from '../kernel/actor.js';
import type { Clock } from '../kernel/time.js';
import type { Outbox } from '../platform/mail/outbox.js';
import type { InTransaction, Tx } from '../platform/mongo/transactions.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { TenantsModule } from '../tenants/index.js';
import type { UsersModule } from '../users/index.js';

/** Who may make an account by themselves: anybody, who comes from an app that offers it, or nobody. */
export type SignUp = 'open' | 'apps' | 'closed';

export interface AccountsDeps {
  now: Clock;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  users: Pick<
    UsersModule,
    'findUserById' | 'findUserByEmail' | 'createUser' | 'updateUser' | 'holdUser' | 'setUserDeletion'
  >;
  credentials: Pick<
    CredentialsModule,
    'passwordRulesFor' | 'hashPassword' | 'setPasswordHash' | 'forgetCredentials' | 'dropCredentials' | 'hasPassword'
  >;
  factors: Pick<FactorsModule, 'forgetFactorsSince' | 'forgetEmailCode'>;
  identities: Pick<
    IdentitiesModule,
    'findIdentity' | 'listIdentitiesOf' | 'linkIdentity' | 'unlinkIdentity' | 'noteIdentityUse'
  >;
  /** Whether the word of its provider about an address is believed. */
  vouchesFor(connection: Connection, person: Pick<UpstreamPerson, 'email' | 'isEmailVerified'>): boolean;
  /** The same of the provider of a verified domain; null: it is not believed. */
  findDomainVouching: AdministrationModule['findDomainVouching'];
  joinByDomainIn: AdministrationModule['joinByDomainIn'];
  /** Roles that the provider gives somebody. */
  mappedRoles(connection: Connection, person: UpstreamPerson): string[];
  connections: Pick<ConnectionsModule, 'findConnection' | 'findUsable' | 'findLinkable' | 'isOfPlatform'>;
  /** Whether a person may sign in by this connection, or (null) without any; `id` of nobody for who has no account. */
  maySignInWith: HomeRealms['maySignInWith'];
  listMembershipsOfUser: MembershipsModule['listMembershipsOfUser'];
  findMembership: MembershipsModule['findMembership'];
  setMembershipRoles: MembershipsModule['setMembershipRoles'];
  findTenantBySlug: TenantsModule['findTenantBySlug'];
  platformSlug: string;
  links: ActionLinksModule;
  queueMail: Outbox['queueMail'];
  /** Sessions and grants of the user but those of one session. */
  endOthersOf(
    tx: Tx,
    actor: Actor,
    kept: { userId: string; sessionUid: string },
    reason: 'session_ended',
  ): Promise<void>;
  createPersonalTenant: AdministrationModule['createPersonalTenant'];
  signUp: SignUp;
  /** Whether people may make an account on the way into this client. */
  offersSignUp(clientId: string): Promise<boolean>;
  freshProofSeconds: number;
  /** How long before a change of address factors and linked accounts were added that go when it is undone. */
  undoneFactorsSeconds: number;
}

/** Whether somebody may have a password here. Asked of an address before anybody has it. */
export function mayHavePassword(
  { maySignInWith }: Pick<AccountsDeps, 'maySignInWith'>,
  email: string,
): Promise<boolean> {
  return maySignInWith({ id: '', email }, null);
}

/** A fact about a person, of their own doing; `unknown` stands for an address that nobody has. */
export function byPerson(type: EventDraft['type'], userId: string | null): EventDraft {
  const subjectId = userId ?? 'unknown';
  if (userId === null) return { type, tenantId: null, actor: { kind: 'system', reason: 'protocol' }, subjectId };
  return { type, tenantId: null, actor: { kind: 'user', userId }, subjectId };
}
