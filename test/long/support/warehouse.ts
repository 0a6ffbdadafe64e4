import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { CurrentDocument } from '../../../connectors/destinations/r2/document.ts'
import { type Contents, parquetQuestion } from './events.ts'

const requireFromWrangler = createRequire(createRequire(import.meta.url).resolve('wrangler'))
const { Miniflare, convertV4MiniflareOptions } = requireFromWrangler(
  'miniflare',
) as typeof import('miniflare')

/** What a reader of the warehouse sees in a stopped server's state: the files that `_current.json` lists. */
export const contentsOfWarehouse = (stateDirectory: string): Promise<Contents> =>
  askWarehouse(stateDirectory, parquetQuestion)

/** @param question SQL about a list of Parquet files, that gives `rows` and `md5` */
export async function askWarehouse(
  stateDirectory: string,
  question: (files: string) => string,
): Promise<Contents> {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-warehouse-'))
  try {
    const files = await download(stateDirectory, directory)
    const duckdb = await (await DuckDBInstance.create()).connect()
    const reader = await duckdb.runAndReadAll(
      question(`[${files.map((file) => `'${file}'`).join(', ')}]`),
    )
    const [row] = reader.getRowObjects()
    duckdb.closeSync()
    return { rows: Number(row?.rows), md5: String(row?.md5) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function download(stateDirectory: string, directory: string): Promise<string[]> {
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: 'export default {}',
      r2Buckets: { WAREHOUSE: 'airbyte-warehouse' },
      resourcePersistencePath: stateDirectory,
      cf: false,
      telemetry: { enabled: false },
    }),
  )
  try {
    const bucket = (await runtime.getR2Bucket('WAREHOUSE')) as unknown as R2Bucket
    const { objects } = await bucket.list()
    const current = objects.find(({ key }) => key.endsWith('/_current.json'))
    const document = (await (await bucket.get(current?.key ?? ''))?.json()) as CurrentDocument
    const tenant = current?.key.slice(0, current.key.indexOf('/') + 1) ?? ''
    const files: string[] = []
    for (const { file } of document.visible.flatMap(({ entries }) => entries)) {
      if (file === null) continue
      const object = await bucket.get(tenant + file)
      if (!object) throw new Error(`${file} is listed but not there.`)
      const path = join(directory, `${files.length}.parquet`)
      writeFileSync(path, Buffer.from(await object.arrayBuffer()))
      files.push(path)
    }
    return files
  } finally {
    await runtime.dispose()
  }
}
