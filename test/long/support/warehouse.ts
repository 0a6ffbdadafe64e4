import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { CurrentDocument } from '../../../connectors/destinations/r2/document.ts'
import { currentFiles, latestByKeySql } from '../../../connectors/destinations/r2/read.ts'
import { type Bucket, r2Store } from '../../../src/staging/r2-store.ts'
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
  const [row] = await withWarehouse(stateDirectory, async ({ bucket, save }) => {
    const { objects } = await bucket.list()
    const current = objects.find(({ key }) => key.endsWith('/_current.json'))
    const document = (await (await bucket.get(current?.key ?? ''))?.json()) as CurrentDocument
    const tenant = current?.key.slice(0, current.key.indexOf('/') + 1) ?? ''
    const files: string[] = []
    for (const { file } of document.visible.flatMap(({ entries }) => entries)) {
      if (file !== null) files.push(await save(tenant + file))
    }
    return question(`[${files.map((file) => `'${file}'`).join(', ')}]`)
  })
  return { rows: Number(row?.rows), md5: String(row?.md5) }
}

/** @param question SQL about deduplicated tables of the stopped server, each given as a query */
export async function askTables<Targets extends { namespace?: string; table: string }[]>(
  stateDirectory: string,
  targets: [...Targets],
  question: (queries: { [Place in keyof Targets]: string }) => string,
): Promise<Record<string, unknown>[]> {
  return withWarehouse(stateDirectory, async ({ bucket, save }) => {
    const { objects } = await bucket.list()
    const tenant = `${objects[0]?.key.split('/', 1)[0]}/`
    const store = r2Store(bucket as unknown as Bucket, tenant)
    const queries: string[] = []
    for (const target of targets) {
      const stream = await currentFiles(store, target)
      if (!stream) throw new Error(`There is no table ${target.table}.`)
      const paths = new Map<string, string>()
      for (const { key } of [...stream.files, ...(stream.parent?.files ?? [])])
        paths.set(key, await save(tenant + key))
      queries.push(`(${latestByKeySql(stream, (key) => paths.get(key) ?? key)})`)
    }
    return question(queries as { [Place in keyof Targets]: string })
  })
}

interface Opened {
  bucket: R2Bucket
  /** Saves an object as a file, and says where. */
  save(key: string): Promise<string>
}

/** What DuckDB answers to a question about the warehouse in a stopped server's state. */
async function withWarehouse(
  stateDirectory: string,
  question: (opened: Opened) => Promise<string>,
): Promise<Record<string, unknown>[]> {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-warehouse-'))
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
    const paths = new Map<string, string>()
    const sql = await question({
      bucket,
      async save(key) {
        const path = paths.get(key) ?? join(directory, `${paths.size}.parquet`)
        if (paths.has(key)) return path
        const object = await bucket.get(key)
        if (!object) throw new Error(`${key} is listed but not there.`)
        writeFileSync(path, Buffer.from(await object.arrayBuffer()))
        paths.set(key, path)
        return path
      },
    })
    const duckdb = await (await DuckDBInstance.create()).connect()
    const reader = await duckdb.runAndReadAll(sql)
    const rows = reader.getRowObjects()
    duckdb.closeSync()
    return rows
  } finally {
    await runtime.dispose()
    rmSync(directory, { recursive: true, force: true })
  }
}
