import {
  childTables,
  flatPath,
  mappedColumns,
  mappedPath,
  tableColumns,
} from '../core/normalization/index.ts'
import { parseStreamKey, streamKey } from '../protocol/index.ts'
import type { DestinationCapabilities, Loader, StreamPlan } from '../runtime/contract.ts'
import type { StreamRow } from './connection-store.ts'
import { budgetOf, connectorContext, destinationRegistry, destinationStub } from './platform.ts'
import type { ConnectionRecord } from './rpc.ts'

interface Opened {
  row: StreamRow
  plan: StreamPlan
  loader: Loader
  capabilities: DestinationCapabilities
}

/** The loader of each stream, outside of any sync and one after the other; each is closed by itself. */
export async function* loadersOf(
  env: Env,
  connection: ConnectionRecord,
  rows: StreamRow[],
  limitMs: number,
): AsyncGenerator<Opened> {
  const { tenantId, destinationId } = connection
  const { type, config } = await destinationStub(env, tenantId, destinationId).open()
  const destination = destinationRegistry.get(type)
  const { capabilities } = destination
  const ctx = connectorContext(env, tenantId, {
    signal: AbortSignal.timeout(limitMs),
    log: () => {},
    budget: budgetOf(limitMs),
  })
  for (const row of rows) {
    const plan = planOf(connection, row, capabilities)
    const loader = await destination.open(ctx, config, plan)
    try {
      yield { row, plan, loader, capabilities }
    } finally {
      await loader.close()
    }
  }
}

function planOf(
  connection: ConnectionRecord,
  row: StreamRow,
  capabilities: DestinationCapabilities,
): StreamPlan {
  const stream = parseStreamKey(row.key)
  const config = connection.streams.find((s) => streamKey(s) === row.key)
  const mapping = config?.mapping ?? {}
  const namespace = connection.namespace ?? stream.namespace
  const columns = mappedColumns(row.columns, mapping)
  const pathOf = (path: string[]) => flatPath(mappedPath(path, mapping), columns)
  const children = childTables(columns, connection.prefix ?? '')
  const normalization = config?.normalization ?? connection.normalization
  return {
    connectionId: connection.id,
    syncId: connection.lastSync?.syncId ?? 0,
    stream,
    target: {
      ...(capabilities.namespaces && namespace ? { namespace } : {}),
      table: `${connection.prefix ?? ''}${stream.name}`,
    },
    columns: tableColumns(columns),
    ...(children.length > 0 && { children }),
    mode: config?.destinationSyncMode ?? 'append',
    primaryKey: (config?.primaryKey ?? []).map(pathOf),
    cursorField: pathOf(config?.cursorField ?? []),
    generationId: row.generation,
    minimumGenerationId: 0,
    normalization: normalization === 'raw' ? 'raw' : 'basic',
    format: capabilities.formats.includes('pg-copy-text') ? 'pg-copy-text' : 'records',
  }
}
