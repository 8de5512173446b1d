import type { Connection } from '../connections/index.js';
import type { HomeRealm } from '../domains/index.js';
import { parseEmail } from '../kernel/email.js';
import type { Message } from '../kernel/message.js';
import type { Interaction } from '../oidc/index.js';
import type { SignInDeps } from './sign-in-deps.js';

/** Where somebody is led who says this address. It is told by the domain alone: nothing about the person is looked at. */
export interface Lead {
  realm: HomeRealm;
  /** Null: people are to sign in there alone, and nobody can at the moment. */
  connection: Connection | null;
}

type Deps = Pick<SignInDeps, 'connections' | 'homeRealms'>;

/** Null: the address is of no domain that leads anywhere from this app. */
export async function leadOf(deps: Deps, { client }: Interaction, login: string): Promise<Lead | null> {
  const email = parseEmail(login);
  const realm = email === null ? null : await deps.homeRealms.findHomeRealm(email);
  if (realm === null) return null;
  const { tenantId, connectionId, isEnforced } = realm;
  const connection = connectionId && (await deps.connections.findUsable({ tenantId, connectionId }, client.clientId));
  return connection || isEnforced ? { realm, connection: connection || null } : null;
}

export function homeRealmPath({ uid }: Interaction): string {
  return `/sign-in/${uid}/organisation`;
}

/** What people are told whose domain has one way in alone. */
export function enforcedText({ domain }: Pick<HomeRealm, 'domain'>): Message {
  return { key: 'login.enforced', values: { domain } };
}
