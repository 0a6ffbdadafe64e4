import { saveText } from '../../src/durable-object/manifest-store.ts'
import { stagingStore } from '../../src/durable-object/platform.ts'
import { tenantAgent } from '../../src/operations/objects.ts'
import type { WorkspaceConnector } from '../../src/operations/tenant.ts'

/** A connector of the workspace's own, put there without an import. */
export async function ownConnector(
  env: Env,
  tenantId: string,
  { name, manifest, shadows = false }: { name: string; manifest: string; shadows?: boolean },
): Promise<WorkspaceConnector> {
  const id = crypto.randomUUID()
  const hash = await saveText(stagingStore(env, tenantId), id, manifest)
  const info = {
    ...{ name, title: name, definitionId: id, version: '1.0.0' },
    evidence: 'docs' as const,
  }
  const at = Date.now()
  return tenantAgent(env, tenantId).addConnector({
    ...{ id, kind: 'source', name, shadows, createdAt: at, updatedAt: at },
    release: {
      ...{ pin: { connectorId: id, hash, info }, license: 'MIT', origin: { from: 'text' } },
      breakingChanges: [],
      ...{ bytes: manifest.length, importedAt: at, importedBy: 'tester' },
    },
  })
}
