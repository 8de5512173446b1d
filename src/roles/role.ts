/**
 * A named set of permissions of one tenant. A permission is `thing:action`; built-in roles may hold patterns, in which
 * `*` stands for any word: `*:*`, `*:read`, `platform:*`.
 */
export interface Role {
  key: string;
  name: string;
  permissions: readonly string[];
  builtIn: boolean;
}

/** A role that a tenant made itself; lists its permissions one by one. */
export interface CustomRole extends Role {
  id: string;
  tenantId: string;
  builtIn: false;
  createdAt: Date;
}

/** Roles that every tenant has. `*` never stands for `platform`, so none of them holds a permission of the platform itself. */
export const builtInRoles: readonly Role[] = [
  { key: 'owner', name: 'Owner', permissions: ['*:*'], builtIn: true },
  { key: 'admin', name: 'Admin', permissions: ['*:*'], builtIn: true },
  { key: 'member', name: 'Member', permissions: [], builtIn: true },
  { key: 'viewer', name: 'Viewer', permissions: ['*:read'], builtIn: true },
];

/** What the built-in roles hold beside that in the tenant of the operators. */
const ofOperators: Readonly<Record<string, readonly string[]>> = {
  owner: ['platform:*'],
  admin: ['platform:*'],
  viewer: ['platform:*:read'],
};

/** Everything that these roles allow in a tenant. */
export function permissionsOf(roles: readonly Role[], isOfOperators: boolean): string[] {
  return roles.flatMap(({ key, permissions, builtIn }) => [
    ...permissions,
    ...((isOfOperators && builtIn && ofOperators[key]) || []),
  ]);
}

/** Whether one of the granted permissions or patterns covers this permission. `*` covers everything but `platform:…`. */
export function coversPermission(granted: readonly string[], permission: string): boolean {
  const words = permission.split(':');
  return granted.some((grant) => {
    if (grant === permission) return true;
    const pattern = grant.split(':');
    if (pattern[0] === '*' && words[0] === 'platform') return false;
    if (pattern.length === 2 && pattern[1] === '*') return pattern[0] === '*' || pattern[0] === words[0];
    return pattern.length === words.length && pattern.every((word, index) => word === '*' || word === words[index]);
  });
}
