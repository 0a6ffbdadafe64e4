import { knownTables, tablesOfArrays } from '../../core/sync-engine/connection-tables.ts'
import { planStream } from '../../core/sync-engine/plan-stream.ts'
import type { PlannedStream } from '../../core/sync-engine/types.ts'
import type {
  ActorRecord,
  ConnectionConfig,
  StreamConfig,
  StreamPast,
} from '../../durable-object/rpc.ts'
import {
  type AirbyteCatalog,
  type AirbyteError,
  type AirbyteStream,
  type DestinationSyncMode,
  type ErrorCode,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../../protocol/index.ts'
import type { ChildTable, Rehearsal } from '../../runtime/contract.ts'
import { connectorOf } from '../actors.ts'
import type { OperationContext } from '../define.ts'
import { runConnector } from '../run-connector.ts'

/** Looking at more targets than these would outlast the call. */
const MOST_REHEARSED = 200
const AT_ONCE = 4

/** What concerns one stream and leaves the others to go on, as in a sync. */
const OF_ONE_STREAM: ReadonlySet<ErrorCode> = new Set([
  ...(['TABLE_TAKEN', 'SCHEMA_CHANGED', 'TYPE_UNSUPPORTED', 'PERMISSION_DENIED'] as const),
  ...(['PRIMARY_KEY_MISSING', 'CURSOR_MISSING', 'MODE_UNSUPPORTED'] as const),
])

export interface StreamOutlook {
  found: AirbyteStream
  config: StreamConfig
  planned?: PlannedStream
  rehearsal?: Rehearsal
  view: StreamPlanView
}

export type StreamPlanView = ReturnType<typeof viewOf>

interface Actors {
  source: ActorRecord
  destination: ActorRecord
}

/** What earlier syncs of the connection left. */
interface Past {
  connectionId: string
  of(key: StreamKey): StreamPast | undefined
}

const NONE: Past = { connectionId: 'plan', of: () => undefined }

/**
 * Each stream as its next sync would plan it, and its target as that sync would find it; the first
 * sync, where nothing is said of the past.
 */
export async function planStreams(
  ctx: OperationContext,
  config: ConnectionConfig,
  catalog: AirbyteCatalog,
  actors: Actors,
  past: Past = NONE,
): Promise<StreamOutlook[]> {
  const [source, destination] = await Promise.all([
    connectorOf(ctx, 'source', actors.source),
    connectorOf(ctx, 'destination', actors.destination),
  ])
  const capabilities = {
    source: source.capabilities,
    destination: destination.capabilities,
  }
  const byKey = new Map(catalog.streams.map((stream) => [streamKey(stream), stream]))
  const tables = knownTables(config.streams, (key) => past.of(key)?.knownColumns ?? [])
  const drafts = config.streams.map((stream): Draft => {
    const found = byKey.get(streamKey(stream)) as AirbyteStream
    const known = past.of(streamKey(stream)) ?? FIRST
    const input = { ...known, state: null, generationRows: 0, config: stream }
    const sync = { ...config, connectionId: past.connectionId, syncId: 0, hashSalt: '', tables }
    const draft = concerningOne(() => ({ planned: planStream(sync, input, found, capabilities) }))
    if ('planned' in draft) tables.push(...tablesOfArrays(draft.planned))
    return { ...{ found, config: stream }, ...draft }
  })
  if (destination.rehearse) await rehearseAll(ctx, actors.destination.id, drafts)
  return drafts.map((draft) => ({ ...draft, view: viewOf(draft) }))
}

interface Draft extends Omit<StreamOutlook, 'view'> {
  problem?: AirbyteError
}

function concerningOne<T>(work: () => T): T | { problem: AirbyteError } {
  try {
    return work()
  } catch (error) {
    return { problem: ofOneStream(error) }
  }
}

function ofOneStream(error: unknown): AirbyteError {
  const known = toAirbyteError(error)
  if (OF_ONE_STREAM.has(known.code)) return known
  throw known
}

async function rehearseAll(ctx: OperationContext, id: string, drafts: Draft[]): Promise<void> {
  const waiting = drafts.slice(0, MOST_REHEARSED).filter(({ planned }) => planned)
  await runConnector(ctx, 'destination', id, async ({ connector, context, config }) => {
    const work = async () => {
      for (let draft = waiting.shift(); draft; draft = waiting.shift()) {
        const { plan } = draft.planned as PlannedStream
        try {
          draft.rehearsal = await connector.rehearse?.(context, config, plan)
        } catch (error) {
          draft.problem = ofOneStream(error)
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  })
}

const FIRST: StreamPast = { generationId: 1, minimumGenerationId: 1, knownColumns: [] }

const ACTIONS: Record<DestinationSyncMode, 'append' | 'merge' | 'replace'> = {
  append: 'append',
  append_dedup: 'merge',
  overwrite: 'replace',
  overwrite_dedup: 'replace',
}

/** The tables that the stream's arrays become. */
const tablesOf = (children: ChildTable[], rehearsal: Rehearsal | undefined) =>
  children.map(({ path, table, columns }, i) => {
    const found = rehearsal?.children?.[i]
    return {
      target: found?.target ?? table,
      array: path.map((name) => `${name}[]`).join('.'),
      columns: (found?.columns ?? columns).map(({ name, type }) => ({ name, type: String(type) })),
    }
  })

function viewOf({ found, config, planned, rehearsal, problem }: Draft) {
  const { syncMode, destinationSyncMode, primaryKey, cursorField } = config
  const { namespace, table } = planned?.plan.target ?? {}
  const named = namespace === undefined ? table : `${namespace}.${table}`
  const columns = rehearsal?.columns ?? planned?.plan.columns ?? []
  const isNew = rehearsal?.targetRows === null
  return {
    stream: streamKey(found),
    target: rehearsal?.target ?? named ?? found.name,
    action: problem
      ? ('none' as const)
      : isNew
        ? ('create' as const)
        : ACTIONS[destinationSyncMode],
    ...{ syncMode, destinationSyncMode },
    primaryKey: primaryKey ?? found.source_defined_primary_key ?? [],
    cursorField: cursorField ?? [],
    captures: found.captures,
    estimatedRows: found.estimated_rows,
    targetRows: rehearsal?.targetRows,
    transfer: planned?.transfer,
    columns: columns.map(({ name, type }) => ({ name, type: String(type) })),
    ...(planned?.plan.children && { tables: tablesOf(planned.plan.children, rehearsal) }),
    statements: rehearsal?.statements ?? [],
    problem: problem?.toJSON(),
  }
}
