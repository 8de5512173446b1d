/** Written forms of names that several slices take from outside. */

/** Slug of a tenant: lower-case letters, digits and hyphens; part of URLs and requests. */
export const slugPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Id of a tenant. */
export const tenantIdPattern = /^ten_[0-9a-f]{32}$/;

/** Id of an upstream provider. */
export const connectionIdPattern = /^con_[0-9a-f]{32}$/;

export const roleKeyPattern = /^[a-z][a-z0-9_-]{0,39}$/;

/** A permission as a resource defines it: `thing:action`. */
export const permissionPattern = /^[a-z0-9][a-z0-9-]*(?::[a-z0-9][a-z0-9-]*)+$/;

/** An OAuth client id: unreserved characters of URLs (RFC 3986 §2.3), so that it needs no escaping anywhere. */
export const clientIdPattern = /^[\w.~-]{1,100}$/;

/** The token in the link of an invitation: 256 bits as base64url. */
export const invitationTokenPattern = /^[\w-]{43}$/;

/** The token in any other link of a mail, of the same kind. */
export const linkTokenPattern = invitationTokenPattern;

/** Name of an authorization request that waits for a person, as it stands in addresses of the sign-in pages. */
export const interactionUidPattern = /^[\w-]{10,64}$/;

/** What people read as a name holds no control characters, and none that turn or hide what follows, … */
export const nameCharacters = /^[^\p{Cc}\p{Bidi_Control}]*$/u;
/** … and something that can be seen. */
export const somethingVisible = /[^\s\p{Default_Ignorable_Code_Point}]/u;
