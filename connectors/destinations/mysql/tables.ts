/** Creating tables and letting them grow with their stream. Nothing is ever dropped or narrowed. */
import { AirbyteError } from '../../../src/protocol/index.ts'
import { GENERATION_ID, RAW_ID, type TableColumn } from '../../../src/runtime/loading/layout.ts'
import { MysqlServerError } from '../../../src/runtime/mysql/errors.ts'
import { quote, text } from '../../../src/runtime/mysql/sql.ts'
import { foldedName } from './identifiers.ts'
import { keyIndexName, type Layout, METADATA, nameOf } from './layout.ts'
import type { SqlClient } from './session.ts'
import { tableOptions } from './stream-id.ts'
import { holds, normalized, UNBOUNDED, widens } from './types.ts'

export interface ExistingColumn {
  type: string
  notNull: boolean
  /** Of texts. */
  collation: string | null
}

export type Existing = Map<string, ExistingColumn>

/** The table's columns by name; null if there is no such table. */
export async function inspect(
  client: SqlClient,
  layout: Layout,
  table: string,
): Promise<Existing | null> {
  const rows = await client.query(
    `SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLLATION_NAME
     FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = ${text(layout.schema)} AND TABLE_NAME = ${text(table)}
     ORDER BY ORDINAL_POSITION`,
  )
  const own = rows.filter(([name]) => isSame(layout, name, table))
  if (own.length === 0) return null
  return new Map(
    own.map(([, name, type, nullable, collation]) => [
      String(name),
      {
        type: normalized(String(type)),
        notNull: nullable === 'NO',
        collation: collation ?? null,
      },
    ]),
  )
}

/** Columns that may be null and that the database does not fill by itself. */
export async function fillableColumns(
  client: SqlClient,
  layout: Layout,
  table: string,
): Promise<string[]> {
  const rows = await client.query(
    `SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = ${text(layout.schema)} AND TABLE_NAME = ${text(table)}
       AND IS_NULLABLE = 'YES' AND COALESCE(COLUMN_DEFAULT, 'NULL') = 'NULL' AND EXTRA = ''
       AND LEFT(COLUMN_NAME, 9) <> '_airbyte_'`,
  )
  return rows.filter(([name]) => isSame(layout, name, table)).map(([, column]) => String(column))
}

/** The information schema compares names without regard to case, where the server does not. */
const isSame = ({ server }: Layout, found: string | null | undefined, name: string) =>
  server.lowerCase ? found?.toLowerCase() === name : found === name

/** What the table itself says of the generation that it holds: it goes with the table when that is renamed. */
export async function generationOf(
  client: SqlClient,
  layout: Layout,
  table: string,
): Promise<number | null> {
  const rows = await client.query(
    `SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${text(layout.schema)} AND TABLE_NAME = ${text(table)}`,
  )
  const comment = rows.find(([name]) => isSame(layout, name, table))?.[1]
  const generation = COMMENT.exec(comment ?? '')?.[1]
  return generation === undefined ? null : Number(generation)
}

const COMMENT = /^Loaded by Airbyte, generation (\d+)$/
const commentOf = ({ plan }: Layout) =>
  text(`Loaded by Airbyte, generation ${Number(plan.generationId)}`)

/** Creates the table, or adds the columns that it lacks. */
export async function ensureTable(client: SqlClient, layout: Layout, table: string): Promise<void> {
  const existing = await inspect(client, layout, table)
  if (existing) await evolve(client, layout, table, existing)
  else await create(client, layout, table)
}

async function create(client: SqlClient, layout: Layout, table: string): Promise<void> {
  const { columns, keys } = layout
  const metadata = Object.entries(METADATA).map(
    ([name, type]) => `${quote(name)} ${type}${name === RAW_ID ? ` ${ASCII}` : ''} NOT NULL`,
  )
  const own = columns.map(({ name, type }) => {
    return `${quote(name)} ${type}${keys.includes(name) ? ' NOT NULL' : ''}`
  })
  const key = layout.dedup ? [keyDefinition(layout)] : []
  await guarded(layout, () =>
    client.execute(
      `CREATE TABLE ${nameOf(layout, table)} (${[...metadata, ...own, ...key].join(', ')})
       ${tableOptions(layout)} COMMENT = ${commentOf(layout)}`,
    ),
  )
}

const ASCII = 'CHARACTER SET ascii COLLATE ascii_bin'

const keyDefinition = ({ keys }: Layout) =>
  `UNIQUE KEY ${quote(keyIndexName(keys))} (${keys.map(quote).join(', ')})`

/**
 * Adds what the table lacks, and widens a column to a type that holds all it has; SCHEMA_CHANGED if
 * there is none such. One statement: it is done, or nothing of it is.
 */
export async function evolve(
  client: SqlClient,
  layout: Layout,
  table: string,
  existing: Existing,
): Promise<void> {
  if (!layout.hidden && layout.keys.some((key) => !existing.has(key)))
    await makeRoomForKey(client, layout, table)
  const changes = await keyChanges(client, layout, table)
  const needsKey = changes.some((change) => change.startsWith('ADD'))
  const modified = new Set<string>()
  for (const column of layout.columns) {
    const found = existing.get(column.name)
    if (!found) {
      refuseTwin(layout, column.name, existing)
      changes.push(`ADD COLUMN ${definition(layout, column)}`)
    } else if (!holds(found.type, column.type)) {
      if (!widens(found.type, column.type) && (await keepsRows(client, layout, table)))
        throw retyped(layout, column.name, found.type, column.type)
      modified.add(column.name)
      changes.push(`MODIFY COLUMN ${definition(layout, column)}`)
    } else if (layout.keys.includes(column.name) && !isKeyColumn(layout, found)) {
      const type = UNBOUNDED.has(found.type) ? column.type : found.type
      changes.push(`MODIFY COLUMN ${definition(layout, { ...column, type })}`)
    }
  }
  for (const [name, { type, notNull, collation }] of existing) {
    if (!notNull || name in METADATA || layout.keys.includes(name) || modified.has(name)) continue
    changes.push(
      `MODIFY COLUMN ${quote(name)} ${type}${collation ? ` COLLATE ${collation}` : ''} NULL`,
    )
  }
  if (changes.length === 0) return
  const statement = `ALTER TABLE ${nameOf(layout, table)} ${changes.join(', ')}`
  await guarded(layout, () => client.execute(statement)).catch((error) => {
    throw needsKey ? (notAKey(layout, error) ?? error) : error
  })
}

/** A key that is compared as ours are, and that an index can hold whole. */
const isKeyColumn = ({ server }: Layout, { type, notNull, collation }: ExistingColumn) =>
  notNull && !UNBOUNDED.has(type) && (collation === null || collation === server.collation)

function definition({ keys, server }: Layout, { name, type }: TableColumn): string {
  const isText = type.startsWith('varchar') || type === 'longtext'
  const collation = isText ? ` CHARACTER SET utf8mb4 COLLATE ${server.collation}` : ''
  return `${quote(name)} ${type}${collation}${keys.includes(name) ? ' NOT NULL' : ' NULL'}`
}

/** The unique index that a merge by key needs; those of earlier keys would refuse rows of the new one. */
async function keyChanges(client: SqlClient, layout: Layout, table: string): Promise<string[]> {
  const rows = await client.query(
    `SELECT DISTINCT TABLE_NAME, INDEX_NAME FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = ${text(layout.schema)} AND TABLE_NAME = ${text(table)}
     AND LEFT(INDEX_NAME, 13) = '_airbyte_key_'`,
  )
  const found = rows
    .filter(([name]) => isSame(layout, name, table))
    .map(([, index]) => String(index))
  const wanted = layout.dedup ? keyIndexName(layout.keys) : undefined
  const others = found.filter((index) => index !== wanted)
  const drops = others.map((index) => `DROP INDEX ${quote(index)}`)
  if (wanted === undefined || found.includes(wanted)) return drops
  return [...drops, `ADD ${keyDefinition(layout)}`]
}

/**
 * A key that the table's rows lack: all of them would have one and the same. Those of generations that
 * this one replaces go now, where others go when it is complete.
 */
async function makeRoomForKey(client: SqlClient, layout: Layout, table: string): Promise<void> {
  const { stream, keys } = layout
  if (!(await keepsRows(client, layout, table))) return
  throw new AirbyteError(
    'SCHEMA_CHANGED',
    `Table '${layout.table}' holds rows without the primary key (${keys.join(', ')}), so it cannot be deduplicated as it is.`,
    {
      ...{ stream, field: 'primaryKey' },
      hint: 'Reset the stream, or remove those rows from the table.',
    },
  )
}

/** Whether the table has rows that this generation does not replace; those that it does go now if not. */
async function keepsRows(client: SqlClient, layout: Layout, table: string): Promise<boolean> {
  if (layout.hidden !== null) return true
  const [target, first] = [nameOf(layout, table), Number(layout.plan.minimumGenerationId)]
  const generation = quote(GENERATION_ID)
  const left = await client.query(`SELECT 1 FROM ${target} WHERE ${generation} >= ${first} LIMIT 1`)
  if (left.length > 0) return true
  if (first > 0) await client.execute(`DELETE FROM ${target} WHERE ${generation} < ${first}`)
  return false
}

/** Which of several fields has a name that is one to MySQL depends on which there are. */
function refuseTwin({ stream, table }: Layout, name: string, existing: Existing): void {
  const folded = foldedName(name)
  const other = [...existing.keys()].find((column) => foldedName(column) === folded)
  if (other === undefined) return
  throw new AirbyteError(
    'SCHEMA_CHANGED',
    `The stream now has a field for column '${name}' of table '${table}', which has '${other}': to MySQL that is one name, and it may hold the values of another field.`,
    {
      stream,
      field: name,
      hint: `Rename or drop column ${quote(other)} of the table, or deselect the field.`,
    },
  )
}

function retyped({ stream, table }: Layout, column: string, from: string, to: string) {
  return new AirbyteError(
    'SCHEMA_CHANGED',
    `Column '${column}' of table '${table}' is ${from}, which cannot hold the source's ${to}.`,
    {
      stream,
      field: column,
      hint: `Refresh the stream, or run: ALTER TABLE … MODIFY COLUMN ${quote(column)} ${to}.`,
    },
  )
}

/** Duplicate entry, null, or a text that is too long for an index. */
const NOT_A_KEY = new Set([1048, 1062, 1138, 1265, 1406])

function notAKey({ stream, table, keys }: Layout, error: unknown): AirbyteError | undefined {
  if (!(error instanceof MysqlServerError) || !NOT_A_KEY.has(error.errno)) return undefined
  return new AirbyteError(
    'SCHEMA_CHANGED',
    `Table '${table}' cannot be deduplicated as it is, by primary key (${keys.join(', ')}): ${error.message}.`,
    {
      stream,
      field: 'primaryKey',
      hint: 'Refresh the stream, or remove the rows at fault from the table.',
      cause: error,
    },
  )
}

const TOO_WIDE = new Set([1117, 1118])

/** What no table of MySQL can be. */
async function guarded<T>({ stream, columns }: Layout, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof MysqlServerError) || !TOO_WIDE.has(error.errno)) throw error
    throw new AirbyteError(
      'UNSUPPORTED',
      `Stream '${stream}' has ${columns.length} columns, which are more than a row of a MySQL table holds: ${error.message}.`,
      { stream, hint: "Select fewer fields, or use normalization 'raw'.", cause: error },
    )
  }
}
