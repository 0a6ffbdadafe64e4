import type pg from 'pg'
import {
  type ChangeBatch,
  hasFields,
  jsonOfOwn,
  type OwnType,
  type PublishedTable,
  type TypeInLog,
  type TypeVersions,
  untoldIn,
} from '../../../../src/cdc/postgres/index.ts'
import {
  AirbyteError,
  type Cell,
  type Column,
  type RecordBatch,
  type RecordChange,
  type StreamDescriptor,
  streamKey,
} from '../../../../src/protocol/index.ts'
import { jsonOfArray } from '../../../../src/runtime/formats/pg-array-text.ts'
import type { LogStream, PreparedLog } from '../../../../src/runtime/source-log.ts'
import { listRelations, type RelationColumn } from '../relations.ts'
import { fillUnchanged, tableOf } from './fill.ts'

/** A stream whose changes are to be read, and its table. */
export interface Chosen {
  stream: LogStream
  table: PublishedTable
}

/** Those whose composites the log can tell: from now on, these types are known. */
export async function chooseTold(
  client: pg.Client,
  all: Chosen[],
  types: TypeVersions,
): Promise<{ chosen: Chosen[]; failed: PreparedLog['failed'] }> {
  const found: { of: Chosen; composites: RelationColumn[] }[] = []
  for (const of of all) {
    const composites = await compositesOf(client, of)
    if (composites.length > 0) found.push({ of, composites })
  }
  if (found.length === 0) return { chosen: all, failed: [] }
  const oids = new Set(found.flatMap(({ composites }) => composites.map(oidOf)))
  const told = await types.lookUp(client, [...oids])
  const problems = new Map(
    found.map(({ of, composites }) => [of, problemOf(of, composites, told)] as const),
  )
  return {
    chosen: all.filter((of) => !problems.get(of)),
    failed: [...problems].flatMap(([{ stream }, problem]) =>
      problem ? [{ stream: streamKey(stream.stream), error: problem.toJSON() }] : [],
    ),
  }
}

async function compositesOf(
  client: pg.Client,
  { stream: { columns }, table: { schema, name, columns: wanted = [] } }: Chosen,
): Promise<RelationColumn[]> {
  const isSuspect = ({ name, type, native }: Column) =>
    (type === 'object' || type === 'array') && !native && wanted.includes(name)
  if (!columns.some(isSuspect)) return []
  const [relation] = await listRelations(client, [], { schema, name })
  return (relation?.columns ?? []).filter(
    ({ name, type }) => type.composite && wanted.includes(name),
  )
}

const oidOf = ({ typeOid = 0 }: RelationColumn) => typeOid

function problemOf(
  { stream: { stream, primaryKey } }: Chosen,
  composites: RelationColumn[],
  told: ReadonlyMap<number, TypeInLog>,
): AirbyteError | undefined {
  for (const column of composites) {
    const untold = untoldIn((told.get(oidOf(column)) as TypeInLog).type)
    const why = primaryKey.includes(column.name)
      ? 'is part of the key and has a composite type'
      : untold !== undefined && `has a composite type with a field of type ${untold}`
    if (why) {
      const key = streamKey(stream)
      return new AirbyteError(
        'CDC_TABLE_UNSUITABLE',
        `The column '${column.name}' of ${key} ${why}: it cannot be told from the log.`,
        { stream: key, field: column.name, hint: `Deselect the column '${column.name}'.` },
      )
    }
  }
  return undefined
}

/**
 * The batch with values of the database's own types as a snapshot has them. Where it is not certain that
 * a type was what it is now when its values were written, they are left out, as unchanged ones are.
 */
export function tellOwn(
  { printed = [], from = 0n }: ChangeBatch,
  records: RecordBatch,
  types: ReadonlyMap<number, TypeInLog>,
): { records: RecordBatch; unsure: Set<string> } {
  const schema = [...records.schema]
  const columns = [...records.columns]
  const changes: RecordChange[] = [...(records.changes ?? [])]
  const unsure = new Set<string>()
  for (const { place, typeOid } of printed) {
    const { type, since } = types.get(typeOid) as TypeInLog
    const read = readerOf(type)
    if (!read) continue
    const column = schema[place] as Column
    schema[place] = { name: column.name, type: type.kind === 'array' ? 'array' : 'object' }
    const isSure = since !== undefined && since <= from
    columns[place] = (columns[place] as Cell[]).map((text, row) => {
      const cell = text === null ? null : (isSure || !hasFields(type)) && read(String(text))
      if (typeof cell === 'string' || cell === null) return cell
      if (records.op?.[row] === 'd') return null
      unsure.add(column.name)
      changes.push({ row, field: column.name, change: 'UNCHANGED', reason: 'SOURCE_LEFT_IT_OUT' })
      return null
    })
  }
  const told = { ...records, schema, columns, ...(changes.length > 0 ? { changes } : {}) }
  return { records: told, unsure }
}

/** Undefined: the text is the value. */
function readerOf(type: OwnType): ((text: string) => string | undefined) | undefined {
  if (hasFields(type)) return (text) => jsonOfOwn(type, text)
  const isOfOwn = type.kind === 'array' && type.element.kind !== 'array' && !isBuiltin(type.element)
  return isOfOwn ? (text) => jsonOfArray(text, 'string') ?? text : undefined
}

const isBuiltin = (type: OwnType) => type.kind === 'scalar' && type.name !== ''

/** Reads from the table what `tellOwn` left out. Rejects with CDC_TABLE_UNSUITABLE if there is no key. */
export async function fillUnsure(
  client: pg.Client,
  primaryKey: string[],
  records: RecordBatch,
  unsure: ReadonlySet<string>,
  { table }: { table: StreamDescriptor | undefined },
): Promise<RecordBatch> {
  const relation = await tableOf(client, table)
  const key = primaryKey.length > 0 ? primaryKey : (relation?.key ?? [])
  if (key.length === 0) throw alteredWithoutKey(records.stream, unsure)
  const rows = (records.changes ?? []).filter(({ field }) => unsure.has(field)).map((c) => c.row)
  return fillUnchanged(client, async () => relation, key, records, new Set(rows))
}

function alteredWithoutKey(stream: RecordBatch['stream'], unsure: ReadonlySet<string>) {
  const [field = ''] = unsure
  return new AirbyteError(
    'CDC_TABLE_UNSUITABLE',
    `The type of the column '${field}' of ${stream} was altered while its log was read, and without a primary key its rows cannot be read again.`,
    {
      ...{ stream, field },
      hint: `Deselect the column '${field}' and sync; then select it again and refresh the stream.`,
    },
  )
}
