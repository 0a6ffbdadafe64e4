import { checkConfig } from '../../core/config-validation.ts'
import { type JsonSchema, toAirbyteError } from '../../protocol/index.ts'
import type { ManifestReport } from '../../runtime/declarative/index.ts'
import type { OperationContext } from '../define.ts'
import { allRows } from '../workspace-document.ts'

export interface ConnectorUsage {
  sources: {
    id: string
    name: string
    version: string
    contentHash: string
    /** What its config lacks under the other release. */
    problems: string[]
  }[]
  connections: {
    id: string
    name: string
    /** Streams of it that the other release does not have, or that cannot run. */
    lost: string[]
  }[]
}

/** Who has a connector, and what another release would mean to each. */
export async function usageOf(
  ctx: OperationContext,
  connectorId: string,
  next: { spec: JsonSchema; report: ManifestReport },
): Promise<ConnectorUsage> {
  const [sources, connections] = await Promise.all([
    allRows(ctx, 'source', { connectorId }),
    allRows(ctx, 'connection'),
  ])
  const ids = new Set(sources.map(({ id }) => id))
  const used = connections.filter(({ sourceId }) => sourceId !== undefined && ids.has(sourceId))
  return {
    sources: (await present(sources.map(({ id }) => sourceUsage(ctx, id, next.spec)))).flat(),
    connections: (
      await present(used.map(({ id }) => connectionUsage(ctx, id, next.report)))
    ).flat(),
  }
}

async function sourceUsage(ctx: OperationContext, id: string, spec: JsonSchema) {
  const { name, config, connector } = await ctx.objects.source(id).get()
  const { problems } = checkConfig(spec, config, { ignoreSecrets: true })
  return {
    ...{ id, name, version: connector?.info.version ?? '', contentHash: connector?.hash ?? '' },
    problems: problems.map(({ field, message }) => `${field} ${message}`),
  }
}

async function connectionUsage(ctx: OperationContext, id: string, report: ManifestReport) {
  const { name, streams } = await ctx.objects.connection(id).get()
  const runs = new Set(
    report.streams.filter(({ refused }) => refused === undefined).map((stream) => stream.name),
  )
  // Of streams that only the API knows, nothing can be said.
  const lost = report.dynamicStreams.length > 0 ? [] : streams.filter((s) => !runs.has(s.name))
  return { id, name, lost: lost.map((stream) => stream.name) }
}

/** Without those that were deleted in the meantime. */
const present = <T>(reads: Promise<T>[]): Promise<T[][]> =>
  Promise.all(
    reads.map((read) =>
      read.then(
        (value) => [value],
        (error) => {
          if (toAirbyteError(error).code === 'NOT_FOUND') return []
          throw error
        },
      ),
    ),
  )
