import pg from 'pg'
import { inject } from 'vitest'
import postgres from '../../../../connectors/destinations/postgres/index.ts'
import { createNodeContext } from '../../../../src/egress/node-context.ts'
import type {
  Batch,
  Cell,
  Column,
  EncodedBatch,
  JsonObject,
  RecordBatch,
} from '../../../../src/protocol/index.ts'
import type { Chunk, Loader, StreamPlan } from '../../../../src/runtime/contract.ts'

export interface TestDatabase {
  config: JsonObject
  /** A superuser's client with JavaScript values. */
  sql: pg.Client
  /** Rows as objects. */
  rows(query: string): Promise<Record<string, unknown>[]>
  open(plan: Partial<StreamPlan>, config?: JsonObject): Promise<Loader>
  drop(): Promise<void>
}

/** A database of its own on the shared server. */
export async function createTestDatabase(name: string): Promise<TestDatabase> {
  const url = new URL(inject('pgUrl'))
  const admin = new pg.Client(url.href)
  await admin.connect()
  await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
  await admin.query(`CREATE DATABASE "${name}"`)
  const config: JsonObject = {
    host: url.hostname,
    port: Number(url.port),
    database: name,
    schema: 'public',
    username: url.username,
    password: url.password,
    ssl_mode: { mode: 'disable' },
  }
  const sql = new pg.Client(new URL(`/${name}`, url).href)
  await sql.connect()
  const loaders: Loader[] = []
  return {
    config,
    sql,
    rows: async (query) => (await sql.query(query)).rows,
    async open(plan, changed = {}) {
      const loader = await postgres.open(
        createNodeContext(),
        { ...config, ...changed },
        planOf(plan),
      )
      loaders.push(loader)
      return loader
    },
    async drop() {
      for (const loader of loaders) await loader.close()
      await sql.end()
      await admin.query(`DROP DATABASE "${name}" WITH (FORCE)`)
      await admin.end()
    },
  }
}

export const USERS: Column[] = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'name', type: 'string' },
  { name: 'updated', type: 'timestamp_with_timezone' },
]

export function planOf(plan: Partial<StreamPlan> = {}): StreamPlan {
  return {
    connectionId: '0190b6a5-5a4f-7cc3-8b1d-2f6a7f1f0a11',
    syncId: 7,
    stream: { name: 'users' },
    target: { table: 'users' },
    columns: USERS,
    mode: 'append',
    primaryKey: [['id']],
    cursorField: [],
    generationId: 1,
    minimumGenerationId: 0,
    normalization: 'basic',
    format: 'records',
    ...plan,
  }
}

/** Rows as a record batch. */
export function records(
  columns: Column[],
  rows: Cell[][],
  extra: Partial<RecordBatch> = {},
): RecordBatch {
  return {
    kind: 'records',
    stream: 'users',
    schema: columns,
    length: rows.length,
    columns: columns.map((_, c) => rows.map((row) => row[c] ?? null)),
    extractedAt: Date.UTC(2026, 10, 23),
    ...extra,
  }
}

/** COPY text as an encoded batch. */
export function encoded(columns: Column[], text: string): EncodedBatch {
  return {
    kind: 'encoded',
    stream: 'users',
    schema: columns,
    format: 'pg-copy-text',
    rows: text.split('\n').length - 1,
    bytes: new TextEncoder().encode(text),
    extractedAt: Date.UTC(2026, 10, 23),
  }
}

/** A chunk whose end state is its id. */
export function chunk(
  id: string,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  extra: Partial<Chunk> = {},
): Chunk {
  return {
    id,
    body: (async function* () {
      yield* batches
    })(),
    end: () => ({ state: { at: id }, complete: false }),
    ...extra,
  }
}

/** A promise and the function that resolves it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
