import { describe, expect, it } from 'vitest'
import { ChunkReader } from '../../../src/core/sync-engine/chunk-reader.ts'
import type { ReadEvent, RecordBatch } from '../../../src/protocol/index.ts'

const batch: RecordBatch = {
  ...{ kind: 'records', stream: 's', schema: [], length: 1, columns: [], extractedAt: 0 },
}

const state = (page: number): ReadEvent => ({ type: 'state', stream: 's', state: { page } })
const wait: ReadEvent = { type: 'wait', stream: 's', until: 5000, reason: 'slow down' }

function readerOf(events: ReadEvent[]) {
  async function* source() {
    for (const event of events) yield event
    throw new Error('it was asked for more than it should')
  }
  const options = { stream: 's', chunkBytes: 1e9, exhausted: () => false, onEvent() {} }
  return new ChunkReader(source(), null, options)
}

async function rowsOf(body: AsyncIterable<unknown>): Promise<number> {
  let rows = 0
  for await (const _ of body) rows++
  return rows
}

describe('a chunk reader whose source has to wait', () => {
  it('ends the chunk at the state before the wait, and asks for nothing more', async () => {
    const reader = readerOf([{ type: 'batch', batch }, state(1), state(2), wait])
    const chunk = await reader.next()
    expect(chunk && (await rowsOf(chunk.body))).toBe(1)
    expect(chunk?.end()).toEqual({ state: { page: 2 }, complete: false })
    expect(reader.wait).toEqual({ until: 5000, reason: 'slow down' })
    expect(await reader.next()).toBeNull()
  })

  it('opens no chunk for a wait without rows, and keeps its position', async () => {
    const reader = readerOf([state(1), wait])
    expect(await reader.next()).toBeNull()
    expect(reader.position()).toEqual({ state: { page: 1 }, complete: false })
    expect(reader.wait).toEqual({ until: 5000, reason: 'slow down' })
  })
})
