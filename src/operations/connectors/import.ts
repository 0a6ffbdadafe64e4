import { v7 as uuidv7 } from 'uuid'
import { connectorPrefix, saveText } from '../../durable-object/manifest-store.ts'
import type { ConnectorInfo } from '../../runtime/contract.ts'
import { deletePrefix } from '../../staging/delete-prefix.ts'
import type { OperationContext } from '../define.ts'
import type { ConnectorRelease, WorkspaceConnector } from '../tenant.ts'
import { type Candidate, type ReleaseInput, readCandidate } from './candidate.ts'
import { checkLicense } from './license.ts'
import { freeName } from './names.ts'
import { importSettings } from './settings.ts'

export interface ImportInput extends ReleaseInput {
  /** May take the place of a built-in connector of its name or definition. */
  shadow: boolean
  acceptLicense?: string
}

/**
 * Makes a connector of the workspace's own from a manifest. Everything is checked before anything is
 * stored; a name that was taken meanwhile leaves nothing behind.
 *
 * @throws VALIDATION_FAILED, UNSUPPORTED, LICENSE_REFUSED, CONFIRMATION_REQUIRED, NAME_TAKEN, and what
 * fetching throws
 */
export async function importConnector(
  ctx: OperationContext,
  { shadow, acceptLicense, ...input }: ImportInput,
): Promise<{ connector: WorkspaceConnector; candidate: Candidate }> {
  const candidate = await readCandidate(ctx, input)
  const name = await freeName(ctx, input.name ?? candidate.info?.name, shadow)
  acceptableLicense(ctx, name, candidate, acceptLicense)
  const id = uuidv7()
  const at = Date.now()
  try {
    const release = await storeRelease(ctx, { id, name }, candidate)
    const named = { id, kind: 'source' as const, name, shadows: shadow }
    const connector = await ctx.tenant.addConnector({
      ...{ ...named, release, createdAt: at, updatedAt: at },
    })
    return { connector, candidate }
  } catch (error) {
    await deletePrefix(ctx.staging, connectorPrefix(id))
    throw error
  }
}

export const acceptableLicense = (
  { env }: OperationContext,
  name: string,
  { license, version }: Candidate,
  accepted: string | undefined,
): void =>
  checkLicense({
    ...{ license, connector: `${name} ${version}`, accepted },
    allowed: importSettings(env).allowedLicenses,
  })

/**
 * Removes a connector with all its releases.
 * @throws IN_USE naming the sources that have it
 */
export async function removeConnector(ctx: OperationContext, id: string): Promise<void> {
  await ctx.tenant.removeConnector(id)
  await deletePrefix(ctx.staging, connectorPrefix(id))
}

/** Puts the texts where syncs find them. What was stored before under the same hash is the same. */
export async function storeRelease(
  ctx: OperationContext,
  { id, name }: { id: string; name: string },
  { files, origin, license, breakingChanges, version, info, ranWith }: Candidate,
): Promise<ConnectorRelease> {
  const hash = await saveText(ctx.staging, id, files.manifest)
  const components = files.components && (await saveText(ctx.staging, id, files.components))
  return {
    pin: { connectorId: id, hash, ranWith, info: infoOf(info, { id, name, version }) },
    ...{ license, origin, breakingChanges, bytes: files.manifest.length },
    ...(components && { components }),
    ...{ importedAt: Date.now(), importedBy: ctx.caller.subject },
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Texts of others, no longer than a catalog can show. */
function infoOf(
  info: ConnectorInfo | undefined,
  { id, name, version }: { id: string; name: string; version: string },
): ConnectorInfo {
  const { title = name, definitionId = id, documentationUrl } = info ?? {}
  return {
    ...{ name, title: title.slice(0, 200), version: version.slice(0, 60), evidence: 'none' },
    definitionId: UUID.test(definitionId) ? definitionId : id,
    ...(documentationUrl?.startsWith('https://') && {
      documentationUrl: documentationUrl.slice(0, 500),
    }),
  }
}
