import { AirbyteError, fromRecord, type RecordBatch } from '../protocol/index.ts'
import type { OperationContext } from './define.ts'
import { catalogOf } from './discover.ts'
import { shown } from './query.ts'
import { runConnector } from './run-connector.ts'
import { findStream } from './stream-choices.ts'

/** The first rows of a stream, read straight from the source; nothing is stored. */
export async function previewRecords(
  ctx: OperationContext,
  sourceId: string,
  { stream: name, limit }: { stream: string; limit: number },
) {
  const { catalog } = await catalogOf(ctx, sourceId)
  const stream = findStream(catalog, name, 'stream')
  const records: Record<string, unknown>[] = []
  await runConnector(ctx, 'source', sourceId, async ({ connector, context, config }) => {
    const configured = {
      ...{ stream, syncMode: 'full_refresh' as const, destinationSyncMode: 'append' as const },
      ...{ cursorField: [], primaryKey: stream.source_defined_primary_key ?? [] },
      ...{ generationId: 0, minimumGenerationId: 0, syncId: 0, format: 'records' as const },
    }
    const events = connector.read(context, config, [configured], { streams: new Map() })
    for await (const event of events) {
      if (event.type === 'error') throw fromRecord(event.error)
      if (event.type === 'control') await context.owner?.saveConfig(event.config)
      if (event.type === 'wait') {
        if (records.length > 0) break
        throw new AirbyteError(event.code ?? 'RATE_LIMITED', event.reason, {
          ...{ stream: stream.name, retryAt: event.until },
        })
      }
      if (event.type !== 'batch') continue
      if (event.batch.kind !== 'records')
        throw new AirbyteError('UNSUPPORTED', 'No record preview.')
      records.push(...rowsOf(event.batch, limit - records.length))
      if (records.length >= limit) break
    }
  })
  return { stream: stream.name, namespace: stream.namespace, records, count: records.length }
}

function rowsOf({ schema, columns, length }: RecordBatch, limit: number) {
  return Array.from({ length: Math.min(length, limit) }, (_, row) =>
    Object.fromEntries(
      schema.map(({ name }, column) => [name, shown(columns[column]?.[row] ?? null)] as const),
    ),
  )
}
