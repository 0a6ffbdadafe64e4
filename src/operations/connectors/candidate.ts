/** A release that is about to be imported: what it is, under which licence, and what of it runs. */
import { hashOf } from '../../durable-object/manifest-store.ts'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorInfo } from '../../runtime/contract.ts'
import {
  type BreakingChange,
  inspectManifest,
  type ManifestReport,
  readForeignMetadata,
} from '../../runtime/declarative/index.ts'
import type { OperationContext } from '../define.ts'
import type { ConnectorOrigin } from '../tenant.ts'
import { type ConnectorFiles, fetchFiles } from './files.ts'
import { licenseName } from './license.ts'
import { parseOrigin } from './origin.ts'

/** Where to take a release from, as callers give it; one of `from` and `manifest`. */
export interface ReleaseInput {
  /** Type name; default that of the metadata. */
  name?: string
  from?: string
  manifest?: string
  metadata?: string
  components?: string
  version?: string
  /** What the caller says of a manifest that comes without metadata. */
  license?: string
}

export interface Candidate {
  files: ConnectorFiles
  origin: ConnectorOrigin
  /** SHA-256 of the manifest. */
  hash: string
  /** Of its metadata, where there is one. */
  info?: ConnectorInfo
  ranWith?: string
  version: string
  license: string
  breakingChanges: BreakingChange[]
  report: ManifestReport
}

/**
 * Fetches or takes the files, and loads them. Nothing is stored.
 *
 * @throws VALIDATION_FAILED, UNSUPPORTED if none of its streams can run, and what fetching throws
 */
export async function readCandidate(
  ctx: OperationContext,
  input: ReleaseInput,
): Promise<Candidate> {
  const { files, origin } = await filesOf(ctx, input)
  const hash = await hashOf(files.manifest)
  const metadata =
    files.metadata === undefined ? undefined : readForeignMetadata(files.metadata, input.name)
  const report = await inspectManifest(files.manifest, metadata?.ranWith)
  const license = licenseName(metadata?.license ?? input.license ?? 'unknown')
  const version = metadata?.info.version ?? input.version ?? hash.slice(0, 12)
  if (metadata) {
    refuseOther('license', license, input.license && licenseName(input.license))
    if (input.version !== 'latest') refuseOther('version', version, input.version)
  }
  refuseIfNothingRuns(report)
  return {
    ...{ files, origin, hash, report, license, version },
    ...(metadata && { info: metadata.info, ranWith: metadata.ranWith }),
    breakingChanges: metadata?.breakingChanges ?? [],
  }
}

async function filesOf(
  ctx: OperationContext,
  { from, manifest, metadata, components, version }: ReleaseInput,
): Promise<{ files: ConnectorFiles; origin: ConnectorOrigin }> {
  if ((from === undefined) === (manifest === undefined)) {
    const message = 'Give either from or manifest.'
    throw new AirbyteError('VALIDATION_FAILED', message, { field: 'from' })
  }
  if (manifest !== undefined) {
    return { files: { manifest, metadata, components }, origin: { from: 'text' } }
  }
  const { origin, version: named } = parseOrigin(from as string)
  if (named !== undefined && version !== undefined && named !== version) {
    const message = `from names version ${named}, version is ${version}.`
    throw new AirbyteError('VALIDATION_FAILED', message, { field: 'version' })
  }
  const files = await fetchFiles(ctx, origin, { url: from, version: named ?? version })
  return { files: { ...files, metadata: files.metadata ?? metadata }, origin }
}

/** Metadata has the last word: nobody can talk a connector out of its licence. */
function refuseOther(field: 'license' | 'version', known: string, stated: string | undefined) {
  if (stated === undefined || stated === known) return
  const message = `Its metadata says ${field} '${known}', not '${stated}'.`
  throw new AirbyteError('VALIDATION_FAILED', message, {
    field,
    hint: `Leave ${field} out: it is for manifests without metadata.`,
  })
}

function refuseIfNothingRuns({ streams, dynamicStreams }: ManifestReport): void {
  const reason = streams[0]?.refused?.slice(0, 300) ?? 'It has no streams.'
  if (dynamicStreams.length > 0 || streams.some(({ refused }) => refused === undefined)) return
  throw new AirbyteError('UNSUPPORTED', `None of its streams can run here: ${reason}`, {
    hint: 'A connector that lives of its own Python classes cannot be imported.',
  })
}
