/** What a token may do. Matched exactly: no scope implies another. */
export const SCOPES = [
  'workspace:read',
  'workspace:write',
  'sync:run',
  'data:read',
  'workspace:delete',
  'workspace:admin',
] as const
export type Scope = (typeof SCOPES)[number]

/** Access level that a person chose at consent, or that an API key was made with. */
export type Role = 'viewer' | 'operator' | 'admin'

/** Who calls. `subject` is stable and goes into the audit log. */
export interface Caller {
  subject: string
  kind: 'oauth' | 'api_key' | 'local'
  scopes: readonly Scope[]
  clientId?: string
  role: Role
}

/** What authentication hands to a face: the workspace is a property of the token, never an argument. */
export interface AuthenticatedCaller {
  tenantId: string
  caller: Caller
}
