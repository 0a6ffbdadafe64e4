import { describe, expect, it } from 'vitest'
import devNull from '../../../../connectors/destinations/dev-null/index.ts'
import { checkConfig } from '../../../../src/core/config-validation.ts'
import type { Cell, JsonObject } from '../../../../src/protocol/index.ts'
import { memoryStore } from '../../../../src/staging/memory-store.ts'
import { testContext } from '../../../conformance/context.ts'
import { chunkOf, planFor, withLoader } from '../../../conformance/loading.ts'

const ROWS: Cell[][] = [1, 2, 3, 4].map((id) => [id, `name ${id}`, 2n ** 60n])

function opened(config: JsonObject = {}) {
  return { destination: devNull, config, ctx: testContext({ warehouse: memoryStore() }) }
}

/** One chunk after another into a table of its own; the outcome of each step. */
async function load(config: JsonObject, chunks = 1, plan = planFor()) {
  return withLoader(opened(config), plan, async (loader) => {
    await loader.prepare(1)
    const results = []
    for (let n = 0; n < chunks; n++) {
      results.push(await loader.load(chunkOf(devNull, plan, `c${n}`, ROWS, { batchRows: 1 }), 1))
    }
    return { results, count: await loader.count() }
  })
}

describe('dev-null', () => {
  it('counts what it swallows', async () => {
    const { results, count } = await load({}, 2)
    expect(results.map(({ rows, rejects }) => [rows, rejects.length])).toEqual([
      [4, 0],
      [4, 0],
    ])
    expect(count).toBe(8)
  })

  it('keeps its ledger in the warehouse, so that it outlives the process', async () => {
    const host = opened()
    const plan = planFor()
    await withLoader(host, plan, (loader) => loader.load(chunkOf(devNull, plan, 'c0', ROWS), 5))
    const { objects } = await (host.ctx.warehouse ?? memoryStore()).list('_dev-null/')
    expect(objects).toHaveLength(1)
    const position = await withLoader(host, plan, (loader) => loader.prepare(6))
    expect(position).toMatchObject({ rows: 4, fence: 5, end: { state: { after: 'c0' } } })
  })

  it('works without a warehouse, as long as the process lives', async () => {
    const host = { destination: devNull, config: {}, ctx: testContext() }
    const plan = planFor()
    await withLoader(host, plan, (loader) => loader.load(chunkOf(devNull, plan, 'c0', ROWS), 1))
    expect(await withLoader(host, plan, (loader) => loader.count())).toBe(4)
  })

  it.each([
    [{ test_destination: { test_destination_type: 'SILENT' } }, []],
    [{ test_destination: { test_destination_type: 'FAILING', num_messages: 3 } }, []],
    [{}, []],
    [
      { test_destination: { test_destination_type: 'THROTTLED' } },
      ['config.test_destination.millis_per_record'],
    ],
    [{ fail_at: { when: 'never' } }, ['config.fail_at.when']],
  ] as [JsonObject, string[]][])('its spec judges %j', (config, fields) => {
    const { problems } = checkConfig(devNull.spec().connectionSpecification, config)
    expect(problems.map(({ field }) => field)).toEqual(fields)
  })
})

describe('the dials of dev-null', () => {
  it.each([
    ['config', 'AUTH_FAILED'],
    ['transient', 'UPSTREAM_ERROR'],
    ['system', 'INTERNAL'],
  ])('fail with kind %s', async (kind, code) => {
    const failing = load({ fail_at: { when: 'prepare', kind } })
    await expect(failing).rejects.toMatchObject({ code, kind })
  })

  it('fail at a row, leaving nothing of its chunk', async () => {
    const host = opened({ fail_at: { when: 'load', row: 6, times: 1 } })
    const plan = planFor()
    await withLoader(host, plan, async (loader) => {
      const chunk = (id: string) => chunkOf(devNull, plan, id, ROWS, { batchRows: 1 })
      await loader.load(chunk('a'), 1)
      await expect(loader.load(chunk('b'), 1)).rejects.toThrow('told to fail at load')
      expect(await loader.count()).toBe(4)
      await loader.load(chunk('b'), 1)
      expect(await loader.count()).toBe(8)
    })
  })

  it('fail at a chunk', async () => {
    await expect(load({ fail_at: { when: 'load', chunk: 2 } }, 2)).rejects.toThrow('at load')
    expect((await load({ fail_at: { when: 'load', chunk: 2 } }, 1)).count).toBe(4)
  })

  it('lose the answer after the commit: the replay is a duplicate', async () => {
    const host = opened({ fail_at: { when: 'answer', times: 1 } })
    const plan = planFor()
    await withLoader(host, plan, async (loader) => {
      const chunk = () => chunkOf(devNull, plan, 'a', ROWS)
      await expect(loader.load(chunk(), 1)).rejects.toThrow('at answer')
      expect(await loader.load(chunk(), 1)).toMatchObject({ duplicate: true, rows: 4 })
      expect(await loader.count()).toBe(4)
    })
  })

  it('fail in finish, so often', async () => {
    const host = opened({ fail_at: { when: 'finish', times: 2 } })
    const plan = planFor({ mode: 'overwrite' })
    await withLoader(host, plan, async (loader) => {
      await loader.load(chunkOf(devNull, plan, 'a', ROWS), 1)
      await expect(loader.finish(1)).rejects.toThrow('at finish')
      await expect(loader.finish(1)).rejects.toThrow('at finish')
      await loader.finish(1)
      expect(await loader.count()).toBe(4)
    })
  })

  it('fail as Airbyte names it, after so many rows', async () => {
    const failing = (num_messages: number) =>
      load({ test_destination: { test_destination_type: 'FAILING', num_messages } })
    await expect(failing(3)).rejects.toMatchObject({ kind: 'system' })
    expect((await failing(4)).count).toBe(4)
  })

  it('fail in check', async () => {
    const result = await devNull.check(testContext(), {
      fail_at: { when: 'check', kind: 'config' },
    })
    expect(result).toMatchObject({ ok: false, problem: { code: 'AUTH_FAILED' } })
  })

  it('slow each chunk down, until aborted', async () => {
    const start = performance.now()
    await load({ millis_per_chunk: 20 }, 2)
    expect(performance.now() - start).toBeGreaterThan(35)

    const host = opened({ millis_per_chunk: 60_000 })
    const plan = planFor()
    setTimeout(() => host.ctx.abort(new Error('enough')), 20)
    const loading = withLoader(host, plan, (l) => l.load(chunkOf(devNull, plan, 'a', ROWS), 1))
    await expect(loading).rejects.toThrow()
  })

  it('reject every k-th row, with its values', async () => {
    const { results, count } = await load({ reject_every: 3 })
    expect(count).toBe(3)
    expect(results[0]?.rejects).toEqual([
      {
        reason: 'dev-null rejects one row in 3',
        row: '{"id":3,"name":"name 3","version":1152921504606846976}',
      },
    ])
  })
})
