/** Who does something. Every change names its actor, also the ones the server makes by itself. */
export type Actor =
  | { kind: 'user'; userId: string }
  | { kind: 'service_account'; clientId: string }
  | { kind: 'system'; reason: 'first_start' | 'seed' | 'protocol' };
