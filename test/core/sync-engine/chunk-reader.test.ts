import { describe, expect, it } from 'vitest'
import { ChunkReader, type ReaderStart } from '../../../src/core/sync-engine/chunk-reader.ts'
import {
  type JsonValue,
  PartitionList,
  type ReadEvent,
  type RecordBatch,
} from '../../../src/protocol/index.ts'

const batch: RecordBatch = {
  ...{ kind: 'records', stream: 's', schema: [], length: 1, columns: [], extractedAt: 0 },
}

const state = (page: number): ReadEvent => ({ type: 'state', stream: 's', state: { page } })
const wait: ReadEvent = { type: 'wait', stream: 's', until: 5000, reason: 'slow down' }

const NOWHERE: ReaderStart = { header: null, lists: new Map() }

function readerOf(events: ReadEvent[], start = NOWHERE, chunkBytes = (_read: number) => 1e9) {
  async function* source() {
    for (const event of events) yield event
    throw new Error('it was asked for more than it should')
  }
  const options = { stream: 's', chunkBytes, exhausted: () => false, onEvent() {} }
  return new ChunkReader(source(), start, options)
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

describe('a chunk reader whose source cannot do again what it did', () => {
  const kept: ReadEvent = { type: 'state', stream: 's', state: { page: 1 }, keep: true }

  it('opens no chunk before that is kept', async () => {
    const reader = readerOf([kept])
    expect(await reader.next()).toBeNull()
    expect(reader.position()).toEqual({ state: { page: 1 }, complete: false })
  })

  it('ends the chunk at hand there, however short', async () => {
    const chunk = await readerOf([{ type: 'batch', batch }, kept]).next()
    expect(chunk && (await rowsOf(chunk.body))).toBe(1)
    expect(chunk?.end()).toEqual({ state: { page: 1 }, complete: false })
  })
})

describe('a chunk reader whose source fails', () => {
  const error: ReadEvent = {
    ...{ type: 'error', stream: 's' },
    error: { code: 'REQUEST_REFUSED', kind: 'system', message: 'gone', hint: '' },
  }

  it('gives the rows before the last state first, and the failure then', async () => {
    const reader = readerOf([{ type: 'batch', batch }, state(1), error])
    const chunk = await reader.next()
    expect(chunk && (await rowsOf(chunk.body))).toBe(1)
    expect(chunk?.end()).toEqual({ state: { page: 1 }, complete: false })
    await expect(reader.next()).rejects.toMatchObject({ code: 'REQUEST_REFUSED' })
  })

  it('gives none that no state covers', async () => {
    const batches: ReadEvent[] = [{ type: 'batch', batch }, state(1), { type: 'batch', batch }]
    const chunk = await readerOf([...batches, error]).next()
    await expect(rowsOf(chunk?.body ?? fail())).rejects.toMatchObject({ code: 'REQUEST_REFUSED' })
  })
})

it('asks anew for each chunk how long it may be, with what came before', async () => {
  // A flat eight bytes a cell.
  const one: ReadEvent = { type: 'batch', batch: { ...batch, columns: [[true]] } }
  const events = [1, 2, 3, 4, 5].flatMap((page) => [one, state(page)])
  const asked: number[] = []
  const reader = readerOf([...events, wait], NOWHERE, (read) => {
    asked.push(read)
    return read === 0 ? 8 : 16
  })
  const rows: number[] = []
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    rows.push(await rowsOf(chunk.body))
  }
  expect({ rows, asked }).toEqual({ rows: [1, 2, 2], asked: [0, 8, 24] })
})

function fail(): never {
  throw new Error('no chunk')
}

describe('a chunk reader of a source with many partitions', () => {
  const entry = (day: number) => ({ partition: { id: 1 }, cursor: { day } })
  const at = (list: PartitionList): ReadEvent => ({
    ...{ type: 'state', stream: 's' },
    state: { v: 1, airbyte: { states: list as unknown as JsonValue } },
  })

  it('says of each chunk what it changed, once', async () => {
    const before = PartitionList.of([['0', entry(0)]])
    const first = before.with('1', entry(1))
    const second = first.with('1', entry(2))
    const events: ReadEvent[] = [{ type: 'batch', batch }, at(first), { type: 'batch', batch }]
    const lists = new Map([['/airbyte/states', before]])
    const reader = readerOf([...events, at(second), wait], { header: { v: 1 }, lists }, () => 0)
    const ends: unknown[] = []
    for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
      await rowsOf(chunk.body)
      ends.push(chunk.end().partitions)
      reader.settle()
    }
    expect(ends).toEqual([
      { '/airbyte/states': { set: [['1', entry(1)]] } },
      { '/airbyte/states': { set: [['1', entry(2)]] } },
    ])
    expect(reader.position()).toEqual({ state: { v: 1, airbyte: {} }, complete: false })
  })
})
