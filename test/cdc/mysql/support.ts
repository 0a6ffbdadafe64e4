import { parseConfig, type SourceConfig } from '../../../connectors/sources/mysql/config.ts'
import { listTables } from '../../../connectors/sources/mysql/tables.ts'
import {
  type BinlogPosition,
  hasPassed,
  openBinlog,
  positionFromJson,
  ServerCharsets,
  shapeOf,
} from '../../../src/cdc/mysql/index.ts'
import type { ReadValue } from '../../../src/cdc/mysql/values.ts'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import type { Cell, JsonObject, RecordBatch } from '../../../src/protocol/index.ts'
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { startOwnMariadb } from '../../support/mariadb.ts'
import { runMysql } from '../../support/mysql-statement.ts'
import { serverFields } from '../../support/server-fields.ts'

export const ctx = createNodeContext()

function configOf(server: string): SourceConfig {
  return parseConfig({
    ...serverFields(server),
    ssl_mode: { mode: 'disabled' },
  })
}

/** The end of the log as it stands. */
export async function endOf(client: MysqlClient): Promise<BinlogPosition> {
  const [[file, pos] = []] = await runMysql(client, 'SHOW MASTER STATUS')
  return { file: String(file), pos: Number(pos), gtid: '', events: 0, base: 0 }
}

export interface Change {
  op: string
  stream: string
  row: Record<string, Cell>
}

/** Rows of batches as changes in their order; what the log adds is left out. */
export const changesOf = (batches: RecordBatch[]): Change[] =>
  batches.flatMap(({ schema, columns, length, op, stream }) =>
    Array.from({ length }, (_, row) => ({
      op: op?.[row] ?? 'u',
      stream,
      row: Object.fromEntries(
        schema.flatMap(({ name }, c) =>
          name.startsWith('_ab_cdc') ? [] : [[name, columns[c]?.[row] as Cell]],
        ),
      ),
    })),
  )

export interface Capture {
  batches: RecordBatch[]
  positions: BinlogPosition[]
  /** Of everything that came after `from`. */
  end: BinlogPosition
}

/**
 * Follows the log from `from` until it has passed what was written before the call.
 *
 * @param options.read how all columns but the first are read, if not by their types
 */
export async function capture(
  config: SourceConfig,
  from: BinlogPosition,
  tables: Record<string, string[]>,
  options: { lingerMs?: number; selected?: string[]; stopAfter?: number; read?: ReadValue } = {},
): Promise<Capture> {
  const client = await connectMysql(ctx, config)
  const other = await connectMysql(ctx, config)
  const goal = await endOf(other)
  const charsets = await ServerCharsets.of(other)
  const feed = await openBinlog({
    client,
    position: from,
    lingerMs: options.lingerMs ?? 0,
    now: () => Date.now(),
    streamOf: (schema, name) => (schema === config.database && tables[name] ? name : undefined),
    async columnsOf(schema, name) {
      const [today] = await listTables(other, config, schema, name)
      return today?.columns.map((column) => column.name) ?? []
    },
    streamsIn: (schema) => (schema === config.database ? Object.keys(tables) : []),
    async shapeOf(table) {
      const key = table.schema === config.database ? tables[table.name] : undefined
      if (!key) return undefined
      const [today] = await listTables(other, config, table.schema, table.name)
      const stream = { stream: table.name, key, selected: options.selected }
      const decoders = await charsets.decodersFor(other, table)
      const shape = shapeOf(table, stream, today?.columns ?? [], decoders)
      const { read } = options
      if (read) for (const field of shape.fields.slice(1)) field.read = read
      return shape
    },
  })
  const captured: Capture = { batches: [], positions: [], end: from }
  try {
    for await (const event of feed) {
      if (event.type === 'batch') {
        if (event.batch.kind === 'records') captured.batches.push(event.batch)
      } else {
        captured.end = positionFromJson(event.position as JsonObject)
        captured.positions.push(captured.end)
        if (captured.positions.length === options.stopAfter) break
        if (hasPassed(captured.end, goal)) break
      }
    }
  } finally {
    await feed.close()
    await other.close()
  }
  return captured
}

/** A machine that is busy starts servers slowly. */
export const SERVER_START_MS = 60_000

/**
 * A server of its own, since these tests set it otherwise, purge its log and stop its commits: whoever
 * shares it would see that.
 */
export async function useServer(options: string[] = []) {
  const server = await startOwnMariadb(options)
  const config = configOf(server.url)
  const client = await connectMysql(ctx, config)
  return {
    config,
    client,
    restart: () => server.restart([]),
    run: (...statements: string[]) => runMysql(client, ...statements),
    end: () => endOf(client),
    async stop() {
      await client.close()
      await server.stop()
    },
  }
}

/** A transaction of two phases, in a session of its own. */
export async function xaOf(config: SourceConfig, xid: string) {
  const session = await connectMysql(ctx, config)
  const end = (statement: string) =>
    session.query(`${statement} ${xid}`).then(() => session.close())
  return {
    async prepare(...statements: string[]) {
      await runMysql(
        session,
        `XA START ${xid}`,
        ...statements,
        `XA END ${xid}`,
        `XA PREPARE ${xid}`,
      )
      return this
    },
    commit: () => end('XA COMMIT'),
    rollback: () => end('XA ROLLBACK'),
    close: () => session.close(),
  }
}
