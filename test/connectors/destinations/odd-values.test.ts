import pg from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import postgres from '../../../connectors/destinations/postgres/index.ts'
import r2 from '../../../connectors/destinations/r2/index.ts'
import { currentFiles } from '../../../connectors/destinations/r2/read.ts'
import { readFile } from '../../../connectors/destinations/r2/read-file.ts'
import { coerceToLimits } from '../../../src/core/normalization/index.ts'
import type { AirbyteType, Cell, Column, RecordChange } from '../../../src/protocol/index.ts'
import type { Destination, ObjectStore, StreamPlan } from '../../../src/runtime/contract.ts'
import { decodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import type { DestinationSetup } from '../../conformance/destination-suite.ts'
import { contents, loadAll, planFor } from '../../conformance/loading.ts'
import { postgresDestinationSetup } from '../../conformance/setups/postgres-destination.ts'
import { r2Setup } from '../../conformance/setups/r2.ts'

/** What PostgreSQL holds and others may not, as its COPY prints it; and whether the warehouse keeps it. */
const ODD: [sql: string, type: AirbyteType, inWarehouse: 'exact' | 'null'][] = [
  ["'infinity'::timestamptz", 'timestamp_with_timezone', 'null'],
  ["'-infinity'::date", 'date', 'null'],
  ["'0044-03-15 BC'::date", 'date', 'null'],
  ["'12026-01-01'::timestamp", 'timestamp_without_timezone', 'null'],
  ["'0001-01-01'::date", 'date', 'exact'],
  ["'NaN'::numeric", 'number', 'exact'],
  ["'-Infinity'::float8", 'number', 'exact'],
  ["'24:00'::time", 'time_without_timezone', 'exact'],
  ["repeat('long ', 500000)", 'string', 'exact'],
  ['9223372036854775807', 'integer', 'exact'],
  ["E'\\\\x00ff'::bytea", 'binary', 'exact'],
]
const COLUMNS = ODD.map(([, type], n): Column => ({ name: `c${n}`, type }))

const META: Column = { name: '_airbyte_meta', type: 'object' }

let source: pg.Client
let cells: Cell[]
let setups: Record<'postgres' | 'r2', DestinationSetup>
beforeAll(async () => {
  source = new pg.Client(inject('pgUrl'))
  await source.connect()
  await source.query("SET timezone = 'UTC'")
  const values = ODD.map(
    ([sql]) => `replace(replace((${sql})::text, E'\\\\', E'\\\\\\\\'), E'\\t', E'\\\\t')`,
  )
  const { rows } = await source.query({ text: `SELECT ${values.join(', ')}`, rowMode: 'array' })
  const line = `${(rows[0] as string[]).join('\t')}\n`
  const batch = decodeCopyText(new TextEncoder().encode(line), COLUMNS)
  cells = batch.columns.map(([cell]) => cell as Cell)
  setups = { postgres: await postgresDestinationSetup(), r2: await r2Setup('Parquet')() }
})
afterAll(async () => {
  await setups?.postgres.dispose?.()
  await source?.end()
})

/** The row as it comes back, and the fields that coercion recorded as changed. */
async function thereAndBack(destination: Destination, { config, ctx }: DestinationSetup) {
  const opened = { destination, config, ctx: ctx() }
  const plan = planFor({ columns: COLUMNS, primaryKey: [], cursorField: [] })
  const batch = {
    ...{ kind: 'records' as const, stream: 's', schema: COLUMNS, length: 1, extractedAt: 0 },
    columns: cells.map((cell) => [cell]),
  }
  const fitted = coerceToLimits(batch, COLUMNS, destination.capabilities.limits, [])
  await loadAll(opened, plan, [[cells]])
  const [row = {}] = (await contents(opened, plan)) ?? []
  return {
    row,
    target: plan.target,
    changed: new Set(fitted.batch.changes?.map(({ field }) => field)),
  }
}

it('PostgreSQL gives every odd value back as it was', async () => {
  const { row, changed } = await thereAndBack(postgres, setups.postgres)
  expect([...changed]).toEqual([])
  for (const [n, cell] of cells.entries()) expect(row[`c${n}`], ODD[n]?.[0]).toEqual(cell)
})

it('the warehouse gives back what its files can hold, and null with a record for the rest', async () => {
  const { row, target } = await thereAndBack(r2, setups.r2)
  const lost = ODD.flatMap(([, , kept], n) => (kept === 'null' ? [`c${n}`] : []))
  for (const [n, [sql, , kept]] of ODD.entries()) {
    const found = row[`c${n}`]
    if (kept === 'null') expect(found, sql).toBeNull()
    else expect(String(found), sql).toBe(String(cells[n]))
  }
  expect((await recordedIn(setups.r2, target)).sort()).toEqual(lost.sort())
})

/** Fields that `_airbyte_meta.changes` of the files names. */
async function recordedIn({ ctx }: DestinationSetup, target: StreamPlan['target']) {
  const store = ctx().warehouse as ObjectStore
  const fields: string[] = []
  for (const { key, bytes } of (await currentFiles(store, target))?.files ?? [])
    for await (const { columns } of readFile(store, { file: key, bytes }, [META]))
      for (const cell of columns[0] ?? [])
        fields.push(...JSON.parse(String(cell)).changes.map(({ field }: RecordChange) => field))
  return fields
}
