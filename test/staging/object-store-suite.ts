import { describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../src/runtime/contract.ts'
import { collect } from '../../src/staging/bytes.ts'

const text = async (
  store: ObjectStore,
  key: string,
  range?: { offset: number; length: number },
) => {
  const object = await store.get(key, range)
  return object && new TextDecoder().decode(await collect(object.body))
}

async function* pieces(total: number, size: number) {
  for (let at = 0; at < total; at += size) {
    const piece = new Uint8Array(Math.min(size, total - at))
    for (let i = 0; i < piece.length; i++) piece[i] = (at + i) % 251
    yield piece
  }
}

/** What every object store must do; each test gets an empty one. */
export function objectStoreSuite(name: string, open: () => ObjectStore) {
  describe(name, () => {
    it('reads back what was put, with its size', async () => {
      const store = open()
      const info = await store.put('a/b.json', 'héllo')
      expect(info).toMatchObject({ key: 'a/b.json', size: 6 })
      expect(await text(store, 'a/b.json')).toBe('héllo')
      expect(await store.head('a/b.json')).toEqual(info)
    })

    it('answers null for what is not there', async () => {
      const store = open()
      expect(await store.get('nothing/here')).toBeNull()
      expect(await store.head('nothing')).toBeNull()
    })

    it('reads a range', async () => {
      const store = open()
      await store.put('k', '0123456789')
      expect(await text(store, 'k', { offset: 3, length: 4 })).toBe('3456')
    })

    it('reads an empty object', async () => {
      const store = open()
      await store.put('empty', new Uint8Array(0))
      expect(await text(store, 'empty')).toBe('')
    })

    it('writes over the version named and refuses over another', async () => {
      const store = open()
      const first = await store.put('k', 'one')
      const second = await store.put('k', 'two', { etag: first?.etag ?? '' })
      expect(second?.etag).not.toBe(first?.etag)
      expect(await store.put('k', 'three', { etag: first?.etag ?? '' })).toBeNull()
      expect(await text(store, 'k')).toBe('two')
    })

    it('refuses a write over a version of an object that is gone', async () => {
      const store = open()
      const first = await store.put('k', 'one')
      await store.delete(['k'])
      expect(await store.put('k', 'two', { etag: first?.etag ?? '' })).toBeNull()
    })

    it('lets exactly one of many writers create an object', async () => {
      const store = open()
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => store.put('k', `w${i}`, { absent: true })),
      )
      expect(results.filter((r) => r !== null)).toHaveLength(1)
    })

    it('lets exactly one of many writers replace a version', async () => {
      const store = open()
      const first = await store.put('k', 'one')
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => store.put('k', `w${i}`, { etag: first?.etag ?? '' })),
      )
      expect(results.filter((r) => r !== null)).toHaveLength(1)
    })

    it.each([0, 1, 700_000, 5 * 1024 * 1024, 12_000_000])('streams %i bytes', async (total) => {
      const store = open()
      const info = await store.putStream('s/big', pieces(total, 300_007))
      expect(info.size).toBe(total)
      const bytes = await collect((await store.get('s/big'))?.body ?? pieces(0, 1))
      expect(bytes.length).toBe(total)
      expect(bytes.every((byte, i) => byte === i % 251)).toBe(true)
    })

    it('shows nothing of a stream that failed', async () => {
      const store = open()
      const failing = async function* () {
        yield* pieces(11_000_000, 1_000_000)
        throw new Error('source broke')
      }
      await expect(store.putStream('s/broken', failing())).rejects.toThrow('source broke')
      expect(await store.head('s/broken')).toBeNull()
      expect((await store.list('')).objects).toEqual([])
    })

    it('keeps the old object while and after a stream over it fails', async () => {
      const store = open()
      await store.put('k', 'old')
      const failing = async function* () {
        yield* pieces(6_000_000, 1_000_000)
        expect(await text(store, 'k')).toBe('old')
        throw new Error('source broke')
      }
      await expect(store.putStream('k', failing())).rejects.toThrow('source broke')
      expect(await text(store, 'k')).toBe('old')
    })

    it('lists by prefix, in order, part of a segment too', async () => {
      const store = open()
      for (const key of ['b/2', 'a/1', 'b/10', 'bb/1', 'b/c/d']) await store.put(key, 'x')
      const keys = async (prefix: string) =>
        (await store.list(prefix)).objects.map(({ key }) => key)
      expect(await keys('b/')).toEqual(['b/10', 'b/2', 'b/c/d'])
      expect(await keys('b/1')).toEqual(['b/10'])
      expect(await keys('none/')).toEqual([])
      expect(await keys('')).toHaveLength(5)
    })

    it('pages a long listing', async () => {
      const store = open()
      for (let i = 0; i < 1100; i += 50) {
        const some = Array.from({ length: 50 }, (_, j) => `p/${String(i + j).padStart(5, '0')}`)
        await Promise.all(some.map((key) => store.put(key, '')))
      }
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await store.list('p/', cursor)
        seen.push(...page.objects.map(({ key }) => key))
        cursor = page.cursor
      } while (cursor !== undefined)
      expect(seen).toHaveLength(1100)
      expect(new Set(seen).size).toBe(1100)
    })

    it('deletes what is there and does not mind what is not', async () => {
      const store = open()
      await store.put('a', '1')
      await store.delete(['a', 'b'])
      expect(await store.head('a')).toBeNull()
    })

    it.each(['../x', 'a/../b', '/etc/passwd', '', 'a//b', 'a/./b', 'a\\b', 'a\u0000b'])(
      'refuses the key %j',
      async (key) => {
        const store = open()
        await expect(store.put(key, 'x')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
        await expect(store.get(key)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
      },
    )
  })
}
