/** Who does something. Every change names its actor, also the ones the server makes by itself. */
export type Actor =
  | { kind: 'user'; userId: string }
  | { kind: 'service_account'; clientId: string }
  | { kind: 'system'; reason: 'first_start' | 'seed' | 'protocol' | 'command' | 'maintenance' };

/** In whose name a tenant is changed, and what that one holds in it: nobody gives what they lack. */
export interface Authority {
  actor: Actor;
  /** Id of the member without whom what is made here may do nothing; null: nobody in the tenant answers for it. */
  answersFor: string | null;
  /** Keys of the roles held. */
  roles: readonly string[];
  allows(permission: string): boolean;
}

/** Of the server itself and of whoever runs its commands: everything. */
export function systemAuthority(reason: Extract<Actor, { kind: 'system' }>['reason']): Authority {
  return { actor: { kind: 'system', reason }, answersFor: null, roles: ['owner'], allows: () => true };
}
