import { describe, expect, it } from 'vitest'
import type { Batch, Cell, EncodedBatch, RecordBatch } from '../../src/protocol/index.ts'
import { concat } from '../../src/staging/bytes.ts'
import { decodeFrames, encodeFrames } from '../../src/staging/chunk-codec.ts'

const HOSTILE: Cell[] = [
  ...[null, '', 'null', 's', 'i5', '0', '\u0000', '\ufeff', '\ud800', '\udc00x', '🐘', '"\\\n\r\t'],
  ...['__proto__', '\u2028\u2029', 'x'.repeat(100_000), 'ß'.repeat(70_000), '-0', 'NaN'],
  ...[0, -0, 1, -1, 0.1, 5e-324, 1.7976931348623157e308, Number.NaN, Infinity, -Infinity],
  ...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53 + 2, 123456789012345680000],
  ...[0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 10n ** 40n, true, false],
  ...[undefined as unknown as Cell, '99999999999999999999.000000000100', '{"a":[1,null]}', 'null'],
]

const recordBatch = (columns: Cell[][], more: Partial<RecordBatch> = {}): RecordBatch => ({
  kind: 'records',
  stream: 'public.users',
  schema: columns.map((_, i) => ({ name: `c${i}`, type: 'unknown' as const })),
  length: columns[0]?.length ?? 0,
  columns,
  extractedAt: 1_796_000_000_123,
  ...more,
})

async function* each<T>(items: T[]) {
  yield* items
}

async function bytesOf(batches: Batch[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of encodeFrames(each(batches))) parts.push(part)
  return concat(parts)
}

async function read(bytes: Uint8Array, piece = bytes.length): Promise<Batch[]> {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece))
  const batches: Batch[] = []
  for await (const batch of decodeFrames(each(pieces))) batches.push(batch)
  return batches
}

/** A small reproducible generator of numbers in [0, 1). */
function random(seed: number) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

export function chunkCodecSuite() {
  describe('staged chunks', () => {
    it('gives back every hostile value as it was', async () => {
      const batch = recordBatch([HOSTILE, [...HOSTILE].reverse()])
      expect(await read(await bytesOf([batch]))).toStrictEqual([batch])
    })

    it('gives back random columns of hostile values, in pieces of any size', async () => {
      for (let seed = 1; seed <= 60; seed++) {
        const next = random(seed)
        const rows = Math.floor(next() * 12)
        const column = () =>
          Array.from({ length: rows }, () => HOSTILE[Math.floor(next() * HOSTILE.length)] as Cell)
        const batches = Array.from({ length: 1 + Math.floor(next() * 3) }, () =>
          recordBatch([column(), column(), column()], {
            op: next() < 0.5 ? Array.from({ length: rows }, () => (next() < 0.5 ? 'u' : 'd')) : [],
            changes: [{ row: 0, field: 'ä', change: 'NULLED', reason: '\ud800"' }],
          }),
        )
        const bytes = await bytesOf(batches)
        expect(await read(bytes, 1 + Math.floor(next() * 5000))).toStrictEqual(batches)
      }
    })

    it('keeps encoded batches byte for byte', async () => {
      const batch: Batch = {
        kind: 'encoded',
        stream: 's',
        schema: [{ name: 'a', type: 'string', native: { dialect: 'postgres', type: 'text' } }],
        format: 'pg-copy-text',
        rows: 2,
        bytes: new Uint8Array([0, 255, 10, 92, 46]),
        extractedAt: 5,
      }
      expect(await read(await bytesOf([batch, batch]))).toStrictEqual([batch, batch])
    })

    it('carries batches of several schemas and an empty chunk', async () => {
      const one = recordBatch([[1], ['x']])
      const two = { ...recordBatch([[2n]]), schema: [{ name: 'z', type: 'integer' as const }] }
      expect(await read(await bytesOf([one, two, one]))).toStrictEqual([one, two, one])
      expect(await read(await bytesOf([]))).toEqual([])
    })

    it('splits a large batch by rows, with its ops and changes', async () => {
      const text = 'x'.repeat(2000)
      const batch = recordBatch([Array.from({ length: 6000 }, (_, i) => `${i}${text}`)], {
        op: Array.from({ length: 6000 }, (_, i) => (i % 2 ? 'd' : 'u')),
        changes: [{ row: 5999, field: 'c0', change: 'NULLED', reason: 'why' }],
      })
      const parts: Uint8Array[] = []
      for await (const part of encodeFrames(each<Batch>([batch]))) parts.push(part)
      expect(Math.max(...parts.map((part) => part.length))).toBeLessThan(4 * 1024 * 1024)
      const back = (await read(concat(parts))) as RecordBatch[]
      expect(back.length).toBeGreaterThan(2)
      expect(back.flatMap((part) => part.columns[0])).toEqual(batch.columns[0])
      expect(back.flatMap((part) => part.op)).toEqual(batch.op)
      const last = back.at(-1)
      expect(last?.changes).toEqual([{ ...batch.changes?.[0], row: (last?.length ?? 0) - 1 }])
    })

    it('keeps what happened to the rows of encoded batches', async () => {
      const batch: EncodedBatch = {
        ...{ kind: 'encoded', stream: 's', schema: [{ name: 'id', type: 'integer' }] },
        ...{ format: 'pg-copy-text', rows: 2, extractedAt: 7, op: ['u', 'd'] },
        bytes: new TextEncoder().encode('1\n2\n'),
      }
      expect(await read(await bytesOf([batch]))).toEqual([batch])
    })

    it('refuses a chunk cut at any byte', async () => {
      const bytes = await bytesOf([recordBatch([[1, 2]]), recordBatch([['a', 'b']])])
      for (let length = 0; length < bytes.length; length++) {
        await expect(read(bytes.subarray(0, length))).rejects.toMatchObject({
          code: 'STAGED_CHUNK_CHANGED',
        })
      }
    })

    it('refuses a chunk with any one byte changed, and one with bytes added', async () => {
      const bytes = await bytesOf([recordBatch([[1, 2n]]), recordBatch([['a', 'b']])])
      for (let at = 0; at < bytes.length; at++) {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] ?? 0) ^ 0x20
        await expect(read(damaged)).rejects.toMatchObject({ code: 'STAGED_CHUNK_CHANGED' })
      }
      await expect(read(concat([bytes, new Uint8Array(1)]))).rejects.toMatchObject({
        code: 'STAGED_CHUNK_CHANGED',
      })
    })

    it('ends the stream beneath when its reader stops early', async () => {
      const bytes = await bytesOf([recordBatch([[1]]), recordBatch([[2]])])
      let cancelled = false
      const stream = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(bytes),
        cancel: () => {
          cancelled = true
        },
      })
      for await (const _ of decodeFrames(stream)) break
      expect(cancelled).toBe(true)
    })
  })
}
