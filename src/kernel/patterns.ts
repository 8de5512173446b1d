/** Written forms of names that several slices take from outside. */

/** Slug of a tenant: lower-case letters, digits and hyphens; part of URLs and requests. */
export const slugPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Id of a tenant. */
export const tenantIdPattern = /^ten_[0-9a-f]{32}$/;

export const roleKeyPattern = /^[a-z][a-z0-9_-]{0,39}$/;

/** A permission as a resource defines it: `thing:action`. */
export const permissionPattern = /^[a-z0-9][a-z0-9-]*(?::[a-z0-9][a-z0-9-]*)+$/;

/** An OAuth client id: unreserved characters of URLs (RFC 3986 §2.3), so that it needs no escaping anywhere. */
export const clientIdPattern = /^[\w.~-]{1,100}$/;
