/** How a model of the library is stored; Client and ReplayDetection are stored otherwise. */
export interface StorageRule {
  collection: string;
  /** `hashed`: the identifier is a credential and only its keyed hash is stored. */
  id: 'hashed' | 'plain';
  /** The payload holds what could be used or tells who a person is, so it is stored sealed. */
  sealed: boolean;
  /** `grant`: rows belong to a grant, and a second use revokes it. */
  consumedBy?: 'grant' | 'request_uri';
  /** Kept as a tombstone when it ends, so that a write that was under way cannot bring it back. */
  endsForGood?: true;
}

export const storageRules: Readonly<Record<string, StorageRule>> = {
  Session: { collection: 'oidc_sessions', id: 'hashed', sealed: true, endsForGood: true },
  Interaction: { collection: 'oidc_interactions', id: 'hashed', sealed: true, endsForGood: true },
  Grant: { collection: 'oidc_grants', id: 'plain', sealed: false, endsForGood: true },
  AuthorizationCode: { collection: 'oidc_authorization_codes', id: 'hashed', sealed: true, consumedBy: 'grant' },
  AccessToken: { collection: 'oidc_access_tokens', id: 'hashed', sealed: false },
  RefreshToken: { collection: 'oidc_refresh_tokens', id: 'hashed', sealed: true, consumedBy: 'grant' },
  ClientCredentials: { collection: 'oidc_client_credentials', id: 'hashed', sealed: false },
  DeviceCode: { collection: 'oidc_device_codes', id: 'hashed', sealed: true, consumedBy: 'grant' },
  BackchannelAuthenticationRequest: {
    collection: 'oidc_backchannel_requests',
    id: 'hashed',
    sealed: true,
    consumedBy: 'grant',
  },
  PreAuthorizedCode: { collection: 'oidc_pre_authorized_codes', id: 'hashed', sealed: true, consumedBy: 'grant' },
  PushedAuthorizationRequest: {
    collection: 'oidc_pushed_requests',
    id: 'hashed',
    sealed: true,
    consumedBy: 'request_uri',
  },
  InitialAccessToken: { collection: 'oidc_initial_access_tokens', id: 'hashed', sealed: false },
  RegistrationAccessToken: { collection: 'oidc_registration_access_tokens', id: 'hashed', sealed: false },
};
