import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import postgres from '../../../../connectors/destinations/postgres/index.ts'
import { budgetOf, connectorContext } from '../../../../src/durable-object/platform.ts'
import type { Batch, Column, JsonObject } from '../../../../src/protocol/index.ts'
import type { Chunk, Loader, StreamPlan } from '../../../../src/runtime/contract.ts'

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'string' },
]
const url = new URL((env as unknown as { PG_URL: string }).PG_URL)
const config: JsonObject = {
  host: url.hostname,
  port: Number(url.port),
  database: url.pathname.slice(1),
  schema: 'workerd_destination',
  username: url.username,
  password: url.password,
  ssl_mode: { mode: 'disable' },
}
const ctx = () =>
  connectorContext(env, 'tenant', {
    signal: new AbortController().signal,
    log: () => {},
    budget: budgetOf(60_000),
  })

function open(table: string, mode: StreamPlan['mode']): Promise<Loader> {
  return postgres.open(ctx(), config, {
    connectionId: 'c',
    syncId: 1,
    stream: { name: table },
    target: { table },
    columns: COLUMNS,
    mode,
    primaryKey: [['id']],
    cursorField: [],
    generationId: 1,
    minimumGenerationId: 0,
    normalization: 'basic',
    format: 'pg-copy-text',
  })
}

function encoded(text: string): Batch {
  const bytes = new TextEncoder().encode(text)
  const rows = text.split('\n').length - 1
  return {
    kind: 'encoded',
    stream: 's',
    schema: COLUMNS,
    format: 'pg-copy-text',
    rows,
    bytes,
    extractedAt: 0,
  }
}

const chunk = (id: string, body: AsyncIterable<Batch>): Chunk => ({
  id,
  body,
  end: () => ({ state: { at: id }, complete: false }),
})

async function* bodyOf(...texts: string[]): AsyncGenerator<Batch> {
  for (const text of texts) yield encoded(text)
}

describe('the PostgreSQL destination in workerd', () => {
  const mebibyte = Array.from({ length: 20_000 }, (_, i) => `${i}\t${'x'.repeat(48)}\n`).join('')
  let loaders: Loader[] = []
  beforeAll(async () => {
    expect(await postgres.check(ctx(), config)).toEqual({ ok: true })
  })
  afterAll(async () => {
    for (const loader of loaders) await loader.close()
    loaders = []
  })

  it.each(['append', 'append_dedup', 'overwrite'] as const)(
    'loads, replays and reads back (%s)',
    async (mode) => {
      const loader = await open(`t_${mode}`, mode)
      loaders.push(loader)
      await loader.prepare(1)
      const load = () => loader.load(chunk('c1', bodyOf(mebibyte)), 1)
      expect(await load()).toMatchObject({ duplicate: false, rows: 20_000 })
      expect(await load()).toMatchObject({ duplicate: true, rows: 20_000 })
      await loader.finish(1)
      expect(await loader.count()).toBe(20_000)
      let bytes = 0
      for await (const batch of loader.readBack?.() ?? [])
        if (batch.kind === 'encoded') bytes += batch.bytes.length
      expect(bytes).toBe(mebibyte.length)
    },
  )

  it('rolls back and goes on when the body fails, when a value is refused, and when it is superseded', async () => {
    const loader = await open('t_failures', 'append')
    loaders.push(loader)
    await loader.prepare(1)
    async function* failing(): AsyncGenerator<Batch> {
      yield encoded(mebibyte)
      throw new Error('the source went away')
    }
    await expect(loader.load(chunk('c1', failing()), 1)).rejects.toThrow('the source went away')
    await expect(
      loader.load(chunk('c1', bodyOf('x\ty\n', ...Array<string>(20).fill(mebibyte))), 1),
    ).rejects.toMatchObject({ code: 'VALUE_REJECTED' })
    const successor = await open('t_failures', 'append')
    loaders.push(successor)
    async function* superseded(): AsyncGenerator<Batch> {
      yield encoded(mebibyte)
      await successor.prepare(2)
      for (let i = 0; i < 20; i++) yield encoded(mebibyte)
    }
    await expect(loader.load(chunk('c1', superseded()), 1)).rejects.toMatchObject({
      code: 'FENCE_LOST',
    })
    expect(await loader.count()).toBe(0)
    await successor.load(chunk('c1', bodyOf('1\ta\n')), 2)
    expect(await successor.count()).toBe(1)
  })
})
