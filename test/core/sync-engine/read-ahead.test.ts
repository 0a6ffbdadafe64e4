import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { readAhead } from '../../../src/core/sync-engine/read-ahead.ts'
import type { Batch } from '../../../src/protocol/index.ts'

/** A batch of eight bytes. */
const batch = (value: number): Batch => ({
  ...{ kind: 'records', stream: 's', schema: [{ name: 'n', type: 'integer' }], length: 1 },
  ...{ columns: [[value]], extractedAt: 0 },
})
const cellOf = (one: Batch) => one.kind === 'records' && one.columns[0]?.[0]

/** Counts what was pulled of it, and knows when it was left. */
function source(length: number, failure?: Error) {
  const seen = { pulled: 0, left: false }
  async function* batches() {
    try {
      for (let i = 0; i < length; i++) {
        seen.pulled += 1
        yield batch(i)
      }
      if (failure) throw failure
    } finally {
      seen.left = true
    }
  }
  return { seen, batches: batches() }
}

async function valuesOf(batches: AsyncIterable<Batch>) {
  const values: unknown[] = []
  for await (const one of batches) values.push(cellOf(one))
  return values
}

describe('reading ahead', () => {
  it('gives all batches in their order', async () => {
    const { batches, ended } = readAhead(source(50).batches, 30)
    expect(await valuesOf(batches)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(await ended).toBe(true)
  })

  it('goes on before anybody asks, and no further than the limit', async () => {
    const { seen, batches: read } = source(10)
    const { batches, ended } = readAhead(read, 24)
    await sleep(20)
    expect(seen.pulled).toBe(3)
    const iterator = batches[Symbol.asyncIterator]()
    await iterator.next()
    await sleep(20)
    expect(seen.pulled).toBe(4)
    await iterator.return?.()
    expect(await ended).toBe(false)
    expect(seen.left).toBe(true)
  })

  it('keeps to the limit where the first row of a batch has no text and the others have', async () => {
    const seen = { pulled: 0 }
    async function* large(): AsyncGenerator<Batch> {
      for (; seen.pulled < 50; seen.pulled++) {
        const schema = [{ name: 't', type: 'string' as const }]
        const columns = [[null, 'x'.repeat(1000)]]
        yield { kind: 'records', stream: 's', schema, length: 2, columns, extractedAt: 0 }
      }
    }
    const { stop } = readAhead(large(), 3000)
    await sleep(50)
    stop()
    expect(seen.pulled).toBeLessThan(4)
  })

  it('has read a short source to its end while nobody takes anything', async () => {
    const { ended } = readAhead(source(2).batches, 24)
    expect(await ended).toBe(true)
  })

  it('throws what the source throws, after the batches before it', async () => {
    const failure = new Error('the source broke')
    const { batches, ended } = readAhead(source(2, failure).batches, 100)
    const iterator = batches[Symbol.asyncIterator]()
    await sleep(20)
    expect(cellOf((await iterator.next()).value)).toBe(0)
    expect(cellOf((await iterator.next()).value)).toBe(1)
    await expect(iterator.next()).rejects.toBe(failure)
    await expect(ended).rejects.toBe(failure)
  })

  it('leaves a source that nobody wants any more', async () => {
    const { seen, batches } = source(10)
    const ahead = readAhead(batches, 8)
    await sleep(20)
    ahead.stop()
    expect(await ahead.ended).toBe(false)
    expect(seen).toEqual({ pulled: 1, left: true })
  })
})
