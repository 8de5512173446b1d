/** Names that no tenant may take: they stand for the service itself, for its pages, or for somebody in charge. */
export const reservedSlugs: ReadonlySet<string> = new Set(
  `about abuse account accounts admin administrator api app apps assets auth billing blog callback cdn config connect
  connections console dashboard dev device docs download email error errors events example favicon feedback file files
  gatehouse health help home hostmaster id identity info internal invitation invitations invite issuer jwks legal local
  localhost login logout mail me member members metrics mobile my new news noreply null oauth oauth2 oidc operator
  operators owner owners password personal platform policy portal postmaster pricing privacy public register root
  security self service session sessions settings sign-in sign-out sign-up signin signout signup sso static status
  support system team teams tenant tenants terms test token undefined user userinfo users webhook webhooks webmaster
  well-known www`.split(/\s+/),
);
