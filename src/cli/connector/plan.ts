import type { PlannedStream } from '../../core/sync-engine/types.ts'
import {
  AirbyteError,
  type ConfiguredStream,
  columnsOf,
  isDedup,
  streamKey,
} from '../../protocol/index.ts'
import type { DestinationCapabilities } from '../../runtime/contract.ts'

/** What the tables of a destination belong to when the command line writes them. */
const CONNECTION = 'cli'

/**
 * A configured stream as the destination gets it.
 *
 * @throws VALIDATION_FAILED, MODE_UNSUPPORTED, PRIMARY_KEY_MISSING
 */
export function planToWrite(
  configured: ConfiguredStream,
  capabilities: DestinationCapabilities,
  now: number,
): PlannedStream {
  const { stream, destinationSyncMode: mode, primaryKey, cursorField } = configured
  const { name, namespace } = stream
  const key = streamKey(stream)
  const columns = columnsOf(stream.json_schema)
  if (columns.length === 0) {
    throw new AirbyteError('VALIDATION_FAILED', `${key}: the json_schema has no properties.`)
  }
  if (!capabilities.modes.includes(mode)) {
    throw new AirbyteError('MODE_UNSUPPORTED', `${key}: the destination has no ${mode}.`)
  }
  if (isDedup(mode) && primaryKey.length === 0) {
    throw new AirbyteError('PRIMARY_KEY_MISSING', `${key} has no primary key to deduplicate by.`, {
      stream: key,
    })
  }
  const takesCopyText = capabilities.formats.includes('pg-copy-text')
  return {
    ...{ key, configured, transfer: 'direct', passThrough: false },
    ...{ stateBefore: null, generationRows: 0 },
    plan: {
      connectionId: CONNECTION,
      syncId: configured.syncId,
      stream: { name, ...(namespace !== undefined && { namespace }) },
      target: {
        ...(capabilities.namespaces && namespace !== undefined && { namespace }),
        table: name,
      },
      ...{ columns, mode, primaryKey, cursorField },
      ...generationOf(configured, now),
      normalization: 'basic',
      format: takesCopyText ? 'pg-copy-text' : 'records',
    },
  }
}

/** A catalog that knows no generations means a new one with each overwrite. */
function generationOf(
  { generationId, minimumGenerationId, destinationSyncMode }: ConfiguredStream,
  now: number,
) {
  const isOverwrite = destinationSyncMode.startsWith('overwrite')
  if (!isOverwrite || generationId > 0) return { generationId, minimumGenerationId }
  return { generationId: now, minimumGenerationId: now }
}
