import { Buffer } from 'node:buffer'
import type pg from 'pg'
import type {
  Cell,
  RecordBatch,
  RecordChange,
  StreamDescriptor,
} from '../../../../src/protocol/index.ts'
import { parserOf } from '../../../../src/runtime/formats/pg-cell-text.ts'
import { listRelations, type Relation, type RelationColumn } from '../relations.ts'
import { columnSql, fromItem, literal } from '../sql.ts'

/** Rows that one statement asks for. */
const ROWS = 500

/**
 * Asks a table for something under the name that it has, and again if it got another meanwhile; under
 * none if it is gone. Another table may have the name by which it was known.
 */
export async function askTable<T>(
  client: pg.Client,
  oid: number,
  ask: (table: StreamDescriptor | undefined) => Promise<T>,
): Promise<T> {
  for (let table = await nameNow(client, oid); ; ) {
    const answer = await ask(table)
    const now = await nameNow(client, oid)
    if (now?.name === table?.name && now?.namespace === table?.namespace) return answer
    table = now
  }
}

async function nameNow(client: pg.Client, oid: number): Promise<StreamDescriptor | undefined> {
  const { rows } = await client.query<{ namespace: string; name: string }>(
    `SELECT n.nspname AS namespace, c.relname AS name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid`,
    [oid],
  )
  return rows[0]
}

/** A table by its name, as far as this user may read it. */
export async function tableOf(
  client: pg.Client,
  table: StreamDescriptor | undefined,
): Promise<Relation | undefined> {
  if (!table) return undefined
  const { name, namespace = 'public' } = table
  const [relation] = await listRelations(client, [], { schema: namespace, name })
  return relation
}

/**
 * Reads from the table what the log left out of these rows, by their keys. The table may be ahead of
 * the log: what is found is then told by a later change too, and a row that is not found will be told
 * to be gone. Either way the stream is right once it has read the log up to now.
 */
export async function fillUnchanged(
  client: pg.Client,
  find: () => Promise<Relation | undefined>,
  primaryKey: string[],
  batch: RecordBatch,
  rows: Set<number>,
): Promise<RecordBatch> {
  const isAsked = ({ row, change }: RecordChange) => change === 'UNCHANGED' && rows.has(row)
  const asked = Map.groupBy((batch.changes ?? []).filter(isAsked), ({ row }) => row)
  if (asked.size === 0) return batch
  const relation = await find()
  const columnOf = (field: string) => relation?.columns.find((column) => column.name === field)
  const keys = primaryKey.flatMap((field) => columnOf(field) ?? [])
  const names = new Set([...asked.values()].flat().map(({ field }) => field))
  const fields = [...names].flatMap((field) => columnOf(field) ?? [])
  const placeOf = new Map(fields.map(({ name }, place) => [name, place]))
  const columns = batch.columns.map((cells, c) =>
    placeOf.has(batch.schema[c]?.name ?? '') ? [...cells] : cells,
  )
  const filled = new Map(batch.schema.map(({ name }, c) => [name, columns[c]]))
  if (relation && keys.length === primaryKey.length && fields.length > 0) {
    const wanted = [...asked.keys()]
    for (let at = 0; at < wanted.length; at += ROWS) {
      const some = wanted.slice(at, at + ROWS)
      const found = await readRows(client, fromItem(relation), { keys, fields }, batch, some)
      for (const row of some) {
        const cells = found.get(keyOf(batch, keys, row))
        if (!cells) continue
        for (const { field } of asked.get(row) ?? []) {
          const [place, into] = [placeOf.get(field), filled.get(field)]
          if (place !== undefined && into) into[row] = cells[place] as Cell
        }
      }
    }
  }
  const left = batch.changes?.filter((change) => !isAsked(change))
  const { changes: _changes, ...rest } = batch
  return { ...rest, columns, ...(left?.length ? { changes: left } : {}) }
}

async function readRows(
  client: pg.Client,
  from: string,
  { keys, fields }: { keys: RelationColumn[]; fields: RelationColumn[] },
  batch: RecordBatch,
  rows: number[],
): Promise<Map<string, Cell[]>> {
  const tuples = rows.map((row) => {
    const values = keys.map((key) => literal(keyText(batch, key, row), key.literalType))
    return `(${values.join(', ')})`
  })
  const names = keys.map(({ name }) => columnSql(name)).join(', ')
  const read = [...keys, ...fields].map(({ name, type }) => type.expression(columnSql(name)))
  const result = await client.query<(string | null)[]>({
    text: `SELECT ${read.join(', ')} FROM ${from} WHERE (${names}) IN (${tuples.join(', ')})`,
    rowMode: 'array',
  })
  const parsers = [...keys, ...fields].map(({ column }) => parserOf(column))
  return new Map(
    result.rows.map((texts) => {
      const cells = texts.map((text, at) => (text === null ? null : (parsers[at]?.(text) ?? null)))
      return [cells.slice(0, keys.length).map(String).join('\0'), cells.slice(keys.length)]
    }),
  )
}

const keyOf = (batch: RecordBatch, keys: RelationColumn[], row: number) =>
  keys.map(({ name }) => String(cellOf(batch, name, row))).join('\0')

function keyText(batch: RecordBatch, { name, column }: RelationColumn, row: number): string {
  const cell = cellOf(batch, name, row)
  if (cell === null || cell === undefined) return ''
  if (column.type !== 'binary') return String(cell)
  return `\\x${Buffer.from(String(cell), 'base64').toString('hex')}`
}

const cellOf = (batch: RecordBatch, name: string, row: number) =>
  batch.columns[batch.schema.findIndex((column) => column.name === name)]?.[row]
