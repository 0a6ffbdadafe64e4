import {
  type BinlogPosition,
  baseAbove,
  binlogFiles,
  bytesAfter,
  checkServer,
  gtidOf,
  guardPosition,
  hasLog,
  positionFromJson,
  positionToJson,
  printPosition,
  serverIdentity,
  settledPoint,
  unloggedSchemas,
} from '../../../../src/cdc/mysql/index.ts'
import { AirbyteError, streamKey } from '../../../../src/protocol/index.ts'
import type { MysqlClient } from '../../../../src/runtime/mysql/client.ts'
import { text } from '../../../../src/runtime/mysql/sql.ts'
import type {
  LogPlace,
  LogStream,
  LogWarning,
  PreparedLog,
  SourceLog,
} from '../../../../src/runtime/source-log.ts'
import { parseConfig, type SourceConfig } from '../config.ts'
import { withSource } from '../session.ts'
import { listTables, notFound, type SourceTable } from '../tables.ts'
import { cdcOf, waitingMs } from './config.ts'
import { openFeed } from './feed.ts'

interface Setup {
  /** The server whose files the position counts in. */
  server: string
}

const setupOf = (place: LogPlace) => place.setup as unknown as Setup

/** The binlog of a server. Nothing is set up there: it is read as a replica reads it. */
export const mysqlLog: SourceLog = {
  isUsed: (config) => cdcOf(parseConfig(config)) !== undefined,

  async prepare(ctx, json, streams, { kept, mayBeginAnew, lose }) {
    const config = parseConfig(json)
    const cdc = cdcOf(config)
    if (!cdc) throw new AirbyteError('INTERNAL', 'A log was asked for that is not used.')
    return withSource(ctx, config, async (client) => {
      if (kept && !(await hasLog(client))) lose?.()
      await checkServer(client)
      const { failed, warnings } = await looked(client, config, streams)
      // Nobody needs what was before: there may be something in it that stopped the reader.
      const position = kept && !mayBeginAnew ? await guarded(client, kept) : null
      const server = await serverIdentity(client)
      const settled = () => settledPoint(client, waitingMs(cdc), position ?? undefined)
      if (position) {
        // New streams are read from their tables next: what the log was read up to has to be seen there.
        if (streams.some(({ loaded }) => loaded === undefined)) await settled()
        return { place: placeOf(position, server), continues: true, failed, warnings }
      }
      const point = await settled()
      const base = kept ? baseAbove(positionFromJson(kept.position), point) : 0
      const begun = { ...point, ...{ events: 0, base }, gtid: await gtidOf(client, point) }
      return { place: placeOf(begun, server), continues: false, failed, warnings }
    })
  },

  open: (ctx, config, place, streams) => openFeed(ctx, parseConfig(config), place, streams),

  async status(ctx, config, place) {
    const position = positionFromJson(place.position)
    return withSource(ctx, parseConfig(config), async (client) => ({
      name: 'binlog',
      position: printPosition(position),
      retainedBytes: bytesAfter(await binlogFiles(client), position),
    }))
  },

  drop: async () => {},
}

const placeOf = (position: BinlogPosition, server: string): LogPlace => ({
  position: positionToJson(position),
  setup: { server },
})

/** The kept position, if it still holds. Rejects with CDC_POSITION_LOST. */
async function guarded(client: MysqlClient, kept: LogPlace): Promise<BinlogPosition> {
  const position = positionFromJson(kept.position)
  const held = await guardPosition(client, position, setupOf(kept).server)
  if (!kept.isLost) return held
  throw new AirbyteError(
    'CDC_POSITION_LOST',
    `The server wrote no binlog for a time after ${printPosition(position)}, or lost events of it.`,
    {
      hint: 'What was changed meanwhile is in no log. Refresh all streams of the connection: they are read from the start.',
    },
  )
}

/** Streams that the log says nothing of, and changes that it does not tell. */
async function looked(
  client: MysqlClient,
  config: SourceConfig,
  streams: LogStream[],
): Promise<Required<Pick<PreparedLog, 'failed' | 'warnings'>>> {
  const warnings: LogWarning[] = []
  const failed: PreparedLog['failed'] = []
  const schemaOf = ({ namespace }: LogStream['stream']) => namespace ?? config.database
  const bySchema = Map.groupBy(streams, ({ stream }) => schemaOf(stream))
  const unlogged = await unloggedSchemas(client, bySchema.keys())
  for (const [schema, ofSchema] of bySchema) {
    const setting = unlogged.get(schema)
    if (setting !== undefined) {
      for (const stream of ofSchema.map((each) => streamKey(each.stream)))
        failed.push({ stream, error: notLogged(stream, schema, setting).toJSON() })
      continue
    }
    const [only] = ofSchema.length === 1 ? ofSchema : []
    const tables = await listTables(client, config, schema, only?.stream.name)
    const byName = new Map(tables.map((table) => [table.name, table]))
    const captured = new Set<string>()
    for (const { stream } of ofSchema) {
      const found = byName.get(stream.name)
      if (found && !found.view && !found.versioned && !isElsewhere(found)) captured.add(found.name)
      else
        failed.push({ stream: streamKey(stream), error: problemOf(schema, stream, found).toJSON() })
    }
    warnings.push(...(await cascades(client, schema, captured)))
  }
  return { failed, warnings }
}

function problemOf(schema: string, stream: LogStream['stream'], found: SourceTable | undefined) {
  if (!found) return notFound({ schema, name: stream.name })
  if (isElsewhere(found)) return hasRowsElsewhere(streamKey(stream), String(found.engine))
  return found.versioned ? isVersioned(streamKey(stream)) : noTable(streamKey(stream))
}

const notLogged = (stream: string, schema: string, setting: string) =>
  new AirbyteError(
    'CDC_TABLE_UNSUITABLE',
    `The server is set not to log changes in ${schema} (${setting}), where ${stream} is.`,
    {
      stream,
      hint: `Take ${schema} ${setting === 'binlog_do_db' ? 'into' : 'out of'} ${setting} in the server’s configuration and restart it, then refresh the stream; or read it by a full refresh or by a cursor.`,
    },
  )

/** Engines whose tables show rows that are others', and are changed there. */
const ELSEWHERE = new Set(['MRG_MYISAM', 'FEDERATED', 'CONNECT', 'SPIDER'])
const isElsewhere = ({ engine }: SourceTable) => ELSEWHERE.has(String(engine).toUpperCase())

const hasRowsElsewhere = (stream: string, engine: string) =>
  new AirbyteError(
    'CDC_TABLE_UNSUITABLE',
    `${stream} shows rows of other tables (${engine}): what is changed there is not in the log as a change of it.`,
    { stream, hint: 'Read it by a full refresh or by a cursor, or follow those tables.' },
  )

const noTable = (stream: string) =>
  new AirbyteError('CDC_TABLE_UNSUITABLE', `${stream} is a view: the log has no changes of it.`, {
    stream,
    hint: 'Read it by a full refresh, or deselect it.',
  })

/** A change of such a row is followed in the log by the row as it was, a deletion is a change. */
const isVersioned = (stream: string) =>
  new AirbyteError(
    'CDC_TABLE_UNSUITABLE',
    `${stream} keeps its history (WITH SYSTEM VERSIONING): the log has rows of the past between those of today.`,
    { stream, hint: 'Read it by a full refresh or by a cursor, or deselect it.' },
  )

/** What a foreign key changes in a table is done inside the storage engine, and is not in the log. */
async function cascades(
  client: MysqlClient,
  schema: string,
  names: ReadonlySet<string>,
): Promise<LogWarning[]> {
  const rows = await client.query(
    `SELECT TABLE_NAME, CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS
     WHERE CONSTRAINT_SCHEMA = ${text(schema)}
       AND (DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))`,
  )
  return rows.flatMap(([name = '', constraint]) =>
    names.has(String(name))
      ? {
          stream: streamKey({ namespace: schema, name: String(name) }),
          message: `The foreign key ${constraint} of ${schema}.${name} cascades: rows that it changes are not in the binlog, and will be missed. Refresh all streams of the connection now and then, or let the application make these changes.`,
        }
      : [],
  )
}
