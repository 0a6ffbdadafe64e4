import { type Role, SCOPES, type Scope } from '../operations/caller.ts'

export { SCOPES, type Scope }

interface Level {
  title: string
  description: string
  scopes: readonly Scope[]
  role: Role
}

/**
 * Access levels people choose at consent, weakest first. Scopes are matched exactly everywhere,
 * so each level names its whole set.
 */
export const ACCESS_LEVELS = {
  reader: {
    title: 'Reader',
    description: 'See sources, destinations, connections, syncs and logs, but no rows.',
    scopes: ['workspace:read'],
    role: 'viewer',
  },
  operator: {
    title: 'Operator',
    description: 'Also run and cancel syncs, test connections and read sample rows.',
    scopes: ['workspace:read', 'sync:run', 'data:read'],
    role: 'viewer',
  },
  editor: {
    title: 'Editor',
    description: 'Also create and change sources, destinations and connections.',
    scopes: ['workspace:read', 'sync:run', 'data:read', 'workspace:write'],
    role: 'operator',
  },
  owner: {
    title: 'Owner',
    description: 'Everything, including members, deleting things and erasing state.',
    scopes: SCOPES,
    role: 'admin',
  },
} as const satisfies Record<string, Level>

export type AccessLevel = keyof typeof ACCESS_LEVELS

export const ACCESS_LEVEL_NAMES = Object.keys(ACCESS_LEVELS) as AccessLevel[]

export function isAccessLevel(value: unknown): value is AccessLevel {
  return typeof value === 'string' && Object.hasOwn(ACCESS_LEVELS, value)
}

/** What is left of `scopes` for a member with this level: never more than the member has. */
export function within(scopes: readonly string[], level: AccessLevel): Scope[] {
  const held: readonly Scope[] = ACCESS_LEVELS[level].scopes
  return held.filter((scope) => scopes.includes(scope))
}

/** The strongest role whose whole scope set is held; what older clients show as the token's role. */
export function roleOf(scopes: readonly string[]): Role {
  const strongest = ACCESS_LEVEL_NAMES.findLast((level) =>
    ACCESS_LEVELS[level].scopes.every((scope) => scopes.includes(scope)),
  )
  return strongest ? ACCESS_LEVELS[strongest].role : 'viewer'
}
