/** Runs one database source's log, or its snapshot, into nothing: what reading alone costs in workerd. */
import { connect } from 'cloudflare:sockets'
import mysql from '../../connectors/sources/mysql/index.ts'
import postgres from '../../connectors/sources/postgres/index.ts'
import { SegmentWriter } from '../../src/cdc/segment.ts'
import { createEgress } from '../../src/egress/index.ts'
import { platformResolver } from '../../src/egress/resolvers.ts'
import { workerdEgressHost } from '../../src/egress/workerd-host.ts'
import { columnsOf, type JsonObject, rowsOf } from '../../src/protocol/index.ts'
import type { ConnectorContext, Source } from '../../src/runtime/contract.ts'
import type { LogPlace, LogStream, SourceLog } from '../../src/runtime/source-log.ts'

export interface Job {
  type: 'postgres' | 'mysql'
  config: JsonObject
  /** The table, by its name in the catalog. */
  table: string
  /**
   * `prepare` sets the log up and answers with its place; `decode` reads changes from there, `stage`
   * makes segments of them too; `snapshot` reads the table.
   */
  action: 'prepare' | 'decode' | 'stage' | 'snapshot'
  place?: LogPlace
  /** Reading ends once so many changes have come. */
  changes?: number
}

type Answer = { place: LogPlace } | { rows: number }

const SOURCES: Record<Job['type'], Source> = { mysql, postgres }

// biome-ignore lint/style/noDefaultExport: a Worker's entry
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') return new Response('ok')
    const job = (await request.json()) as Job
    return Response.json(await run(context(request.signal), SOURCES[job.type], job))
  },
}

function context(signal: AbortSignal): ConnectorContext {
  const host = workerdEgressHost({ connect, resolver: platformResolver })
  return {
    ...createEgress(host, { allowPrivate: true }, signal),
    ...{ signal, log: () => {}, now: () => Date.now() },
    budget: { deadline: Infinity, exhausted: () => false },
  }
}

async function run(ctx: ConnectorContext, source: Source, job: Job): Promise<Answer> {
  if (job.action === 'snapshot') return snapshot(ctx, source, job)
  const log = source.log as SourceLog
  const streams = [await streamOf(ctx, source, job)]
  if (job.action === 'prepare') {
    const options = { name: 'airbyte_bench', kept: null, mayBeginAnew: true }
    return { place: (await log.prepare(ctx, job.config, streams, options)).place }
  }
  const feed = await log.open(ctx, job.config, job.place as LogPlace, streams)
  const writer = new SegmentWriter()
  let rows = 0
  for await (const event of feed) {
    if (event.type === 'batch') {
      rows += rowsOf(event.batch)
      if (job.action === 'stage') writer.add(event.batch)
    } else if (!writer.isEmpty) {
      await writer.take()
    }
    if (rows >= Number(job.changes)) break
  }
  await feed.close()
  return { rows }
}

async function catalogOf(ctx: ConnectorContext, source: Source, { config, table }: Job) {
  const { streams } = await source.discover(ctx, config)
  const found = streams.find(({ name }) => name === table)
  if (found) return found
  throw new Error(`There is no table ${table}.`)
}

async function streamOf(ctx: ConnectorContext, source: Source, job: Job): Promise<LogStream> {
  const { name, namespace, json_schema } = await catalogOf(ctx, source, job)
  const columns = columnsOf(json_schema).filter((column) => !column.name.startsWith('_ab_cdc_'))
  return { stream: { name, namespace }, primaryKey: ['id'], columns }
}

async function snapshot(ctx: ConnectorContext, source: Source, job: Job): Promise<Answer> {
  const stream = await catalogOf(ctx, source, job)
  const format = source.capabilities.formats[0] ?? 'records'
  const configured = {
    ...({ stream, format, syncMode: 'full_refresh', destinationSyncMode: 'overwrite' } as const),
    ...{
      cursorField: [],
      primaryKey: [['id']],
      generationId: 1,
      minimumGenerationId: 1,
      syncId: 1,
    },
  }
  const state = { streams: new Map() }
  const bounds = await source.freeze?.(ctx, job.config, [configured], state)
  const upperBound = [...(bounds ?? new Map()).values()][0]
  let rows = 0
  for await (const event of source.read(ctx, job.config, [{ ...configured, upperBound }], state)) {
    if (event.type === 'batch') rows += rowsOf(event.batch)
  }
  return { rows }
}
