import { hashOf, readManifest } from '../../durable-object/manifest-store.ts'
import { AirbyteError, toAirbyteError } from '../../protocol/index.ts'
import {
  changesBetween,
  compareVersions,
  inspectManifest,
  type ManifestReport,
} from '../../runtime/declarative/index.ts'
import { setupLink } from '../actors.ts'
import type { OperationContext } from '../define.ts'
import type { WorkspaceConnector } from '../tenant.ts'
import { type Candidate, type ReleaseInput, readCandidate } from './candidate.ts'
import { specDifference, streamsDifference } from './diff.ts'
import { acceptableLicense, storeRelease } from './import.ts'
import { type ConnectorUsage, usageOf } from './usage.ts'
import { releaseView, streamsView } from './view.ts'

export interface UpgradeInput extends Omit<ReleaseInput, 'name'> {
  acceptLicense?: string
  /** Hash of the plan that was shown. Absent: the plan is shown. */
  plan?: string
}

interface Plan {
  connector: WorkspaceConnector
  candidate: Candidate
  usage: ConnectorUsage
  keepSecrets: boolean
  hash: string
}

/**
 * Shows what another release of a connector would change; given the hash of what it showed, does it.
 * Running syncs end with the release that they began with.
 *
 * @throws CONFLICT when the plan is no longer what would be done, and what an import throws
 */
export async function upgradeConnector(
  ctx: OperationContext,
  connectorId: string,
  { plan: agreed, acceptLicense, ...input }: UpgradeInput,
) {
  const connector = await ctx.tenant.connector(connectorId)
  const { name, release } = connector
  const candidate = await readCandidate(ctx, { ...targetOf(connector, input), name })
  acceptableLicense(ctx, name, candidate, agreed ? acceptLicense : candidate.license)
  const { report } = candidate
  const usage = await usageOf(ctx, connectorId, { spec: report.spec, report })
  const keepSecrets = keepsSecrets(ctx, connector, candidate)
  const facts = { connector, candidate, usage, keepSecrets }
  const plan = { ...facts, hash: await planHash(facts) }
  const shown = { ...(await planView(ctx, plan)), plan: plan.hash }
  if (agreed === undefined) return { ...shown, applied: false }
  if (agreed !== plan.hash) {
    const message = `What upgrading '${name}' would do is no longer what was shown.`
    throw new AirbyteError('CONFLICT', message, {
      field: 'plan',
      hint: 'Call again without plan, read what it says now, and pass its plan.',
    })
  }
  const sources = await apply(ctx, plan)
  return { ...shown, applied: true, from: releaseView(release), sources }
}

/** Without `from`, the place that the present release came from. */
function targetOf({ name, release }: WorkspaceConnector, input: ReleaseInput): ReleaseInput {
  if (input.from !== undefined || input.manifest !== undefined) return input
  const { origin } = release
  if (origin.from === 'text') {
    const message = `'${name}' was imported as a text: there is no place to look for another release.`
    throw new AirbyteError('VALIDATION_FAILED', message, {
      field: 'from',
      hint: 'Give the new manifest, or say in from where it is.',
    })
  }
  return { ...input, from: origin.location }
}

/**
 * A manifest says where credentials are sent. Another release of the same registry entry is trusted
 * with them; any other only by an admin, and never through a model.
 */
function keepsSecrets(
  { face, caller }: OperationContext,
  { release }: WorkspaceConnector,
  { origin, hash }: Candidate,
): boolean {
  if (hash === release.pin.hash) return true
  const isSameEntry =
    origin.from === 'registry' &&
    release.origin.from === 'registry' &&
    origin.location === release.origin.location
  return isSameEntry || (face !== 'mcp' && caller.role === 'admin')
}

/** All that the plan rests on: if any of it changes, it is another plan. */
function planHash({ connector, candidate, usage, keepSecrets }: Omit<Plan, 'hash'>) {
  const { pin } = connector.release
  const facts = [
    [connector.id, pin.hash, pin.info.version],
    [candidate.hash, candidate.version, candidate.license],
    usage.sources.map(({ id, contentHash, version }) => [id, contentHash, version]),
    usage.connections.map(({ id }) => id),
    keepSecrets,
  ]
  return hashOf(JSON.stringify(facts))
}

async function planView(ctx: OperationContext, plan: Plan) {
  const { connector, candidate, usage, keepSecrets } = plan
  const { pin, license, breakingChanges } = connector.release
  const from = pin.info.version
  const before = await reportOf(ctx, connector)
  const known = compareVersions(from, candidate.version) <= 0 ? candidate : { breakingChanges }
  return {
    connector: { id: connector.id, name: connector.name },
    from: { version: from, license, contentHash: pin.hash },
    to: {
      ...{ version: candidate.version, license: candidate.license, contentHash: candidate.hash },
      origin: candidate.origin,
    },
    direction: directionOf(plan),
    spec: before && specDifference(before.spec, candidate.report.spec),
    configMigrations: candidate.report.configMigrations,
    streams: {
      ...(before && streamsDifference(before, candidate.report)),
      runs: streamsView(candidate.report).runs.length,
    },
    breakingChanges: changesBetween(known.breakingChanges, from, candidate.version),
    usedBy: usage,
    credentials: keepSecrets ? ('kept' as const) : ('entered again' as const),
  }
}

function directionOf({ connector, candidate }: Plan): 'upgrade' | 'downgrade' | 'change' | 'none' {
  const order = compareVersions(connector.release.pin.info.version, candidate.version)
  if (order === 0) return candidate.hash === connector.release.pin.hash ? 'none' : 'change'
  return order < 0 ? 'upgrade' : 'downgrade'
}

/** Undefined where the present manifest is damaged: then there is nothing to compare with. */
async function reportOf(
  ctx: OperationContext,
  { release }: WorkspaceConnector,
): Promise<ManifestReport | undefined> {
  try {
    return await inspectManifest(await readManifest(ctx.staging, release.pin), release.pin.ranWith)
  } catch (error) {
    if (toAirbyteError(error).code === 'CONNECTOR_DAMAGED') return undefined
    throw error
  }
}

/** The release first, then source by source. What a crash leaves on the old one, the next plan shows. */
async function apply(ctx: OperationContext, { connector, candidate, usage, keepSecrets }: Plan) {
  const release = await storeRelease(ctx, connector, candidate)
  const { hash, info } = connector.release.pin
  const isSame = hash === release.pin.hash && info.version === release.pin.info.version
  if (!isSame) await ctx.tenant.setRelease(connector.id, hash, release)
  const adopted = { pin: release.pin, spec: candidate.report.spec }
  const sources: { name: string; status: string; setupUrl?: string }[] = []
  for (const { id } of usage.sources) {
    const record = await ctx.objects.source(id).adopt(adopted, keepSecrets)
    const { name, status } = record
    await ctx.tenant.touch(id, { status })
    const link = await setupLink(ctx, 'source', record)
    sources.push({ name, status, ...(link && { setupUrl: link.setupUrl }) })
  }
  return sources
}
