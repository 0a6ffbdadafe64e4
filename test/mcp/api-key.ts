import { env } from 'cloudflare:workers'
import { workspaceObject } from '../../src/identity/objects.ts'
import { SCOPES, type Scope } from '../../src/operations/caller.ts'

export async function apiKey(
  tenantId: string,
  scopes: readonly Scope[] = SCOPES,
  createdBy = 'tester',
): Promise<string> {
  const wanted = { name: 'test', scopes, createdBy }
  return (await workspaceObject(env, tenantId).createKey(tenantId, wanted)).token
}
