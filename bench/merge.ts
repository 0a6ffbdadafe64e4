/**
 * What a merge costs in a table ten or a hundred times as large: `node bench/merge.ts [small large]`.
 * Rows are filled in by SQL; each round loads a chunk of changes (updates, inserts, one in ten a
 * deletion) through the destination's own loader, in turns, so that other work slows both.
 */
import pg from 'pg'
import postgres from '../connectors/destinations/postgres/index.ts'
import { startPostgres } from '../scripts/lib/embedded-postgres.ts'
import { createNodeContext } from '../src/egress/node-context.ts'
import type { Column, EncodedBatch } from '../src/protocol/index.ts'
import type { Chunk, Loader, StreamPlan } from '../src/runtime/contract.ts'
import { median } from './process-stats.ts'

const CHANGES = 10_000
const ROUNDS = 5
/** Beyond this a merge follows from the table. */
const MOST = 3

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'string' },
  { name: '_ab_cdc_lsn', type: 'integer' },
  { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
]

interface Filled {
  loader: Loader
  size: number
  times: number[]
}

const [small = 100_000, large = 10_000_000] = process.argv.slice(2).map(Number)
const server = await startPostgres()
const url = new URL(await server.createDatabase('merges'))
const sql = new pg.Client(url.href)
await sql.connect()
try {
  const tables = [await fill(small), await fill(large)] as const
  for (let round = 1; round <= ROUNDS; round++)
    for (const table of tables) table.times.push(await merge(table, round))
  for (const { loader } of tables) await loader.close()
  const [base, grown] = tables.map(({ times }) => median(times)) as [number, number]
  for (const { size, times } of tables)
    console.log(
      `${CHANGES} changes into ${size} rows: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    )
  const ratio = grown / base
  console.log(
    `median ${base.toFixed(0)} and ${grown.toFixed(0)} ms, ratio ${ratio.toFixed(2)} (at most ${MOST})`,
  )
  process.exitCode = ratio <= MOST ? 0 : 1
} finally {
  await sql.end()
  await server.stop()
}

async function fill(size: number): Promise<Filled> {
  const table = `merged_${size}`
  const config = {
    ...{ host: url.hostname, port: Number(url.port), database: url.pathname.slice(1) },
    ...{ username: url.username, password: url.password, schema: 'public' },
    ssl_mode: { mode: 'disable' },
  }
  const plan: StreamPlan = {
    connectionId: '0190b6a5-5a4f-7cc3-8b1d-2f6a7f1f0a11',
    syncId: 1,
    stream: { name: table },
    target: { table },
    columns: COLUMNS,
    mode: 'append_dedup',
    primaryKey: [['id']],
    cursorField: ['_ab_cdc_lsn'],
    generationId: 1,
    minimumGenerationId: 0,
    normalization: 'basic',
    format: 'pg-copy-text',
  }
  const loader = await postgres.open(createNodeContext(), config, plan)
  await loader.prepare(1)
  await sql.query(
    `INSERT INTO ${table} (id, name, _ab_cdc_lsn, _airbyte_raw_id, _airbyte_extracted_at, _airbyte_meta,
       _airbyte_generation_id)
     SELECT n, 'name ' || n, 0, gen_random_uuid(), now(), '{}', 1 FROM generate_series(1, ${size}) AS n`,
  )
  await sql.query(`VACUUM ANALYZE ${table}`)
  await sql.query('CHECKPOINT')
  return { loader, size, times: [] }
}

/** Milliseconds of one chunk: keys all over the table, and some beyond its end. */
async function merge({ loader, size }: Filled, round: number): Promise<number> {
  const step = Math.max(1, Math.floor((size * 1.05) / CHANGES))
  const lines = Array.from({ length: CHANGES }, (_, i) => {
    const deleted = (i + round) % 10 === 0 ? '2026-01-01 00:00:00+00' : '\\N'
    return `${1 + i * step + round}\tchanged ${round}\t${round}\t${deleted}\n`
  })
  const batch: EncodedBatch = {
    kind: 'encoded',
    stream: 'merged',
    schema: COLUMNS,
    format: 'pg-copy-text',
    rows: CHANGES,
    bytes: new TextEncoder().encode(lines.join('')),
    extractedAt: Date.now(),
  }
  const chunk: Chunk = {
    id: `round-${round}`,
    body: (async function* () {
      yield batch
    })(),
    end: () => ({ state: { round }, complete: false }),
  }
  const started = performance.now()
  await loader.load(chunk, 1)
  return performance.now() - started
}
