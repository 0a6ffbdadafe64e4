import { expect, it } from 'vitest'
import type { ObjectStore } from '../../../../src/runtime/contract.ts'
import { streamOf } from '../../../../src/staging/bytes.ts'
import { decodeFrames, encodeFrames } from '../../../../src/staging/chunk-codec.ts'
import { open, planOf } from './support.ts'
import { WIDE, wideChunk } from './wide-rows.ts'

const ROWS = 100_000

const report = (what: string, rows: number, started: number, bytes: number) => {
  const seconds = (Date.now() - started) / 1000
  const rate = Math.round(rows / seconds).toLocaleString('en')
  console.log(`${what}: ${rate} rows/s × ${WIDE.length} columns, ${(bytes / 1e6).toFixed(1)} MB`)
}

export function throughputSuite(name: string, store: () => ObjectStore) {
  it.each(['Parquet', 'JSONL', 'CSV'])(`loads wide rows as %s on ${name}`, async (format) => {
    const plan = planOf({ columns: WIDE, target: { table: `wide-${format}` } })
    const loader = open(store(), plan, format)
    await loader.prepare(1)
    const chunk = wideChunk('w', ROWS)
    const started = Date.now()
    expect(await loader.load(chunk, 1)).toMatchObject({ rows: ROWS })
    const [file] = (await store().list(`_/wide-${format}/generation=1/`)).objects
    report(`${name}, ${format}`, ROWS, started, file?.size ?? 0)
  })

  it(`stages wide rows and reads them again on ${name}`, async () => {
    const chunk = wideChunk('w', ROWS)
    let started = Date.now()
    const info = await store().putStream('staged', encodeFrames(chunk.body))
    report(`${name}, staged write`, ROWS, started, info.size)
    started = Date.now()
    let rows = 0
    const body = (await store().get('staged'))?.body ?? streamOf(new Uint8Array(0))
    for await (const batch of decodeFrames(body)) if (batch.kind === 'records') rows += batch.length
    report(`${name}, staged read`, rows, started, info.size)
    expect(rows).toBe(ROWS)
  })
}
